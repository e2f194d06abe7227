// The leader killed in the middle of a job while a second replica waits: the other takes the job over, whole. The chart with two replicas, which needs a store
// that both reach. It leaves Sonde with one, as the other scenarios have it.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cluster } from './support/cluster.ts';
import { killPod } from './support/faults.ts';
import { condition, ended } from './support/jobs.ts';
import { sonde, sondeNamespace } from './support/sonde.ts';
import { assertWhole, steadyJob } from './support/steady.ts';

const testCluster = await cluster();
await sonde(testCluster, { 'operator.replicas': 2, stores: [] });
after(() => sonde(testCluster));

/** Of pods that stay: the Lease may still be that of one that the rollout took away. */
async function leader(): Promise<string | undefined> {
  const lease = await testCluster.get<{ spec: { holderIdentity?: string } }>(
    'lease',
    'sonde-operator',
    sondeNamespace,
  );
  const holder = lease?.spec.holderIdentity || undefined;
  if (holder === undefined) return undefined;
  const pod = await testCluster.get<{ metadata: { deletionTimestamp?: string } }>(
    'pod',
    holder,
    sondeNamespace,
  );
  return pod !== undefined && pod.metadata.deletionTimestamp === undefined ? holder : undefined;
}

async function readyOperators(): Promise<number> {
  const found = await testCluster.get<{ status: { readyReplicas?: number } }>(
    'deployment',
    'sonde-operator',
    sondeNamespace,
  );
  return found?.status.readyReplicas ?? 0;
}

test('the leader killed in the middle of a 60 s job: the replica that waits completes it, nothing lost or doubled', async (t) => {
  assert.equal(await readyOperators(), 2);
  const first = await testCluster.waitFor('one leads', leader);
  const steady = await steadyJob(testCluster, t, '60s');
  const began = Date.now();
  await sleep(15_000);
  await killPod(testCluster, { namespace: sondeNamespace, pod: first });
  const second = await testCluster.waitFor('another leads', async () => {
    const now = await leader();
    return now === first ? undefined : now;
  });
  const seconds = (Date.now() - began - 15_000) / 1000;
  t.diagnostic(`${second} led ${seconds.toFixed(1)} s after the kill`);
  const status = await ended(testCluster, steady.wish);
  assert.equal(condition(status, 'Degraded')?.status, 'False', JSON.stringify(status.conditions));
  assert.deepEqual(status.nodes, { matched: 2, running: 0, succeeded: 2, failed: 0 });
  const lives = await assertWhole(steady, status, ['one', 'two']);
  // About four lives a second and node: a job that had begun anew would have fewer.
  for (const [pod, count] of Object.entries(lives)) assert.ok(count > 60 * 2.5, `${pod}: ${count} lives`);
  t.diagnostic(JSON.stringify(lives));
});
