// Agents replaced while they trace, as an update of the DaemonSet does: the job has what they had, and says so. Neighbour: agent/jobs.ts (shutDown).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cluster } from './support/cluster.ts';
import { condition, ended, eventRows, eventsOf, tally } from './support/jobs.ts';
import { sonde, sondeNamespace } from './support/sonde.ts';
import { steadyJob } from './support/steady.ts';

const testCluster = await cluster();
await sonde(testCluster);

test('agents updated during a job: Degraded, with what each had until then, and nothing twice', async (t) => {
  const steady = await steadyJob(testCluster, t, '40s');
  await sleep(5000);
  await testCluster.kubectl(['rollout', 'restart', 'daemonset/sonde-agent', '-n', sondeNamespace]);
  const status = await ended(testCluster, steady.wish);
  assert.equal(status.phase, 'Succeeded', JSON.stringify(status.conditions));
  const degraded = condition(status, 'Degraded');
  assert.equal(degraded?.status, 'True');
  assert.equal(degraded?.reason, 'Interrupted', JSON.stringify(status.conditions));
  assert.match(degraded?.message ?? '', /node-1.*the agent was stopped.*1 more node/);
  assert.deepEqual(status.nodes, { matched: 2, running: 0, succeeded: 2, failed: 0 });
  assert.ok((await eventsOf(testCluster, steady.wish)).includes('Warning Interrupted'));
  const rows = (await eventRows(steady.store, status)).filter(({ process }) => process === 'opens');
  for (const pod of ['one', 'two']) {
    const lives = Object.values(
      tally(
        rows.filter((row) => row.pod === pod),
        ({ pid }) => `${pid}`,
      ),
    );
    assert.ok(lives.length > 15, `${pod}: ${lives.length} lives of about 20 or more`);
    assert.ok(lives.every((count) => count <= 40));
    assert.ok(lives.filter((count) => count === 40).length >= lives.length - 6, `${lives}`);
  }
  await testCluster.kubectl(
    ['rollout', 'status', 'daemonset/sonde-agent', '-n', sondeNamespace, '--timeout=90s'],
    { limit: 100_000 },
  );
});
