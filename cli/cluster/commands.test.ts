// kubectl-sonde as a user has it, each in a process of its own, against an API server on loopback that the test plays the operator of.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { digest, type FakeCluster, startFakeCluster, status } from '../../test/support/fake-cluster.ts';
import { start } from '../../test/support/sonde.ts';
import { CliError } from '../errors.ts';
import { fetch } from './fetch.ts';
import { list } from './list.ts';
import { run as runInCluster } from './run.ts';
import { watch } from './watch.ts';

const main = join(import.meta.dirname, '../main.ts');
const result = {
  'summary.txt': Buffer.from('41% of CPU in json.Unmarshal\n'),
  'result.json': Buffer.from('{"headline":"41% of CPU in json.Unmarshal"}\n'),
  'report.html': Buffer.from('<!doctype html>'),
};
const condition = (type: string, value: boolean, reason: string, message = '') => ({
  ...{ type, status: value ? 'True' : 'False', reason, message, observedGeneration: 1 },
  lastTransitionTime: '2026-11-24T10:00:00Z',
});

/** Runs it against the cluster, in the cluster's folder. */
function sonde(cluster: FakeCluster, args: readonly string[], input?: string) {
  const env = ['env', 'SONDE_CALLED=kubectl-sonde', `KUBECONFIG=${cluster.kubeconfig}`, 'NODE_NO_WARNINGS=1'];
  const started = start([...env, process.execPath, main, ...args], {
    cwd: cluster.folder,
    ...(input === undefined ? {} : { input }),
  });
  return started;
}

/** What the operator does with a job, in short. */
function complete(cluster: FakeCluster, name: string, more: Record<string, unknown> = {}): void {
  for (const [file, bytes] of Object.entries(result)) cluster.files.set(file, bytes);
  cluster.setStatus(name, {
    phase: 'Succeeded',
    trace: 'cpu-profile',
    startTime: '2026-11-24T10:00:00Z',
    completionTime: '2026-11-24T10:00:30Z',
    headline: '41% of CPU in json.Unmarshal',
    nodes: { matched: 2, running: 0, succeeded: 2, failed: 0 },
    pods: { matched: 6, traced: 6 },
    events: { seen: 12_345, recorded: 12_345, lost: 0, sampledBy: 1 },
    overhead: { cpu: '12m', memory: '24Mi' },
    conditions: [condition('Complete', true, 'Published', 'the result of 2 nodes is in the store')],
    artifacts: [...cluster.files].map(([file, bytes]) => ({
      ...{ name: file, mediaType: 'text/plain', uri: `s3://b/${file}` },
      bytes: bytes.length,
      sha256: digest(bytes),
    })),
    ...more,
  });
}

function putJob(cluster: FakeCluster, name = 'checkout-cpu') {
  return cluster.put({
    kind: 'TraceJob',
    metadata: { name, namespace: 'shop' },
    spec: { trace: { cpuProfile: {} }, duration: '30s' },
  });
}

async function withCluster(body: (cluster: FakeCluster) => Promise<void>): Promise<void> {
  const cluster = await startFakeCluster();
  try {
    await body(cluster);
  } finally {
    await cluster.close();
  }
}

const folderOf = (cluster: FakeCluster) => {
  const [name = ''] = readdirSync(cluster.folder).filter((each) => each.startsWith('sonde-'));
  return join(cluster.folder, name);
};

