// kubectl-sonde on a real cluster, as somebody who may edit one namespace and nothing else. Neighbours: cli/cluster (the same against a fake API server).

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { start } from '../support/sonde.ts';
import { cluster } from './support/cluster.ts';
import { testStore } from './support/jobs.ts';
import { sonde } from './support/sonde.ts';
import { runPods } from './support/workloads.ts';

const testCluster = await cluster();
await sonde(testCluster);
const [first = '', second = ''] = testCluster.nodes;
const main = join(import.meta.dirname, '../../cli/main.ts');

/** A namespace with the pods `app: checkout` on both nodes, and kubectl-sonde as an account with this ClusterRole in it. */
async function workplace(t: TestContext, role: 'view' | 'edit') {
  const namespace = await testCluster.namespace(t);
  const command: [string, ...string[]] = [
    'sh',
    '-c',
    'while true; do cat /tmp/nothing 2> /dev/null; sleep 0.1; done',
  ];
  const labels = { app: 'checkout' };
  await runPods(testCluster, [
    { name: 'a', namespace, node: first, command, labels },
    { name: 'b', namespace, node: second, command, labels },
  ]);
  await testCluster.kubectl(['create', 'serviceaccount', 'user', '-n', namespace]);
  await testCluster.kubectl([
    ...['create', 'rolebinding', 'user', '-n', namespace, `--clusterrole=${role}`],
    `--serviceaccount=${namespace}:user`,
  ]);
  const token = (await testCluster.kubectl(['create', 'token', 'user', '-n', namespace])).trim();
  const config = JSON.parse(await testCluster.kubectl(['config', 'view', '--minify', '--raw', '-o', 'json']));
  config.users = [{ name: config.users[0].name, user: { token } }];
  config.contexts[0].context.namespace = namespace;
  const folder = mkdtempSync(join(tmpdir(), 'sonde-kubectl-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, 'config');
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  const run = (...args: string[]) =>
    start(
      ['env', 'SONDE_CALLED=kubectl-sonde', `KUBECONFIG=${kubeconfig}`, process.execPath, main, ...args],
      {
        cwd: folder,
      },
    );
  return { namespace, folder, run };
}

test('run traces pods on both nodes and fetches the result from the bucket by signed URL', async (t) => {
  const store = await testStore(testCluster, t);
  const { folder, run } = await workplace(t, 'edit');
  const args = [
    'run',
    'open-files',
    '-l',
    'app=checkout',
    '-d',
    '4s',
    '--store',
    store.name,
    '--output',
    'out',
    '-o',
    'json',
  ];
  const { code, stdout, stderr } = await run(...args).ended;
  assert.equal(code, 0, stderr);
  const { status } = JSON.parse(stdout);
  assert.deepEqual([status.pods.traced, status.nodes.succeeded], [2, 2]);
  assert.doesNotMatch(stderr, /through the API server/);
  const rows = readFileSync(join(folder, 'out/events.jsonl'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(new Set(rows.map((row) => JSON.parse(row).pod)), new Set(['a', 'b']));
  assert.match(readFileSync(join(folder, 'out/report.html'), 'utf8'), /^<!doctype html>/i);
});

test('Ctrl-C ends the job early, and the result comes through the API server where the store is a volume', async (t) => {
  const { folder, run } = await workplace(t, 'edit');
  const started = run('run', 'open-files', '-l', 'app=checkout', '-d', '10m', '--output', 'out');
  await started.said(/2 of 2 nodes, 2 of 2 pods {2}[1-9]/);
  started.child.kill('SIGINT');
  const { code, stdout, stderr } = await started.ended;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /PATH/);
  assert.ok(readdirSync(join(folder, 'out')).includes('report.html'));
});

test('an example is applied, waited for, listed and opened', async (t) => {
  const { namespace, folder, run } = await workplace(t, 'edit');
  const example = readFileSync(join(import.meta.dirname, '../../examples/cpu-profile.yaml'), 'utf8');
  await testCluster.apply(example.replace('duration: 60s', 'duration: 4s'), namespace);
  await testCluster.kubectl(
    ['wait', '-n', namespace, '--for=condition=Complete', 'tracejob/checkout-cpu', '--timeout=2m'],
    { limit: 130_000 },
  );
  const { stdout: listed } = await run('list').ended;
  assert.match(
    listed,
    /^NAME +TRACE +PHASE +PODS +NODES +HEADLINE +AGE\ncheckout-cpu +cpu-profile +Succeeded +2 +2 +\d+% of CPU in /,
  );
  const { code, stdout, stderr } = await run('open', 'checkout-cpu', '--output', 'out').ended;
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'out/report.html\n');
  assert.ok(readdirSync(join(folder, 'out')).includes('flamegraph.svg'));
});

test('who may only view follows jobs, and is told which right fetching needs', async (t) => {
  const { namespace, run } = await workplace(t, 'view');
  await testCluster.apply(
    {
      ...{ apiVersion: 'sonde.dev/v1alpha1', kind: 'TraceJob', metadata: { name: 'opens' } },
      spec: {
        trace: { openFiles: {} },
        target: { selector: { matchLabels: { app: 'checkout' } } },
        duration: '3s',
      },
    },
    namespace,
  );
  const watched = await run('watch', 'opens').ended;
  assert.equal(watched.code, 0, watched.stderr);
  const fetched = await run('fetch', 'opens').ended;
  assert.equal(fetched.code, 3, fetched.stderr);
  assert.match(
    fetched.stderr,
    /may not create traceartifacts\.sonde\.dev in namespace test-.*\n.*ClusterRole edit holds it/,
  );
  const created = await run('run', 'open-files').ended;
  assert.match(created.stderr, /may not create tracejobs\.sonde\.dev/);
  const doctor = await run('doctor', '-o', 'json').ended;
  assert.equal(doctor.code, 3);
  const { nodes } = JSON.parse(doctor.stdout);
  assert.deepEqual(
    nodes.map(({ node }: { node: string }) => node),
    [...testCluster.nodes].sort(),
  );
});
