// Valid jobs that can't run: each ends Failed, or Degraded with what there is, and says why by a reason of the closed list, a sentence with what to do, and an
// Event. Neighbours: operator/reasons.ts (the list), test/manifests/invalid (jobs that are not valid).

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { reasonKinds } from '../../operator/reasons.ts';
import { cluster } from './support/cluster.ts';
import { mountOver } from './support/faults.ts';
import {
  attached,
  condition,
  ended,
  eventsOf,
  type JobWish,
  job,
  type TestStore,
  testStore,
  until,
} from './support/jobs.ts';
import { podOf, sonde, sondeNamespace } from './support/sonde.ts';
import { processOf, runPods } from './support/workloads.ts';

const testCluster = await cluster();
await sonde(testCluster);
const [first = '', second = ''] = testCluster.nodes;
const own = { skip: testCluster.own ? false : 'the cluster is not our own' };
const busy = [
  'sh',
  '-c',
  'touch /tmp/there; while true; do /workloads/opens 40 10 /tmp/there /tmp/missing; sleep 0.2; done',
] as [string, ...string[]];

interface Place {
  namespace: string;
  wish: JobWish;
}

/** Pods on these nodes, and a job for them that is not applied yet. */
async function place(
  t: TestContext,
  nodes: string[],
  change: Partial<JobWish> & { store: string },
): Promise<Place> {
  const namespace = await testCluster.namespace(t);
  const pods = nodes.map((node) => ({
    ...{ name: `busy-${node}`, namespace, node, command: busy, labels: { app: 'busy' } },
  }));
  await runPods(testCluster, pods);
  const wish: JobWish = {
    name: 'refused',
    namespace,
    trace: { openFiles: {} },
    target: { selector: { matchLabels: { app: 'busy' } } },
    duration: '4s',
    ...change,
  };
  return { namespace, wish };
}

type Status = Awaited<ReturnType<typeof ended>>;

/** What users see of it: condition and Event with the reason, and words that are more than the reason. */
async function assertSaid(
  wish: JobWish,
  status: Status,
  type: 'Failed' | 'Degraded',
  reason: keyof typeof reasonKinds,
  words: RegExp,
): Promise<void> {
  const found = condition(status, type);
  assert.equal(found?.status, 'True', JSON.stringify(status));
  assert.equal(found?.reason, reason, JSON.stringify(status.conditions));
  assert.match(found?.message ?? '', words);
  assert.ok(reasonKinds[reason].advice, 'the page of errors says what to do');
  const events = await testCluster.waitFor('an Event says it', async () => {
    const all = await eventsOf(testCluster, wish);
    return all.includes(`Warning ${reason}`) ? all : undefined;
  });
  assert.ok(events.length > 0);
}

/** A store whose Secret has a key that the server does not know. */
async function storeWithWrongKey(t: TestContext): Promise<TestStore> {
  const store = await testStore(testCluster, t);
  await testCluster.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `${store.bucket}-keys`, namespace: sondeNamespace },
    stringData: { accessKeyId: testCluster.s3.accessKeyId, secretAccessKey: 'not-the-key-1234' },
  });
  return store;
}

test('a bucket that refuses the key: Failed, StoreDenied, without the key', async (t) => {
  const store = await storeWithWrongKey(t);
  const { wish } = await place(t, [first], { store: store.name });
  await testCluster.apply(job(wish));
  const status = await ended(testCluster, wish);
  await assertSaid(wish, status, 'Failed', 'StoreDenied', /can't .*s3:.*credentialsSecret/);
  assert.doesNotMatch(JSON.stringify(status), /not-the-key/);
});

test('a store that nobody made: Failed, StoreMissing', async (t) => {
  const { wish } = await place(t, [first], { store: 'nobody-made-it' });
  await testCluster.apply(job(wish));
  const status = await ended(testCluster, wish);
  await assertSaid(wish, status, 'Failed', 'StoreMissing', /nobody-made-it; create one, or name another/);
});

test('a store that does not answer: the job says so while it tries again', async (t) => {
  const name = `down-${Date.now().toString(36)}`;
  const keys = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: sondeNamespace } };
  await testCluster.apply([
    { ...keys, stringData: { accessKeyId: 'nobody', secretAccessKey: 'nobody-at-all' } },
    {
      apiVersion: 'sonde.dev/v1alpha1',
      kind: 'ClusterTraceStore',
      metadata: { name },
      spec: {
        // Nothing listens there.
        s3: { bucket: 'away', endpoint: 'http://127.0.0.1:9', credentialsSecret: { name } },
      },
    },
  ]);
  t.after(() => testCluster.kubectl(['delete', 'clustertracestores.sonde.dev', name]));
  t.after(() => testCluster.kubectl(['delete', 'secret', name, '-n', sondeNamespace]));
  const { wish } = await place(t, [first], { store: name });
  await testCluster.apply(job(wish));
  const status = await until(
    testCluster,
    wish,
    'waits for its store',
    60_000,
    (now) => condition(now, 'Complete')?.reason === 'StoreUnreachable',
  );
  assert.equal(status.phase, 'Collecting');
  assert.match(condition(status, 'Complete')?.message ?? '', /ECONNREFUSED/);
});

