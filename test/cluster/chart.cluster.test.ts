// The chart's life: installed from nothing, upgraded to a catalogue with one gadget more, everything stopped by a value, uninstalled while a job runs,
// installed again. It leaves Sonde as it found it: the next scenario installs it anyway. Neighbours: charts/sonde, test/chart (as Helm renders it).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { cluster } from './support/cluster.ts';
import { ended, job, resource } from './support/jobs.ts';
import { podOf, sonde, sondeNamespace } from './support/sonde.ts';
import { until } from './support/until.ts';
import { processOf, runPods } from './support/workloads.ts';

const testCluster = await cluster();
const own = testCluster.own ? false : 'the cluster is not our own';
const chartFolder = join(import.meta.dirname, '../../charts/sonde');

await uninstall();
after(() => sonde(testCluster));

async function uninstall(): Promise<void> {
  const args = ['--namespace', sondeNamespace, '--ignore-not-found', '--wait', '--timeout=3m'];
  await testCluster.helm(['uninstall', 'sonde', ...args]);
}

/** As a user would: from a folder, with values; without waiting for pods where nothing of the chart's has to be ready. */
async function install({ chart = chartFolder, values = [] as string[], wait = true } = {}): Promise<void> {
  const images = (['operator', 'agent'] as const).flatMap((part) => {
    const [repository = '', tag = ''] = testCluster.images[part].split(':');
    return [`${part}.image.repository=${repository}`, `${part}.image.tag=${tag}`];
  });
  await testCluster.helm([
    ...['upgrade', '--install', 'sonde', chart, '--namespace', sondeNamespace, '--create-namespace'],
    ...['--reset-values', '--timeout=3m', ...(wait ? ['--wait'] : [])],
    ...[...images, ...values].flatMap((value) => ['--set', value]),
  ]);
}

/** The names of what there is of a kind. */
async function namesOf(kind: string, ...where: string[]): Promise<string[]> {
  const text = await testCluster.kubectl(['get', kind, ...where, '-o', 'name']);
  return text.split('\n').filter(Boolean);
}

/** BPF links and perf events that a process holds. */
async function attached(pid: number): Promise<number> {
  const folder = `/proc/${pid}/fd`;
  const files = await readdir(folder).catch(() => []);
  const targets = await Promise.all(files.map((file) => readlink(join(folder, file)).catch(() => '')));
  return targets.filter((target) => /bpf[-_]link|perf_event/.test(target)).length;
}

/** Watches an object of the release's namespace: `changed` is when it next changes, by performance.now(). */
async function watchChange(kind: string, name: string): Promise<{ changed: Promise<number> }> {
  const [file, ...args] = testCluster.kubectlCommand;
  const generation = 'jsonpath={.metadata.generation}{"\\n"}';
  const child = spawn(file, [...args, 'get', kind, name, '-n', sondeNamespace, '--watch', '-o', generation], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const watched = Promise.withResolvers<string>();
  const changed = Promise.withResolvers<number>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    watched.resolve(line);
    void watched.promise.then((first) => {
      if (line !== first) changed.resolve(performance.now());
    });
  });
  const done = changed.promise.finally(() => child.kill());
  await watched.promise;
  return { changed: done };
}

const opens = (name: string, namespace: string, duration: string) => ({
  name,
  namespace,
  trace: { openFiles: {} },
  target: { selector: { matchLabels: { app: 'opens' } } },
  duration,
  store: 'default',
});

async function runOpens(namespace: string): Promise<void> {
  const command = ['sh', '-c', 'while :; do cat /etc/hostname > /dev/null; sleep 0.1; done'] as const;
  await runPods(testCluster, [{ name: 'opens', namespace, command: [...command] }]);
}

test('an upgrade brings a gadget that the installed chart had not', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sonde-chart-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(chartFolder, folder, { recursive: true });
  for (const plural of ['tracejobs', 'clustertracejobs']) {
    const path = join(folder, `templates/crds/sonde.dev_${plural}.yaml`);
    // The labels are an action of Helm's, which is no YAML.
    const crd = parse((await readFile(path, 'utf8')).replace(/^.*\{\{- include.*$/m, ''));
    crd.metadata.labels = {};
    const { trace } = crd.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties;
    delete trace.properties.openFiles;
    delete trace['x-kubernetes-validations'];
    await writeFile(path, stringify(crd));
  }
  await install({ chart: folder });
  const namespace = await testCluster.namespace(t);
  const wanted = job(opens('new', namespace, '2s'));
  const refused = await testCluster.tryKubectl(['create', '--validate=strict', '-f', '-'], {
    stdin: JSON.stringify(wanted),
  });
  assert.match(refused.stderr, /unknown field "spec\.trace\.openFiles"/);
  await install();
  await runOpens(namespace);
  await testCluster.apply(wanted);
  const { phase, headline } = await ended(testCluster, opens('new', namespace, '2s'));
  assert.equal(phase, 'Succeeded', headline);
});

test('pods of the operator meet the restricted Pod Security Standard', async (t) => {
  const namespace = await testCluster.namespace(t, { 'pod-security.kubernetes.io/enforce': 'restricted' });
  const found = await testCluster.get<{ spec: { template: { metadata: object; spec: object } } }>(
    'deployment',
    'sonde-operator',
    sondeNamespace,
  );
  const { metadata, spec } = found?.spec.template ?? { metadata: {}, spec: {} };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name: 'operator', namespace },
    spec: { ...spec, serviceAccountName: 'default' },
  };
  await testCluster.kubectl(['create', '--dry-run=server', '-f', '-'], { stdin: JSON.stringify(pod) });
});

