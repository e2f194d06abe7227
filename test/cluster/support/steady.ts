// A job over pods that open files at a steady pace on both nodes, in lives of known size: what a fault made it lose or count twice can be told.
// Neighbours: faults.ts (the faults), jobs.ts.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { TraceJobStatus } from '../../../crds/status.ts';
import type { TestCluster } from './cluster.ts';
import { attached, eventRows, type JobWish, job, type TestStore, tally, testStore } from './jobs.ts';
import { runPods } from './workloads.ts';

/** 200 opens a second on each of two nodes, in processes that make 40 each. */
const steady = [
  'sh',
  '-c',
  'touch /tmp/there; while true; do /workloads/opens 40 10 /tmp/there /tmp/missing; sleep 0.2; done',
] as [string, ...string[]];

export interface Steady {
  wish: JobWish;
  store: TestStore;
  namespace: string;
}

/** Pods `one` on the first node and `two` on the second, and a job that is attached to them. */
export async function steadyJob(cluster: TestCluster, t: TestContext, duration: string): Promise<Steady> {
  const [first = '', second = ''] = cluster.nodes;
  const store = await testStore(cluster, t);
  const namespace = await cluster.namespace(t);
  await runPods(cluster, [
    { name: 'one', namespace, node: first, command: steady, labels: { app: 'steady' } },
    { name: 'two', namespace, node: second, command: steady, labels: { app: 'steady' } },
  ]);
  const wish: JobWish = {
    name: 'steady',
    namespace,
    trace: { openFiles: {} },
    target: { selector: { matchLabels: { app: 'steady' } } },
    duration,
    store: store.name,
  };
  await cluster.apply(job(wish));
  await attached(cluster, wish);
  return { wish, store, namespace };
}

/** Probes are detached one after the other, which takes the kernel its grace periods: what begins then is seen in part. */
const detachingMs = 2_000;

/** Every process of the workload makes 40 opens: those that began and ended within the job have all of them, once. Gives how many lives each pod had. */
export async function assertWhole(
  { store }: Steady,
  status: TraceJobStatus,
  pods: string[],
): Promise<Record<string, number>> {
  assert.equal(status.phase, 'Succeeded', JSON.stringify(status.conditions));
  const rows = (await eventRows(store, status)).filter(({ process }) => process === 'opens');
  const counts: Record<string, number> = {};
  for (const pod of pods) {
    const own = rows.filter((row) => row.pod === pod);
    const until = Math.max(...own.map(({ time }) => Date.parse(`${time}`))) - detachingMs;
    const begun = new Set(own.filter(({ time }) => Date.parse(`${time}`) < until).map(({ pid }) => `${pid}`));
    const lives = Object.entries(tally(own, ({ pid }) => `${pid}`)).filter(([pid]) => begun.has(pid));
    counts[pod] = lives.length;
    assert.ok(lives.length > 10, `${pod}: ${lives.length} processes`);
    // The first may have been under way when the job began, one more when detaching did.
    const partial = lives.filter(([, count]) => count !== 40);
    assert.ok(partial.length <= 2, `${pod}: ${JSON.stringify(partial)}`);
    assert.ok(
      lives.every(([, count]) => count <= 40),
      'nothing is counted twice',
    );
  }
  return counts;
}
