// What is traced on two nodes is one exact result: the sum of known workloads, from their first instruction on, and nobody else's work.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cluster, type TestCluster } from './support/cluster.ts';
import { attached, ended, eventRows, type JobWish, job, tally, testStore, until } from './support/jobs.ts';
import { sonde } from './support/sonde.ts';
import { type PodWish, pod } from './support/workloads.ts';

const testCluster = await cluster();
await sonde(testCluster);
const [first = '', second = ''] = testCluster.nodes;

/** Opens a file so often, of which some fail, and stays. */
function opens(
  name: string,
  namespace: string,
  node: string,
  counts: [number, number],
  app: string,
): PodWish {
  const line = `touch /tmp/there && /workloads/opens ${counts.join(' ')} /tmp/there /tmp/missing && exec sleep infinity`;
  return { name, namespace, node, labels: { app }, command: ['sh', '-c', line] };
}

async function waitsForPods(cluster: TestCluster, wish: JobWish): Promise<void> {
  await until(cluster, wish, 'waits for pods', 30_000, (status) =>
    (status.conditions ?? []).some(({ reason }) => reason === 'NoPodsYet'),
  );
}

test('opens of pods on two nodes, made after the job, are rows one by one; neighbours are in none', async (t) => {
  const store = await testStore(testCluster, t);
  const namespace = await testCluster.namespace(t);
  const other = await testCluster.namespace(t);
  const wish: JobWish = {
    name: 'opens',
    namespace,
    trace: { openFiles: {} },
    target: { selector: { matchLabels: { app: 'checkout' } } },
    duration: '25s',
    store: store.name,
  };
  await testCluster.apply(job(wish));
  await waitsForPods(testCluster, wish);
  await testCluster.apply([
    pod(testCluster, opens('one', namespace, first, [4000, 1000], 'checkout')),
    pod(testCluster, opens('two', namespace, second, [2000, 500], 'checkout')),
    pod(testCluster, opens('neighbour', namespace, first, [3000, 300], 'billing')),
    pod(testCluster, opens('stranger', other, second, [3000, 300], 'checkout')),
  ]);
  const status = await ended(testCluster, wish);
  assert.equal(status.phase, 'Succeeded', JSON.stringify(status.conditions));
  assert.deepEqual(status.nodes, { matched: 2, running: 0, succeeded: 2, failed: 0 });
  assert.deepEqual(status.pods, { matched: 2, traced: 2 });
  assert.equal(status.events?.lost, 0);
  const rows = await eventRows(store, status);
  const ours = rows.filter(({ process }) => process === 'opens');
  assert.deepEqual(
    tally(ours, ({ node, namespace: space, pod: name, container, errno }) =>
      [node, space, name, container, errno].join(' '),
    ),
    {
      [`${first} ${namespace} one main `]: 3000,
      [`${first} ${namespace} one main ENOENT`]: 1000,
      [`${second} ${namespace} two main `]: 1500,
      [`${second} ${namespace} two main ENOENT`]: 500,
    },
  );
  assert.deepEqual(Object.keys(tally(rows, (row) => `${row.namespace}/${row.pod}/${row.container}`)).sort(), [
    `${namespace}/one/main`,
    `${namespace}/two/main`,
  ]);
  const times = rows.map(({ time }) => String(time));
  assert.deepEqual(times, times.toSorted(), 'merged by time');
});

test('counts of system calls on two nodes add up row by row', async (t) => {
  const store = await testStore(testCluster, t);
  const namespace = await testCluster.namespace(t);
  const wish: JobWish = {
    name: 'calls',
    namespace,
    trace: { syscallCounts: { byProcess: true } },
    target: { selector: { matchLabels: { app: 'checkout' } } },
    duration: '25s',
    store: store.name,
  };
  await testCluster.apply(job(wish));
  await waitsForPods(testCluster, wish);
  await testCluster.apply([
    pod(testCluster, opens('one', namespace, first, [4000, 0], 'checkout')),
    pod(testCluster, opens('two', namespace, second, [2000, 0], 'checkout')),
  ]);
  const status = await ended(testCluster, wish);
  assert.equal(status.phase, 'Succeeded', JSON.stringify(status.conditions));
  const { data } = JSON.parse(await store.read(status, 'result.json'));
  const counts: Record<string, number> = {};
  for (const row of data.rows as Record<string, string | number>[]) {
    if (row.process !== 'opens' || !['open', 'openat', 'openat2', 'creat'].includes(String(row.syscall)))
      continue;
    counts[`${row.pod} ${row.syscall}`] = Number(row.calls);
  }
  assert.deepEqual(counts, {
    ...{ 'one open': 1000, 'one creat': 1000, 'one openat2': 1000, 'one openat': 1000 },
    ...{ 'two open': 500, 'two creat': 500, 'two openat2': 500, 'two openat': 500 },
  });
});

