// The CRDs at a real API server: every invalid manifest is refused with a message that names the field and the fix; defaults, columns, explain and
// what may not change are as crds/kinds.ts says. Under a group of the test's own, so that a release's CRDs are left alone.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { loadGadgets } from '../../bpf/registry.ts';
import { crdManifests } from '../../crds/manifest.ts';
import { invalidManifests, says } from '../manifests/manifests.ts';
import { cluster } from './support/cluster.ts';

const testCluster = await cluster();
const group = `m${randomBytes(4).toString('hex')}.test`;
const ours = (text: string) => text.replaceAll('sonde.dev', group);
const crds = crdManifests(await loadGadgets()).map(({ text }) => ours(text));
const all = crds.join('---\n');

before(async () => {
  await testCluster.kubectl(['apply', '--filename', '-'], { stdin: all });
  const names = crds.map((text) => /\n {2}name: (\S+)/.exec(text)?.[1] ?? '');
  const wait = ['wait', '--for=condition=Established', '--timeout=60s'];
  await testCluster.kubectl([...wait, ...names.map((name) => `crd/${name}`)]);
});
after(() =>
  testCluster.kubectl(['delete', '--ignore-not-found', '--filename', '-'], { stdin: all, limit: 120_000 }),
);

describe('invalid manifests', { concurrency: 6 }, () => {
  for (const { name, text, apiServer } of invalidManifests())
    test(`${name} is refused by the API server`, async () => {
      const create = ['create', '--dry-run=server', '--filename', '-'];
      const { code, stderr } = await testCluster.tryKubectl(create, { stdin: ours(text) });
      assert.notEqual(code, 0);
      assert.ok(says(stderr, apiServer), `expected: ${apiServer}\nsaid: ${stderr}`);
    });
});

const job = (spec: object, name = 'checkout-cpu') => ({
  apiVersion: `${group}/v1alpha1`,
  kind: 'TraceJob',
  metadata: { name },
  spec: { trace: { cpuProfile: {} }, ...spec },
});
const resource = `tracejobs.${group}`;

test('the API server fills in what a job leaves out', async (t) => {
  const namespace = await testCluster.namespace(t);
  await testCluster.apply(job({}), namespace);
  const made = await testCluster.get<{ spec: object }>(resource, 'checkout-cpu', namespace);
  assert.deepEqual(made?.spec, {
    trace: { cpuProfile: { frequencyHz: 99, stacks: 'All', byThread: false, maxStacks: 8192 } },
    target: {},
    duration: '60s',
    budget: {},
    redact: 'Secrets',
    store: { name: 'default' },
    suspend: false,
  });
});

test('a job can not be changed, but for being suspended and deleted later', async (t) => {
  const namespace = await testCluster.namespace(t);
  await testCluster.apply(job({}), namespace);
  const changes: [string, object][] = [
    ['spec.trace', { trace: { cpuProfile: null, openFiles: {} } }],
    ['spec.trace', { trace: { cpuProfile: { frequencyHz: 49 } } }],
    ['spec.target', { target: { maxPods: 3 } }],
    ['spec.duration', { duration: '10s' }],
    ['spec.budget', { budget: { cpu: '20m' } }],
    ['spec.redact', { redact: 'All' }],
    ['spec.store', { store: { name: 'other' } }],
  ];
  for (const [field, spec] of changes) {
    const { code, stderr } = await patch(namespace, { spec });
    assert.notEqual(code, 0, field);
    assert.match(
      stderr,
      new RegExp(`${field}: Forbidden: can't change, since the job may have begun; delete`),
    );
  }
  assert.equal((await patch(namespace, { spec: { suspend: true } })).code, 0);
  assert.equal((await patch(namespace, { spec: { ttlSecondsAfterFinished: 60 } })).code, 0);
});

test('a suspended job may be changed until its first start, and never after', async (t) => {
  const namespace = await testCluster.namespace(t);
  await testCluster.apply(job({ suspend: true }), namespace);
  const change = { spec: { duration: '10s', trace: { cpuProfile: null, openFiles: {} }, suspend: false } };
  assert.equal((await patch(namespace, change)).code, 0);
  assert.equal((await patch(namespace, { spec: { suspend: true } })).code, 0);
  const started = { status: { startTime: '2026-01-01T00:00:00Z' } };
  assert.equal((await patch(namespace, started, ['--subresource', 'status'])).code, 0);
  assert.match((await patch(namespace, { spec: { duration: '20s' } })).stderr, /spec\.duration: Forbidden/);
});

test("an artifact's question can not be changed", async (t) => {
  const namespace = await testCluster.namespace(t);
  const spec = { job: { name: 'checkout-cpu' }, file: 'result.json' };
  const kind = 'TraceArtifact';
  await testCluster.apply(
    { apiVersion: `${group}/v1alpha1`, kind, metadata: { name: 'a' }, spec },
    namespace,
  );
  const target = [`traceartifacts.${group}`, 'a', '--namespace', namespace, '--type', 'merge'];
  const body = JSON.stringify({ spec: { file: 'report.html' } });
  const { stderr } = await testCluster.tryKubectl(['patch', ...target, '--patch', body]);
  assert.match(stderr, /spec: Forbidden: can't change; create another object/);
});

test('kubectl get shows a job in one line, and what it lost with -o wide', async (t) => {
  const namespace = await testCluster.namespace(t);
  await testCluster.apply(job({}), namespace);
  const status = {
    trace: 'cpu-profile',
    phase: 'Succeeded',
    pods: { traced: 3 },
    nodes: { matched: 2 },
    headline: '41% of CPU in json.Unmarshal',
    events: { lost: 7 },
  };
  await patch(namespace, { status }, ['--subresource', 'status']);
  const get = ['get', resource, '--namespace', namespace];
  const [head = '', row = ''] = (await testCluster.kubectl(get)).split('\n');
  assert.deepEqual(head.trim().split(/ {2,}/), [
    'NAME',
    'TRACE',
    'PHASE',
    'PODS',
    'NODES',
    'HEADLINE',
    'AGE',
  ]);
  assert.match(row, /^checkout-cpu +cpu-profile +Succeeded +3 +2 +41% of CPU in json\.Unmarshal +\d+s/);
  const wide = await testCluster.kubectl([...get, '--output', 'wide']);
  assert.match(wide, /HEADLINE +LOST +AGE\s+checkout-cpu .* 7 +\d+s/);
});

test('kubectl explain has a text for every field', async () => {
  for (const kind of ['tracejobs', 'clustertracestores', 'traceartifacts']) {
    const explain = ['explain', `${kind}.spec`, '--api-version', `${group}/v1alpha1`, '--recursive=false'];
    const text = await testCluster.kubectl(explain);
    const fields = text.slice(text.indexOf('FIELDS:')).split(/\n\n/).slice(0, -1);
    assert.ok(fields.length >= 2, text);
    for (const field of fields) assert.doesNotMatch(field, /<no description>/);
  }
});

function patch(namespace: string, body: object, more: string[] = []) {
  const target = [resource, 'checkout-cpu', '--namespace', namespace, '--type', 'merge'];
  return testCluster.tryKubectl(['patch', ...target, ...more, '--patch', JSON.stringify(body)]);
}