test('the example of limits refuses what it says, and lets the rest be', async (t) => {
  const example = join(chartFolder, 'examples/limits.yaml');
  await testCluster.kubectl(['apply', '-f', example]);
  t.after(() => testCluster.kubectl(['delete', '-f', example]));
  const limited = await testCluster.namespace(t, { tracing: 'limited' });
  const free = await testCluster.namespace(t);
  const attempt = async (namespace: string, spec: object): Promise<string> => {
    const wish = { ...opens('limits', namespace, '30s'), spec };
    const stdin = JSON.stringify(job(wish));
    const { code, stderr } = await testCluster.tryKubectl(['create', '--dry-run=server', '-f', '-'], {
      stdin,
    });
    return code === 0 ? '' : stderr;
  };
  const profile = { trace: { cpuProfile: {} } };
  await testCluster.waitFor('the policy is in force', async () =>
    (await attempt(limited, {})) === '' ? undefined : true,
  );
  assert.match(await attempt(limited, {}), /spec\.trace may be cpuProfile, offCpuProfile, syscallCounts/);
  assert.match(await attempt(limited, { ...profile, duration: '10m' }), /spec\.duration may be 2m at most/);
  assert.match(await attempt(limited, { ...profile, redact: 'None' }), /spec\.redact may not be None/);
  assert.equal(await attempt(limited, profile), '');
  assert.equal(await attempt(free, { duration: '10m', redact: 'None' }), '');
});

test('one value stops everything within 5 s, and lets it go on when it is taken back', {
  skip: own,
}, async (t) => {
  const namespace = await testCluster.namespace(t);
  await runOpens(namespace);
  const wish = opens('stopped', namespace, '5m');
  const workload = await testCluster.get<{ spec: { nodeName: string } }>('pod', 'opens', namespace);
  const agent = await podOf(testCluster, 'agent', workload?.spec.nodeName ?? '');
  const pid = await processOf(testCluster, { namespace: sondeNamespace, pod: agent });
  await testCluster.apply(job(wish));
  await testCluster.waitFor('probes are attached', async () =>
    (await attached(pid)) > 0 ? true : undefined,
  );
  const { changed } = await watchChange('daemonset', 'sonde-agent');
  const stopping = install({ values: ['stopEverything=true'], wait: false });
  t.after(() => stopping);
  const began = await changed;
  const detached = await until(
    30_000,
    async () => ((await attached(pid)) === 0 ? performance.now() : undefined),
    20,
  );
  assert.ok(detached !== undefined, 'probes are still attached');
  const seconds = (detached - began) / 1000;
  t.diagnostic(`from the change of the DaemonSet to the last probe: ${seconds.toFixed(1)} s`);
  assert.ok(seconds < 5, `${seconds} s`);
  await stopping;
  const late = opens('late', namespace, '2s');
  await testCluster.apply(job(late));
  await testCluster.waitFor('a new job does not begin', async () => {
    const found = await testCluster.get<{ status?: { phase?: string } }>(
      resource('TraceJob'),
      'late',
      namespace,
    );
    return found?.status?.phase === 'Suspended' ? true : undefined;
  });
  const status = await ended(testCluster, wish);
  assert.ok(status.completionTime);
  await install();
  assert.equal((await ended(testCluster, late)).phase, 'Succeeded');
});

test('uninstalled while a job runs: nothing hangs, and only CRDs and what users made are left', async (t) => {
  await install();
  const namespace = await testCluster.namespace(t);
  await runOpens(namespace);
  const wish = opens('orphan', namespace, '5m');
  await testCluster.apply(job(wish));
  await testCluster.waitFor('the job runs', async () => {
    const found = await testCluster.get<{ status?: { phase?: string }; metadata: { finalizers?: string[] } }>(
      resource('TraceJob'),
      'orphan',
      namespace,
    );
    return found?.status?.phase === 'Running' && found.metadata.finalizers ? true : undefined;
  });
  await uninstall();
  await testCluster.kubectl(['delete', resource('TraceJob'), 'orphan', '-n', namespace, '--timeout=10s']);

  const left: string[] = [];
  for (const kind of [
    'pods',
    'jobs',
    'services',
    'secrets',
    'leases',
    'serviceaccounts',
    'roles',
    'rolebindings',
    'networkpolicies',
    'poddisruptionbudgets',
    'configmaps',
  ])
    left.push(...(await namesOf(kind, '-n', sondeNamespace)));
  for (const kind of ['clusterroles', 'clusterrolebindings', 'priorityclasses'])
    left.push(...(await namesOf(kind)));
  const ours = left.filter((name) => /sonde|helm/.test(name));
  assert.deepEqual(ours, []);
  const stores = await namesOf('clustertracestores.sonde.dev');
  assert.deepEqual(
    stores.filter((name) => name.endsWith('/default')),
    [],
    "the chart's own store",
  );
  const definitions = await namesOf('crds');
  assert.equal(definitions.filter((name) => name.endsWith('.sonde.dev')).length, 6);
});

test('installed again over the CRDs that were left, it works', async (t) => {
  await install();
  const namespace = await testCluster.namespace(t);
  await runOpens(namespace);
  const wish = opens('again', namespace, '2s');
  await testCluster.apply(job(wish));
  assert.equal((await ended(testCluster, wish)).phase, 'Succeeded');
});
