// Who may see what: a namespaced job never sees another namespace, denied ones are traced by no job, and `view` reads no artifacts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cluster } from './support/cluster.ts';
import { condition, ended, eventRows, type JobWish, job, testStore } from './support/jobs.ts';
import { sonde } from './support/sonde.ts';
import { pod, runPods } from './support/workloads.ts';

const testCluster = await cluster();
await sonde(testCluster);
const [first = ''] = testCluster.nodes;
const touches = ['sh', '-c', 'while true; do cat /tmp/nothing 2> /dev/null; sleep 0.2; done'] as [
  string,
  ...string[],
];

test('a job without a selector sees its own namespace, and no other', async (t) => {
  const store = await testStore(testCluster, t);
  const own = await testCluster.namespace(t);
  const other = await testCluster.namespace(t);
  await runPods(testCluster, [
    { name: 'own', namespace: own, node: first, command: touches },
    { name: 'other', namespace: other, node: first, command: touches },
  ]);
  const wish: JobWish = {
    name: 'all',
    namespace: own,
    trace: { openFiles: {} },
    duration: '4s',
    store: store.name,
  };
  await testCluster.apply(job(wish));
  const status = await ended(testCluster, wish);
  assert.equal(status.phase, 'Succeeded', JSON.stringify(status.conditions));
  const rows = await eventRows(store, status);
  assert.ok(rows.length > 10);
  assert.deepEqual(new Set(rows.map((row) => `${row.namespace}/${row.pod}`)), new Set([`${own}/own`]));
});

test('a ClusterTraceJob sees every namespace but those labelled sonde.dev/tracing: deny', async (t) => {
  const store = await testStore(testCluster, t);
  const open = await testCluster.namespace(t);
  const denied = await testCluster.namespace(t, { 'sonde.dev/tracing': 'deny' });
  await runPods(testCluster, [
    { name: 'open', namespace: open, node: first, command: touches, labels: { tenancy: open } },
    { name: 'denied', namespace: denied, node: first, command: touches, labels: { tenancy: open } },
  ]);
  const wish: JobWish = {
    kind: 'ClusterTraceJob',
    name: `all-${open}`,
    trace: { openFiles: {} },
    target: { selector: { matchLabels: { tenancy: open } } },
    duration: '4s',
    store: store.name,
  };
  t.after(() =>
    testCluster.kubectl(['delete', 'clustertracejobs.sonde.dev', wish.name, '--ignore-not-found']),
  );
  await testCluster.apply(job(wish));
  const status = await ended(testCluster, wish);
  assert.equal(status.phase, 'Succeeded', JSON.stringify(status.conditions));
  const rows = await eventRows(store, status);
  assert.deepEqual(new Set(rows.map((row) => `${row.namespace}/${row.pod}`)), new Set([`${open}/open`]));
  const refused: JobWish = { ...wish, kind: 'TraceJob', name: 'denied', namespace: denied };
  await testCluster.apply(job(refused));
  const { conditions } = await ended(testCluster, refused);
  assert.equal(condition({ conditions }, 'Accepted')?.reason, 'NamespaceDenied');
});

test('view reads jobs and no artifacts; edit makes both in its own namespace; neither makes a ClusterTraceJob', async (t) => {
  const own = await testCluster.namespace(t);
  const other = await testCluster.namespace(t);
  const users = { viewer: 'view', editor: 'edit' };
  for (const [user, role] of Object.entries(users)) {
    await testCluster.kubectl([
      ...['create', 'rolebinding', user, '-n', own, `--clusterrole=${role}`, `--user=${user}`],
    ]);
  }
  const may = async (user: string, verb: string, resource: string, namespace: string): Promise<boolean> => {
    const { stdout } = await testCluster.tryKubectl([
      ...['auth', 'can-i', verb, `${resource}.sonde.dev`, '-n', namespace, `--as=${user}`],
    ]);
    return stdout.trim().startsWith('yes');
  };
  assert.equal(await may('viewer', 'get', 'tracejobs', own), true);
  assert.equal(await may('viewer', 'create', 'tracejobs', own), false);
  assert.equal(await may('viewer', 'get', 'traceartifacts', own), false);
  assert.equal(await may('viewer', 'create', 'traceartifacts', own), false);
  assert.equal(await may('editor', 'create', 'tracejobs', own), true);
  assert.equal(await may('editor', 'create', 'traceartifacts', own), true);
  for (const user of ['viewer', 'editor']) {
    assert.equal(await may(user, 'get', 'tracejobs', other), false);
    assert.equal(await may(user, 'create', 'traceartifacts', other), false);
    assert.equal(await may(user, 'create', 'clustertracejobs', own), false);
  }
});

test('a pod that shares the network of its node is for a ClusterTraceJob only', async (t) => {
  const store = await testStore(testCluster, t);
  const namespace = await testCluster.namespace(t);
  const manifest = pod(testCluster, { name: 'host', namespace, node: first, command: touches }) as {
    spec: object;
  };
  await testCluster.apply({ ...manifest, spec: { ...manifest.spec, hostPID: true } });
  await testCluster.kubectl(['wait', '-n', namespace, '--for=condition=Ready', 'pod/host', '--timeout=60s']);
  const wish: JobWish = {
    name: 'host',
    namespace,
    trace: { openFiles: {} },
    duration: '3s',
    store: store.name,
  };
  await testCluster.apply(job(wish));
  const status = await ended(testCluster, wish);
  assert.equal(condition(status, 'Failed')?.reason, 'PodsNotAllowed', JSON.stringify(status.conditions));
});
