// Which pods a job traces, on which nodes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadGadget } from '../bpf/registry.ts';
import type { TraceJobStatus } from '../crds/status.ts';
import { assignerOf } from './assign.ts';
import { type Cluster, emptyCluster, type JobObject, type PodObject } from './cluster.ts';
import { openLedger } from './ledger.ts';
import { matches, observe, sampleOf } from './observe.ts';
import type { Observed } from './observed.ts';

const gadget = await loadGadget('syscall-counts');
const assign = assignerOf([gadget, { ...gadget, name: 'packets', subject: 'netns', aliases: [] }]);

function pod(name: string, change: Partial<PodObject> = {}): PodObject {
  return {
    uid: `uid-${name}`,
    name,
    namespace: 'shop',
    labels: { app: 'api' },
    node: 'node-1',
    ended: false,
    hostNetwork: false,
    hostPid: false,
    scheduledAt: 5,
    containers: [{ name: 'api', id: `c-${name}` }],
    ...change,
  };
}

function job(
  target: unknown,
  change: { kind?: JobObject['kind']; trace?: object; spec?: object } = {},
): JobObject {
  const { kind = 'TraceJob', trace = { syscallCounts: {} }, spec } = change;
  const metadata = { name: 'job', uid: 'u1', generation: 1, finalizers: [], resourceVersion: '1' };
  return {
    kind,
    metadata: kind === 'TraceJob' ? { ...metadata, namespace: 'shop' } : metadata,
    spec: spec ?? { trace, target },
    status: {},
  };
}

function clusterOf(...pods: PodObject[]): Cluster {
  const cluster = emptyCluster();
  cluster.putNode({ name: 'node-1', labels: { pool: 'blue' }, arch: 'x86' });
  cluster.putNode({ name: 'node-2', labels: {}, arch: 'arm64' });
  cluster.setAgents(new Map([['node-1', '10.0.0.1:7443']]));
  for (const each of pods) cluster.putPod(each);
  return cluster;
}

function look(
  cluster: Cluster,
  object: JobObject,
  excluded: string[] = [],
  ledger = openLedger({}, false, 0),
): Observed {
  const options = { assign, excluded: new Set(excluded), stopEverything: false, swept: true };
  return observe(cluster, object, ledger, options, 1000);
}

const names = ({ nodes }: Observed) =>
  nodes.flatMap(({ name, pods }) => pods.map((each) => `${name}/${each.name}`)).sort();
const everything = { selector: {} };

test('a job sees pods of its own namespace, whatever its selector says', () => {
  const cluster = clusterOf(pod('a'), pod('b', { namespace: 'bank' }), pod('c', { node: 'node-2' }));
  assert.deepEqual(names(look(cluster, job(everything))), ['node-1/a', 'node-2/c']);
  assert.deepEqual(names(look(cluster, job({}))), ['node-1/a', 'node-2/c']);
  assert.deepEqual(names(look(cluster, job(everything, { kind: 'ClusterTraceJob' }))), [
    'node-1/a',
    'node-1/b',
    'node-2/c',
  ]);
});

test('namespaces that are excluded or denied are traced by no job', () => {
  const cluster = clusterOf(pod('a'), pod('b', { namespace: 'bank' }), pod('c', { namespace: 'vault' }));
  cluster.setDenied('vault', true);
  assert.deepEqual(names(look(cluster, job(everything, { kind: 'ClusterTraceJob' }), ['bank'])), [
    'node-1/a',
  ]);
  assert.equal(look(cluster, job(everything), ['shop']).namespace, 'Excluded');
  cluster.setDenied('shop', true);
  assert.equal(look(cluster, job(everything)).namespace, 'Denied');
});

test('a namespace that is denied while a ClusterTraceJob traces it ends that job', () => {
  const cluster = clusterOf(pod('a'), pod('b', { namespace: 'bank' }));
  const ledger = openLedger({}, false, 0);
  const object = job(everything, { kind: 'ClusterTraceJob' });
  assert.equal(look(cluster, object, [], ledger).namespace, 'Allowed');
  cluster.setDenied('bank', true);
  assert.equal(look(cluster, object, [], ledger).namespace, 'Denied');
});

test('pods are selected by labels, expressions and the labels of their nodes', () => {
  const cluster = clusterOf(
    pod('a'),
    pod('b', { labels: { app: 'web', tier: '1' } }),
    pod('c', { node: 'node-2' }),
  );
  assert.deepEqual(names(look(cluster, job({ selector: { matchLabels: { app: 'web' } } }))), ['node-1/b']);
  assert.deepEqual(names(look(cluster, job({ nodes: { matchLabels: { pool: 'blue' } } }))), [
    'node-1/a',
    'node-1/b',
  ]);
});

