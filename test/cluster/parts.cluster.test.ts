// Large events go from their nodes into the bucket as they are: put by the agents to signed URLs, or through the operator from a node that can't reach it.
// The chart with a low limit, so that a few megabytes are large. Neighbours: operator/deliver.ts, agent/run-files.ts.

import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { cluster } from './support/cluster.ts';
import { blockTraffic } from './support/faults.ts';
import {
  ended,
  eventRows,
  type JobWish,
  job,
  type TestStore,
  tally,
  testStore,
  until,
} from './support/jobs.ts';
import { podOf, sonde, sondeNamespace } from './support/sonde.ts';
import { pod } from './support/workloads.ts';

const testCluster = await cluster();
await sonde(testCluster, { 'operator.partsAbove': '512Ki' });
after(() => sonde(testCluster));
const [first = '', second = ''] = testCluster.nodes;

/** More than one part of 8 MiB from the first node. */
const counts = { one: [60_000, 15_000], two: [8_000, 2_000] } as const;

interface Traced {
  store: TestStore;
  status: Awaited<ReturnType<typeof ended>>;
}

async function trace(t: TestContext): Promise<Traced> {
  const store = await testStore(testCluster, t);
  const namespace = await testCluster.namespace(t);
  const wish: JobWish = {
    name: 'large',
    namespace,
    trace: { openFiles: {} },
    target: { selector: { matchLabels: { app: 'large' } } },
    duration: '25s',
    store: store.name,
  };
  await testCluster.apply(job(wish));
  await until(testCluster, wish, 'waits for pods', 30_000, (status) =>
    (status.conditions ?? []).some(({ reason }) => reason === 'NoPodsYet'),
  );
  const opens = (name: 'one' | 'two', node: string) => {
    const line = `touch /tmp/there && /workloads/opens ${counts[name].join(' ')} /tmp/there /tmp/missing && exec sleep infinity`;
    return pod(testCluster, { name, namespace, node, labels: { app: 'large' }, command: ['sh', '-c', line] });
  };
  await testCluster.apply([opens('one', first), opens('two', second)]);
  const status = await ended(testCluster, wish);
  assert.equal(status.phase, 'Succeeded', JSON.stringify(status.conditions));
  return { store, status };
}

/** Every event of both nodes is in their files, once; the merged one begins as they do. */
async function assertWhole({ store, status }: Traced): Promise<void> {
  for (const [name, node] of [
    ['one', first],
    ['two', second],
  ] as const) {
    const rows = (await eventRows(store, status, `events.${node}.jsonl`)).filter(
      ({ process }) => process === 'opens',
    );
    const [total, failing] = counts[name];
    const found = tally(rows, (row) => [row.node, row.pod, row.errno].join(' '));
    assert.deepEqual(found, {
      [`${node} ${name} `]: total - failing,
      [`${node} ${name} ENOENT`]: failing,
    });
    const artifact = status.artifacts?.find((each) => each.name === `events.${node}.jsonl`);
    assert.ok((artifact?.bytes ?? 0) > (name === 'one' ? 8 << 20 : 512 << 10), `${artifact?.bytes} bytes`);
  }
  const merged = status.artifacts?.find(({ name }) => name === 'events.jsonl');
  assert.ok((merged?.bytes ?? 0) <= 2 * 512 * 1024, `${merged?.bytes} bytes were merged`);
  const { warnings } = JSON.parse(await store.read(status, 'result.json'));
  assert.equal(warnings.filter(({ reason }: { reason: string }) => reason === 'InParts').length, 2);
  assert.ok((status.events?.recorded ?? 0) >= 68_000, JSON.stringify(status.events));
}

async function operatorLog(since: string): Promise<string> {
  const name = await podOf(testCluster, 'operator');
  return testCluster.kubectl(['logs', name, '-n', sondeNamespace, `--since-time=${since}`]);
}

test('agents put large events into the bucket themselves', async (t) => {
  const since = new Date().toISOString();
  await assertWhole(await trace(t));
  assert.doesNotMatch(await operatorLog(since), /goes through the operator/);
});

test('a node that can not reach the bucket sends them through the operator', {
  skip: testCluster.own ? false : 'the cluster is not our own',
}, async (t) => {
  const since = new Date().toISOString();
  const agent = { namespace: sondeNamespace, pod: await podOf(testCluster, 'agent', second) };
  const unblock = await blockTraffic(testCluster, agent, testCluster.s3.endpoint);
  t.after(unblock);
  const traced = await trace(t);
  await assertWhole(traced);
  const through = (await operatorLog(since))
    .split('\n')
    .filter((line) => /goes through the operator/.test(line));
  assert.deepEqual(
    through.map((line) => JSON.parse(line).node),
    [second],
  );
});