test('a container that runs for an instant and fails, again and again, is traced whole each time', async (t) => {
  const store = await testStore(testCluster, t);
  const namespace = await testCluster.namespace(t);
  const wish: JobWish = {
    name: 'crashes',
    namespace,
    trace: { openFiles: {} },
    target: { selector: { matchLabels: { app: 'crashes' } } },
    duration: '45s',
    store: store.name,
  };
  await testCluster.apply(job(wish));
  const line = 'touch /tmp/there && /workloads/opens 40 10 /tmp/there /tmp/missing; exit 1';
  await testCluster.apply(
    pod(testCluster, {
      name: 'crashes',
      namespace,
      node: first,
      labels: { app: 'crashes' },
      command: ['sh', '-c', line],
    }),
  );
  const status = await ended(testCluster, wish);
  assert.equal(status.phase, 'Succeeded', JSON.stringify(status.conditions));
  const found = await testCluster.get<{ status: { containerStatuses: { restartCount: number }[] } }>(
    'pod',
    'crashes',
    namespace,
  );
  const restarts = found?.status.containerStatuses[0]?.restartCount ?? 0;
  const rows = (await eventRows(store, status)).filter(({ process }) => process === 'opens');
  assert.deepEqual(Object.keys(tally(rows, ({ container }) => `${container}`)), ['main']);
  const lives = Object.values(tally(rows, ({ pid }) => `${pid}`));
  assert.deepEqual(new Set(lives), new Set([40]), `each of ${lives.length} lives is whole`);
  assert.ok(lives.length >= 2, `it ran ${lives.length} times`);
  assert.ok(Math.abs(lives.length - 1 - restarts) <= 1, `${lives.length} lives, ${restarts} restarts`);
});

test('probes are attached on both nodes soon after the job was applied', async (t) => {
  const store = await testStore(testCluster, t);
  const namespace = await testCluster.namespace(t);
  await testCluster.apply([
    pod(testCluster, {
      name: 'one',
      namespace,
      node: first,
      command: ['sleep', 'infinity'],
      labels: { app: 'idle' },
    }),
    pod(testCluster, {
      name: 'two',
      namespace,
      node: second,
      command: ['sleep', 'infinity'],
      labels: { app: 'idle' },
    }),
  ]);
  await testCluster.kubectl([
    'wait',
    '-n',
    namespace,
    '--for=condition=Ready',
    'pod/one',
    'pod/two',
    '--timeout=60s',
  ]);
  const delays: number[] = [];
  for (const round of [1, 2, 3, 4, 5]) {
    const wish: JobWish = {
      name: `idle-${round}`,
      namespace,
      trace: { openFiles: {} },
      target: { selector: { matchLabels: { app: 'idle' } } },
      duration: '2s',
      store: store.name,
    };
    await testCluster.apply(job(wish));
    const applied = Date.now();
    await attached(testCluster, wish);
    const status = await ended(testCluster, wish);
    // Both clocks are this machine's where the cluster is our own.
    delays.push(
      Date.parse(status.conditions?.find(({ type }) => type === 'Attached')?.lastTransitionTime ?? '') -
        applied,
    );
  }
  t.diagnostic(`from apply to attached, by the condition's whole seconds: ${delays.join(', ')} ms`);
  // The stamp leaves out what is beyond a whole second: where even that is later than a second, so is what it stands for.
  const [, , median = Number.NaN] = delays.toSorted((x, y) => x - y);
  assert.ok(median <= 1000, `${delays.join(', ')} ms`);
});