test('no agent on a node: Degraded with the other node, Failed without one', own, async (t) => {
  const daemonSet = ['-n', sondeNamespace, 'daemonset', 'sonde-agent', '--type=json', '-p'];
  const selector = '/spec/template/spec/nodeSelector/kubernetes.io~1hostname';
  const store = await testStore(testCluster, t);
  await testCluster.kubectl([
    ...['patch', ...daemonSet, JSON.stringify([{ op: 'add', path: selector, value: first }])],
  ]);
  t.after(async () => {
    await testCluster.kubectl([
      ...['patch', ...daemonSet, JSON.stringify([{ op: 'remove', path: selector }])],
    ]);
    await testCluster.kubectl(
      [...['rollout', 'status', 'daemonset/sonde-agent', '-n', sondeNamespace, '--timeout=90s']],
      { limit: 100_000 },
    );
  });
  await testCluster.waitFor('no agent is on the second node', async () =>
    podOf(testCluster, 'agent', second).then(
      () => undefined,
      () => true,
    ),
  );
  const both = await place(t, [first, second], { store: store.name, duration: '10s' });
  const none = await place(t, [second], { store: store.name, duration: '5s' });
  await testCluster.apply([job(both.wish), job(none.wish)]);
  const failed = await ended(testCluster, none.wish);
  await assertSaid(none.wish, failed, 'Failed', 'NoAgentOnNode', new RegExp(`${second}: no agent is ready`));
  const degraded = await ended(testCluster, both.wish);
  assert.equal(degraded.phase, 'Succeeded', JSON.stringify(degraded.conditions));
  assert.deepEqual(degraded.nodes, { matched: 2, running: 0, succeeded: 1, failed: 1 });
  await assertSaid(both.wish, degraded, 'Degraded', 'NoAgentOnNode', new RegExp(second));
});

test("the operator's scratch disk full: Failed, ScratchFull", own, async (t) => {
  const operator = { namespace: sondeNamespace, pod: await podOf(testCluster, 'operator') };
  const store = await testStore(testCluster, t);
  const { wish } = await place(t, [first], { store: store.name, duration: '8s' });
  await testCluster.apply(job(wish));
  await attached(testCluster, wish);
  const small = ['-t', 'tmpfs', '-o', 'size=64k,uid=65532,mode=700', 'tmpfs'];
  const restore = await mountOver(testCluster, operator, small, '/var/lib/sonde/scratch');
  t.after(restore);
  const status = await ended(testCluster, wish);
  await assertSaid(wish, status, 'Failed', 'ScratchFull', /scratch volume is full/);
});

test(
  "a node's disk full: Degraded, SpoolFailed, with what was written and the other node's all",
  own,
  async (t) => {
    const agent = { namespace: sondeNamespace, pod: await podOf(testCluster, 'agent', second) };
    const store = await testStore(testCluster, t);
    const { wish } = await place(t, [first, second], { store: store.name, duration: '12s' });
    const small = ['-t', 'tmpfs', '-o', 'size=128k,mode=700', 'tmpfs'];
    const restore = await mountOver(testCluster, agent, small, '/var/lib/sonde');
    t.after(restore);
    await testCluster.apply(job(wish));
    const status = await ended(testCluster, wish);
    assert.equal(status.phase, 'Succeeded', JSON.stringify(status.conditions));
    await assertSaid(wish, status, 'Degraded', 'SpoolFailed', new RegExp(second));
  },
);

test('a kernel that lacks the hook: Failed, HookMissing, with the hook', own, async (t) => {
  const agent = { namespace: sondeNamespace, pod: await podOf(testCluster, 'agent', first) };
  const store = await testStore(testCluster, t);
  const { wish } = await place(t, [first], { store: store.name });
  const empty = ['-t', 'tmpfs', '-o', 'ro,size=4k', 'tmpfs'];
  const restore = await mountOver(testCluster, agent, empty, '/sys/kernel/tracing/events/syscalls');
  t.after(restore);
  await testCluster.apply(job(wish));
  const status = await ended(testCluster, wish);
  await assertSaid(wish, status, 'Failed', 'HookMissing', /open-files .*(syscalls|sys_)/);
});

test('a program that the verifier refuses: Failed, ProgramRejected', own, async (t) => {
  const agent = { namespace: sondeNamespace, pod: await podOf(testCluster, 'agent', first) };
  const store = await testStore(testCluster, t);
  const { wish } = await place(t, [first], { store: store.name, trace: { syscallCounts: {} } });
  const pid = await processOf(testCluster, agent);
  const object = '/opt/sonde/dist/bpf/x86/syscall-counts.bpf.o';
  const refused = readFileSync(`/proc/${pid}/root${object}`);
  loopForever(refused);
  writeFileSync(`/proc/${pid}/root/tmp/refused.o`, refused);
  const restore = await mountOver(testCluster, agent, ['--bind', '/tmp/refused.o'], object);
  t.after(restore);
  await testCluster.apply(job(wish));
  const status = await ended(testCluster, wish);
  await assertSaid(wish, status, 'Failed', 'ProgramRejected', /verifier refused syscall-counts/);
});

/** Makes every program's last instruction a jump to itself. */
function loopForever(elf: Buffer): void {
  const sections = Number(elf.readBigUInt64LE(40));
  const [size, count] = [elf.readUInt16LE(58), elf.readUInt16LE(60)];
  const executable = 4n;
  for (let index = 0; index < count; index++) {
    const at = sections + index * size;
    const offset = Number(elf.readBigUInt64LE(at + 24));
    const bytes = elf.readBigUInt64LE(at + 32);
    // .text has functions that programs call, not programs.
    if ((elf.readBigUInt64LE(at + 8) & executable) !== 0n && bytes > 0n)
      Buffer.from([0x05, 0, 0xff, 0xff, 0, 0, 0, 0]).copy(elf, offset + Number(bytes) - 8);
  }
}
