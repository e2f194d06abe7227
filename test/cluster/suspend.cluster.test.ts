// A job that is suspended the moment it was ordered, and resumed: what its agents had begun of it by then does not stand in its way.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cluster } from './support/cluster.ts';
import { condition, ended, type JobWish, job, resource, testStore } from './support/jobs.ts';
import { sonde } from './support/sonde.ts';
import { runPods } from './support/workloads.ts';

const testCluster = await cluster();
await sonde(testCluster);
const [first = ''] = testCluster.nodes;

test('a job that is suspended at its very start, and resumed at once or later, has its result', async (t) => {
  const store = await testStore(testCluster, t);
  const namespace = await testCluster.namespace(t);
  const command = ['sh', '-c', 'while true; do cat /etc/hostname > /dev/null; sleep 0.1; done'] as const;
  await runPods(testCluster, [{ name: 'busy', namespace, node: first, command: [...command] }]);
  const suspend = (name: string, value: boolean) =>
    testCluster.kubectl([
      ...['patch', resource('TraceJob'), name, '-n', namespace, '--type=merge'],
      ...['-p', JSON.stringify({ spec: { suspend: value } })],
    ]);
  for (const [startMs, pauseMs] of [
    [0, 0],
    [150, 0],
    [150, 1500],
    [300, 300],
  ] as const) {
    const wish: JobWish = {
      name: `paused-${startMs}-${pauseMs}`,
      namespace,
      trace: { openFiles: {} },
      target: { selector: { matchLabels: { app: 'busy' } } },
      duration: '3s',
      store: store.name,
    };
    await testCluster.apply(job(wish));
    await sleep(startMs);
    await suspend(wish.name, true);
    await sleep(pauseMs);
    await suspend(wish.name, false);
    const status = await ended(testCluster, wish);
    const said = `${startMs} ms, ${pauseMs} ms: ${JSON.stringify(status.conditions)}`;
    assert.equal(condition(status, 'Complete')?.status, 'True', said);
  }
});