describe('kubectl-sonde', { concurrency: 3 }, () => {
  test('run creates the job, follows it over a broken watch, and fetches the result by signed URL', () =>
    withCluster(async (cluster) => {
      const started = sonde(cluster, [
        'run',
        'cpu-profile',
        '-l',
        'app=checkout',
        '-d',
        '30s',
        '--frequency-hz',
        '49',
      ]);
      const [, name = ''] = await started.said(
        /tracejob\.sonde\.dev\/(cpu-profile-[a-z0-9]{5}) created in namespace shop/,
      );
      cluster.setStatus(name, {
        phase: 'Pending',
        conditions: [condition('Accepted', true, 'NoPodsYet', 'no pod matches')],
      });
      await started.said(/waiting: no pod matches/);
      cluster.dropWatches();
      cluster.setStatus(name, {
        phase: 'Running',
        startTime: new Date().toISOString(),
        nodes: { matched: 2, running: 2 },
        pods: { matched: 6, traced: 5 },
        conditions: [
          condition('Accepted', true, 'Accepted'),
          condition('Attached', true, 'Attached', 'probes were attached on 2 nodes'),
        ],
      });
      await started.said(/probes were attached on 2 nodes\n[\s\S]*2 of 2 nodes, 5 of 6 pods/);
      complete(cluster, name);
      const { code, stdout, stderr } = await started.ended;
      assert.equal(code, 0, stderr);
      assert.equal(stdout, '\n41% of CPU in json.Unmarshal\n');
      const [job] = [...cluster.objects.values()].filter(({ kind }) => kind === 'TraceJob');
      assert.deepEqual(job?.spec, {
        trace: { cpuProfile: { frequencyHz: 49 } },
        target: { selector: { matchLabels: { app: 'checkout' } } },
        duration: '30s',
      });
      const folder = folderOf(cluster);
      assert.match(folder, new RegExp(`sonde-${name}-[0-9a-f]{8}$`));
      assert.deepEqual(readdirSync(folder).sort(), ['report.html', 'result.json', 'summary.txt']);
      assert.deepEqual(readFileSync(join(folder, 'result.json')), result['result.json']);
      assert.ok(cluster.store.served.every((each) => each.startsWith('store ')));
      // Nobody need read the signed URLs any more.
      assert.ok(![...cluster.objects.values()].some(({ kind }) => kind === 'TraceArtifact'));
      assert.match(stderr, /result: sonde-cpu-profile-.*report\.html/);
    }));

  test('--dry-run=client prints the job and asks nothing of any cluster', () =>
    withCluster(async (cluster) => {
      const args = [
        'run',
        'open-files',
        '--failed-only',
        '-l',
        'tier in (web,api),!canary',
        '-n',
        'shop',
        '--name',
        'opens',
        '--containers',
        'api,web',
      ];
      const more = [
        '--max-pods',
        '5',
        '--nodes',
        'pool=blue',
        '--store',
        'bucket',
        '--budget',
        'cpu=20m,memory=64Mi',
        '--ttl',
        '60',
      ];
      const { code, stdout, stderr } = await sonde(cluster, [
        ...args,
        ...more,
        '--dry-run=client',
        '-o',
        'json',
      ]).ended;
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), {
        apiVersion: 'sonde.dev/v1alpha1',
        kind: 'TraceJob',
        metadata: { name: 'opens', namespace: 'shop' },
        spec: {
          trace: { openFiles: { failedOnly: true } },
          target: {
            selector: {
              matchExpressions: [
                { key: 'tier', operator: 'In', values: ['web', 'api'] },
                { key: 'canary', operator: 'DoesNotExist' },
              ],
            },
            containers: ['api', 'web'],
            nodes: { matchLabels: { pool: 'blue' } },
            maxPods: 5,
          },
          budget: { cpu: '20m', memory: '64Mi' },
          store: { name: 'bucket' },
          ttlSecondsAfterFinished: 60,
        },
      });
      const yaml = await sonde(cluster, ['run', 'profile', '-A', '--dry-run=client', '-o', 'yaml']).ended;
      assert.match(
        yaml.stdout,
        /^apiVersion: sonde\.dev\/v1alpha1\nkind: ClusterTraceJob\nmetadata:\n {2}name: cpu-profile-[a-z0-9]{5}\nspec:\n/,
      );
      assert.deepEqual(cluster.requests, []);
    }));

  test('Ctrl-C ends the job early and keeps the result', () =>
    withCluster(async (cluster) => {
      const started = sonde(cluster, ['run', 'cpu-profile', '-l', 'app=checkout', '-o', 'json']);
      const [, name = ''] = await started.said(/(cpu-profile-[a-z0-9]{5}) created/);
      cluster.setStatus(name, { phase: 'Running', startTime: new Date().toISOString() });
      await started.said(/Running/);
      cluster.changed = (object) => {
        if (object.spec.suspend === true && object.status?.phase === 'Running') complete(cluster, name);
      };
      started.child.kill('SIGINT');
      const { code, stdout, stderr } = await started.ended;
      assert.equal(code, 0, stderr);
      assert.match(stderr, /ending early/);
      const job = JSON.parse(stdout);
      assert.equal(job.spec.suspend, true);
      assert.equal(job.status.headline, '41% of CPU in json.Unmarshal');
      assert.ok(existsSync(join(folderOf(cluster), 'report.html')));
    }));

  test('a second Ctrl-C leaves the job to itself and says how to come back', () =>
    withCluster(async (cluster) => {
      const started = sonde(cluster, ['run', 'cpu-profile', '-l', 'app=checkout']);
      const [, name = ''] = await started.said(/(cpu-profile-[a-z0-9]{5}) created/);
      started.child.kill('SIGINT');
      await started.said(/ending early/);
      started.child.kill('SIGINT');
      const { code, stderr } = await started.ended;
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`left; \`kubectl sonde watch ${name} -n shop\` goes on`));
      assert.ok(!cluster.requests.some((each) => each.startsWith('DELETE')));
    }));

  test('stopped before it began, a job has no result and run says so', () =>
    withCluster(async (cluster) => {
      const started = sonde(cluster, ['run', 'cpu-profile', '-l', 'app=checkout']);
      const [, name = ''] = await started.said(/(cpu-profile-[a-z0-9]{5}) created/);
      cluster.changed = (object) => {
        if (object.spec.suspend === true && object.status === undefined)
          cluster.setStatus(name, { phase: 'Suspended' });
      };
      started.child.kill('SIGINT');
      const { code, stderr } = await started.ended;
      assert.equal(code, 1);
      assert.match(stderr, /was stopped before any probe was attached/);
    }));

  test('a job that fails ends with its reason, and as JSON for scripts', () =>
    withCluster(async (cluster) => {
      const started = sonde(cluster, ['run', 'cpu-profile', '-l', 'app=checkout', '--json']);
      const [, name = ''] = await started.said(/(cpu-profile-[a-z0-9]{5}) created/);
      cluster.setStatus(name, {
        phase: 'Failed',
        conditions: [condition('Failed', true, 'NoPods', 'no pod \x1b[2Jmatched')],
      });
      const { code, stdout, stderr } = await started.ended;
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /failed: NoPods: no pod \\x1b\[2Jmatched/);
      const { error } = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '');
      assert.equal(error.code, 'JobFailed');
    }));

  test('watch shows plain lines on a pipe, then the first rows; hostile text is escaped', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      const started = sonde(cluster, ['watch', 'tracejob/checkout-cpu']);
      await new Promise((resolve) => setTimeout(resolve, 100));
      cluster.setStatus('checkout-cpu', {
        phase: 'Running',
        nodes: { matched: 2, running: 1, failed: 1 },
        failures: [{ node: 'node-b', reason: 'AgentUnreachable', message: 'does not \x1b[31manswer' }],
      });
      await started.said(/node-b: AgentUnreachable: does not \\x1b\[31manswer/);
      complete(cluster, 'checkout-cpu', {
        summary: 'SELF  FUNCTION\n 41%  evil\x1b]0;title\x07\n',
        conditions: [
          condition('Complete', true, 'Published'),
          condition('Degraded', true, 'AgentUnreachable', 'node-b: does not answer'),
        ],
      });
      const { code, stdout, stderr } = await started.ended;
      assert.equal(code, 0, stderr);
      assert.equal(stdout, '41% of CPU in json.Unmarshal\nSELF  FUNCTION\n 41%  evil\\x1b]0;title\\x07\n');
      assert.match(
        stderr,
        /Succeeded {2}30 s {2}2 of 2 nodes, 6 of 6 pods {2}12,345 recorded, 0 lost {2}cost 12m CPU, 24Mi a node/,
      );
      assert.match(stderr, /the result is a part: AgentUnreachable/);
      assert.ok(!stderr.includes('\x1b'));
    }));

  test('watch survives an API server that is away, and a job that is deleted ends it', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      cluster.setStatus('checkout-cpu', { phase: 'Running' });
      const started = sonde(cluster, ['watch', 'checkout-cpu', '-o', 'name']);
      await started.said(/Running/);
      cluster.answer = () => ({ status: 503, body: 'starting' });
      cluster.dropWatches();
      await started.said(/HTTP 503.*trying again/);
      delete cluster.answer;
      await started.said(/the API server is back/);
      cluster.remove('checkout-cpu');
      const { code, stderr } = await started.ended;
      assert.equal(code, 1);
      assert.match(stderr, /checkout-cpu was deleted while it was followed/);
    }));

  test('fetch goes on where a connection broke, in this process and from the last one', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      const big = Buffer.alloc(300_000, 'event\n');
      cluster.files.set('events.jsonl', big);
      complete(cluster, 'checkout-cpu');
      const cut = (at: number) => (file: string, from: number) =>
        file === 'events.jsonl' && from < at ? { cutAfter: at - from } : undefined;
      cluster.store.send = cut(100_000);
      const { code, stdout, stderr } = await sonde(cluster, [
        'fetch',
        'checkout-cpu',
        '--output',
        'out',
        '--file',
        'events.jsonl',
        '-o',
        'json',
      ]).ended;
      assert.equal(code, 0, stderr);
      assert.deepEqual(cluster.store.served, ['store events.jsonl 0', 'store events.jsonl 100000']);
      assert.deepEqual(readFileSync(join(cluster.folder, 'out/events.jsonl')), big);
      assert.equal(JSON.parse(stdout).files[0].sha256, digest(big));
      cluster.store.served.length = 0;
      const again = await sonde(cluster, ['fetch', 'checkout-cpu', '--output', 'out']).ended;
      assert.equal(again.code, 0, again.stderr);
      assert.equal(again.stdout, 'out\n');
      assert.deepEqual(cluster.store.served.map((each) => each.split(' ')[1]).sort(), [
        'report.html',
        'result.json',
        'summary.txt',
      ]);
    }));

  test('fetch goes through the service proxy where the store has no URL, or one that does not answer', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      complete(cluster, 'checkout-cpu');
      cluster.store.url = null;
      const none = await sonde(cluster, ['fetch', 'checkout-cpu', '--output', 'a']).ended;
      assert.equal(none.code, 0, none.stderr);
      // Port 1 of loopback: nobody listens.
      cluster.store.url = 'http://127.0.0.1:1';
      const dead = await sonde(cluster, ['fetch', 'checkout-cpu', '--output', 'b']).ended;
      assert.equal(dead.code, 0, dead.stderr);
      assert.equal(dead.stderr.split("the store can't be reached from here").length, 2);
      assert.ok(cluster.store.served.every((each) => each.startsWith('proxy ')));
      assert.deepEqual(readFileSync(join(cluster.folder, 'b/result.json')), result['result.json']);
      assert.ok(
        cluster.requests.includes(
          'GET /api/v1/namespaces/sonde-system/services/https:sonde-artifacts:8443/proxy/v1/result.json',
        ),
      );
    }));

  test('a file with a wrong digest is fetched once more, then refused, and nothing takes its name', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      complete(cluster, 'checkout-cpu');
      cluster.store.send = (file) => ({
        bytes: Buffer.alloc(result[file as keyof typeof result].length, 'x'),
      });
      const { code, stderr } = await sonde(cluster, ['fetch', 'checkout-cpu', '--output', 'out']).ended;
      assert.equal(code, 1);
      assert.match(stderr, /summary\.txt: its digest is [0-9a-f]{64}, not/);
      assert.equal(cluster.store.served.length, 2);
      assert.deepEqual(readdirSync(join(cluster.folder, 'out')), []);
    }));

  test('names and paths from the cluster that would leave the folder or the Service are refused', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      complete(cluster, 'checkout-cpu');
      const sha256 = digest(result['summary.txt']);
      cluster.artifact = () => ({
        phase: 'Ready',
        path: '/v1/../../../secrets',
        namespace: 'sonde-system',
        sha256,
      });
      const path = await sonde(cluster, ['fetch', 'checkout-cpu']).ended;
      assert.equal(path.code, 1);
      assert.match(path.stderr, /has no path that can be asked for/);
      cluster.setStatus('checkout-cpu', { artifacts: [{ name: '../evil', bytes: 1, sha256 }] });
      const name = await sonde(cluster, ['fetch', 'checkout-cpu']).ended;
      assert.equal(name.code, 1);
      assert.match(name.stderr, /names a file \.\.\/evil, which can't be one/);
      assert.ok(!existsSync(join(cluster.folder, 'evil')));
      cluster.artifact = () => ({
        phase: 'Failed',
        reason: 'ArtifactMissing',
        message: 'the bucket has it no more',
      });
      complete(cluster, 'checkout-cpu');
      const missing = await sonde(cluster, ['fetch', 'checkout-cpu']).ended;
      assert.match(missing.stderr, /can't be had: ArtifactMissing: the bucket has it no more/);
    }));

  test('another file in the folder is never overwritten', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      complete(cluster, 'checkout-cpu');
      await sonde(cluster, ['fetch', 'checkout-cpu', '--output', 'out']).ended;
      cluster.files.set('summary.txt', Buffer.from('other'));
      complete(cluster, 'checkout-cpu', {});
      const bytes = Buffer.from('other');
      cluster.setStatus('checkout-cpu', {
        artifacts: [{ name: 'summary.txt', bytes: bytes.length, sha256: digest(bytes) }],
      });
      const { code, stderr } = await sonde(cluster, ['fetch', 'checkout-cpu', '--output', 'out']).ended;
      assert.equal(code, 2);
      assert.match(stderr, /is there and is another file/);
    }));

  test('open prints where the report lies when nobody has a screen', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      complete(cluster, 'checkout-cpu');
      const { code, stdout, stderr } = await sonde(cluster, ['open', 'checkout-cpu', '--output', 'out'])
        .ended;
      assert.equal(code, 0, stderr);
      assert.equal(stdout, 'out/report.html\n');
      assert.match(stderr, /41% of CPU in json\.Unmarshal/);
    }));

  test('list has the columns of kubectl, all namespaces, and every format', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      complete(cluster, 'checkout-cpu', { headline: 'evil\x1b[2J\nline' });
      putJob(cluster, 'b');
      putJob(cluster, 'c');
      cluster.put({
        kind: 'ClusterTraceJob',
        metadata: { name: 'nightly' },
        spec: { trace: { openFiles: {} } },
      });
      const table = await sonde(cluster, ['list']).ended;
      const [head, first] = table.stdout.split('\n');
      assert.match(head ?? '', /^NAME {11}TRACE {9}PHASE {7}PODS {3}NODES {3}HEADLINE +AGE$/);
      assert.match(
        first ?? '',
        /^checkout-cpu {3}cpu-profile {3}Succeeded {3}6 {6}2 {7}evil\\x1b\[2J\\nline {3}\d+s$/,
      );
      assert.equal(table.stdout.split('\n').length, 5);
      const all = await sonde(cluster, ['list', '-A', '-o', 'name']).ended;
      assert.match(all.stdout, /tracejob\.sonde\.dev\/c\nclustertracejob\.sonde\.dev\/nightly\n$/);
      const json = JSON.parse((await sonde(cluster, ['list', '-o', 'json']).ended).stdout);
      assert.deepEqual([json.kind, json.items.length, json.items[0].kind], ['List', 3, 'TraceJob']);
      const none = await sonde(cluster, ['list', '-n', 'empty']).ended;
      assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'No jobs found in namespace empty.\n']);
    }));

  test('stop sets suspend once, and leaves a job alone that has ended', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      const first = await sonde(cluster, ['stop', 'tj/checkout-cpu']).ended;
      assert.equal(first.stdout, 'tracejob.sonde.dev/checkout-cpu stopped\n');
      assert.equal([...cluster.objects.values()][0]?.spec.suspend, true);
      complete(cluster, 'checkout-cpu');
      const second = await sonde(cluster, ['stop', 'checkout-cpu', '-n', 'shop']).ended;
      assert.match(second.stdout, /had ended already/);
      assert.equal(cluster.requests.filter((each) => each.startsWith('PATCH')).length, 1);
    }));

  test('doctor says what is missing, and 3 is its exit code then', () =>
    withCluster(async (cluster) => {
      const ability = (gadget: string, reason?: string) => ({
        gadget,
        hooks: [],
        ...(reason ? { reason } : {}),
      });
      const node = {
        version: '0.1.0',
        protocol: 1,
        kernel: '6.18.44',
        arch: 'x86',
        gadgets: [ability('open-files')],
      };
      const nodes = [
        { ...node, node: 'node-a' },
        { ...node, node: 'node-b' },
        { ...node, node: 'old', kernel: '5.4\x1b[2J', gadgets: [ability('open-files', 'no BTF')] },
      ];
      cluster.answer = ({ path }) =>
        path === '/api/v1/namespaces/sonde-system/configmaps/sonde-nodes'
          ? { status: 200, body: JSON.stringify({ data: { 'nodes.json': JSON.stringify(nodes) } }) }
          : undefined;
      const well = await sonde(cluster, ['doctor']).ended;
      assert.equal(well.code, 0, well.stderr);
      assert.match(well.stdout, /Kubernetes v1\.36\.1[\s\S]*can work in namespace shop/);
      assert.match(
        well.stdout,
        /^ok {7}node-a, node-b +all 1 gadgets; kernel 6\.18\.44 x86, agent 0\.1\.0$/m,
      );
      assert.match(
        well.stdout,
        /^warn {5}old +0 of 1 gadgets; kernel 5\.4\\x1b\[2J x86.*1 gadget can't run\n +→ open-files: no BTF$/m,
      );
      cluster.answer = ({ path }) =>
        path === '/apis/sonde.dev/v1alpha1' ? { status: 404, body: '404 page not found\n' } : undefined;
      const without = await sonde(cluster, ['doctor', '-o', 'json']).ended;
      assert.equal(without.code, 3);
      assert.equal(JSON.parse(without.stdout).canRun, false);
    }));

  test('errors teach: what is missing, who may not, which name was meant', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      const refused = (code: number, body: unknown) => () => ({
        status: code,
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const run = ['run', 'cpu-profile', '-l', 'app=checkout'];
      const cases: [string[], FakeCluster['answer'], number, RegExp][] = [
        [
          run,
          refused(404, '404 page not found\n'),
          3,
          /the cluster knows no such kind\n {2}Install it: `helm install sonde/,
        ],
        [
          run,
          refused(401, status(401, 'Unauthorized', 'Unauthorized')),
          3,
          /does not accept the credentials/,
        ],
        [
          run,
          refused(
            403,
            status(
              403,
              'Forbidden',
              'tracejobs.sonde.dev is forbidden: User "ann" cannot create resource "tracejobs" in API group "sonde.dev" in the namespace "shop"',
              'tracejobs',
            ),
          ),
          3,
          /ann may not create tracejobs\.sonde\.dev in namespace shop\n.*ClusterRole edit/,
        ],
        [
          run,
          refused(
            403,
            status(403, 'Forbidden', 'ValidatingAdmissionPolicy denied: at most 60s', 'tracejobs'),
          ),
          2,
          /at most 60s/,
        ],
        [
          run,
          refused(
            400,
            status(400, 'BadRequest', 'strict decoding error: unknown field "spec.trace.cpuProfile"'),
          ),
          3,
          /does not know spec\.trace\.cpuProfile\n {2}Upgrade the chart/,
        ],
        [
          run,
          refused(404, status(404, 'NotFound', 'namespaces "shop" not found', 'namespaces')),
          2,
          /namespaces "shop" not found/,
        ],
        [
          ['watch', 'chekout-cpu'],
          undefined,
          2,
          /no TraceJob chekout-cpu in namespace shop; did you mean checkout-cpu\?/,
        ],
        [['fetch', 'checkout-cpu'], undefined, 2, /no result yet: no operator has taken it up/],
        [['run', 'cpu-profile', '--name', 'checkout-cpu'], undefined, 2, /already exists/],
        [['run', 'cpu-profle'], undefined, 2, /did you mean cpu-profile/],
        [['run', 'cpu-profile', '-d', '60'], undefined, 2, /--duration: 60 is a number without a unit/],
        [['run', 'cpu-profile', '--pid', '7'], undefined, 2, /--pid names a process; in a cluster/],
        [['fetch', 'checkout-cpu', '--output', 'json'], undefined, 2, /Write -o json for the format/],
        [['list', '--context', 'other'], undefined, 2, /has no context other\n {2}It has fake/],
        [['list', '--kubeconfig', 'absent'], undefined, 2, /can't read the kubeconfig absent/],
      ];
      await assert.rejects(runInCluster(['cpu-profile', '--', 'ls']), /on this machine only/);
      const subcommands = { run: runInCluster, watch, fetch, list };
      for (const [[command = '', ...args], answer, code, message] of cases) {
        if (answer === undefined) delete cluster.answer;
        else cluster.answer = answer;
        const given = args.includes('--kubeconfig') ? args : [...args, '--kubeconfig', cluster.kubeconfig];
        const ended = subcommands[command as keyof typeof subcommands](given);
        await assert.rejects(ended, (error: unknown) => {
          assert.ok(error instanceof CliError, String(error));
          assert.match(`${error.message}\n  ${error.advice}`, message, args.join(' '));
          assert.equal(error.exit, code, error.message);
          return true;
        });
      }
    }));

  test('an API server that is not there, and none at all', () =>
    withCluster(async (cluster) => {
      mkdirSync(join(cluster.folder, 'home'));
      const none = await start(
        [
          'env',
          '-u',
          'KUBECONFIG',
          `HOME=${cluster.folder}/home`,
          'SONDE_CALLED=kubectl-sonde',
          process.execPath,
          main,
          'list',
        ],
        {
          cwd: cluster.folder,
        },
      ).ended;
      assert.equal(none.code, 3, none.stderr);
      assert.match(none.stderr, /there is no kubeconfig, and this is no pod/);
    }));
});