test('selectors mean what Kubernetes means', () => {
  const labels = { app: 'api', tier: '1' };
  const expression = (key: string, operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', values?: string[]) =>
    matches({ matchExpressions: [{ key, operator, ...(values ? { values } : {}) }] }, labels);
  assert.equal(expression('app', 'In', ['api', 'web']), true);
  assert.equal(expression('app', 'In', ['web']), false);
  assert.equal(expression('none', 'In', ['web']), false);
  assert.equal(expression('app', 'NotIn', ['web']), true);
  assert.equal(expression('none', 'NotIn', ['web']), true);
  assert.equal(expression('app', 'Exists'), true);
  assert.equal(expression('none', 'DoesNotExist'), true);
  assert.equal(expression('constructor', 'Exists'), false);
  assert.equal(matches(undefined, labels), true);
});

test("pods that share the node's processes are not a namespaced job's to see; the network's only where packets are taken", () => {
  const cluster = clusterOf(pod('a', { hostPid: true }), pod('b', { hostNetwork: true }), pod('c'));
  const seen = look(cluster, job(everything));
  assert.deepEqual(names(seen), ['node-1/b', 'node-1/c']);
  assert.equal(seen.pods.notAllowed, 1);
  assert.deepEqual(names(look(cluster, job(everything, { trace: { packets: {} } }))), ['node-1/c']);
  assert.equal(names(look(cluster, job(everything, { kind: 'ClusterTraceJob' }))).length, 3);
});

test('pods that are not scheduled yet, or had ended before the job, are no targets', () => {
  const { node: _, ...unscheduled } = pod('a');
  assert.deepEqual(names(look(clusterOf(unscheduled, pod('b', { ended: true })), job(everything))), []);
});

test('a pod that ends or goes while it is traced keeps its names in the target', () => {
  const cluster = clusterOf(pod('a'));
  const ledger = openLedger({}, false, 0);
  look(cluster, job(everything), [], ledger);
  cluster.putPod(pod('a', { ended: true, containers: [{ name: 'api', id: 'c-2' }] }));
  const [node] = look(cluster, job(everything), [], ledger).nodes;
  assert.deepEqual(node?.pods[0]?.containers, [
    { name: 'api', id: 'c-a' },
    { name: 'api', id: 'c-2' },
  ]);
  cluster.removePod(pod('a'));
  assert.deepEqual(names(look(cluster, job(everything), [], ledger)), ['node-1/a']);
});

test('the digest of a node changes with its pods, and only with them', () => {
  const cluster = clusterOf(pod('a'), pod('b', { node: 'node-2' }));
  const ledger = openLedger({}, false, 0);
  const digests = () => look(cluster, job(everything), [], ledger).nodes.map(({ digest }) => digest);
  const before = digests();
  cluster.putPod(pod('b', { node: 'node-2', labels: { app: 'api', more: 'x' } }));
  assert.deepEqual(digests(), before);
  cluster.putPod(pod('c', { node: 'node-2' }));
  const after = digests();
  assert.equal(after[0], before[0]);
  assert.notEqual(after[1], before[1]);
});

test('a sample stays as it is while its pods are there, and has no order of its own', () => {
  const pods = Array.from({ length: 100 }, (_, i) => pod(`api-${i}`));
  const first = sampleOf(pods, 10, new Map());
  assert.equal(first.length, 10);
  assert.deepEqual(
    sampleOf(pods.toReversed(), 10, new Map())
      .map(({ name }) => name)
      .sort(),
    first.map(({ name }) => name).sort(),
  );
  assert.notDeepEqual(
    first.map(({ name }) => name).sort(),
    pods
      .slice(0, 10)
      .map(({ name }) => name)
      .sort(),
  );
  const chosen = new Map(first.map(({ uid }) => [uid, true]));
  const more = [...pods, ...Array.from({ length: 100 }, (_, i) => pod(`new-${i}`))];
  assert.deepEqual(new Set(sampleOf(more, 10, chosen)), new Set(first));
  assert.equal(sampleOf(more.slice(1), 10, chosen).length, 10);
});

test('containers are told only where the job names some', () => {
  const cluster = clusterOf(pod('a'));
  assert.deepEqual(look(cluster, job({ containers: ['api'] })).nodes[0]?.pods[0]?.only, ['api']);
  assert.equal(look(cluster, job({})).nodes[0]?.pods[0]?.only, undefined);
});

test('a spec that the API server let through is read again', () => {
  const wrong = (spec: object) => {
    const { job: seen } = look(clusterOf(), job({}, { spec }));
    return 'refusal' in seen.spec ? seen.spec.refusal : undefined;
  };
  assert.equal(wrong({ trace: { noSuch: {} } })?.reason, 'UnknownGadget');
  assert.equal(wrong({ trace: { syscallCounts: { oops: 1 } } })?.reason, 'InvalidSpec');
  assert.match(wrong({ trace: { syscallCounts: {} }, duration: '5' })?.message ?? '', /^spec\.duration: /);
  assert.equal(wrong({})?.reason, 'InvalidSpec');
  assert.equal(wrong({ trace: { syscallCounts: {} } }), undefined);
});

test('what another operator had started is remembered as inherited', () => {
  const status: TraceJobStatus = { startTime: '2030-01-01T00:00:00Z', nodes: { matched: 3 } };
  assert.equal(openLedger(status, true, 0).inherited, 3);
  assert.equal(openLedger({}, true, 0).inherited, undefined);
});
