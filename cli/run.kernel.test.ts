// `sonde run` end to end, by the bundle that ships: what it records, how it ends, what it leaves behind, and what it says about bad input.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sondePath, start, workplace } from '../test/support/sonde.ts';
import { findCgroup2, listGroups, readMountinfo } from './cgroups.ts';
import { ownerIn } from './leftovers.ts';

const opens = (count: number) => `for i in $(seq ${count}); do true < /sonde-none-$i; done 2>/dev/null`;
const only = ['--path-prefix', '/sonde-none-'];
const mount = findCgroup2(readMountinfo());
assert.ok(mount);

/** Groups that a process's runs have left. */
const groupsOf = (pid: number | undefined) =>
  listGroups(mount).filter(({ directory }) => ownerIn(directory.split('/').at(-1) ?? '')?.pid === pid);

test('a command is traced from its first instruction to its last, and keeps stdin and stdout', async () => {
  using place = workplace();
  const script = `cat; ${opens(50)}`;
  const run = place.start(['run', 'open-files', ...only, '-o', 'out', '--', 'sh', '-c', script], 'hello\n');
  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'hello\n');
  assert.match(stderr, /attached open-files \(.*\) after \d+ ms\ntracing sh until it ends/);
  assert.match(stderr, /50 recorded, 0 lost/);
  assert.match(stderr, /result: out \(open out\/report\.html\)\n$/);
  const paths = place.lines('out').map(({ path }) => path);
  assert.deepEqual(
    paths,
    Array.from({ length: 50 }, (_, i) => `/sonde-none-${i + 1}`),
  );
  assert.ok(existsSync(join(place.folder, 'out/report.html')));
  assert.deepEqual(readdirSync(place.folder), ['out']);
  assert.deepEqual(groupsOf(run.child.pid), []);
});

test('a job in YAML gives its result as JSON', async () => {
  using place = workplace();
  const job = `apiVersion: sonde.dev/v1alpha1
kind: TraceJob
metadata: {name: opens, namespace: shop}
spec: {trace: {openFiles: {pathPrefix: /sonde-none-}}, duration: 60s}
`;
  writeFileSync(join(place.folder, 'job.yaml'), job);
  const { code, stdout, stderr } = await place.run([
    'run',
    '-f',
    'job.yaml',
    '--json',
    '--',
    'sh',
    '-c',
    opens(7),
  ]);
  assert.equal(code, 0, stderr);
  const result = JSON.parse(stdout);
  assert.equal(result.job.name, 'opens');
  assert.equal(result.job.namespace, 'shop');
  assert.match(readdirSync(place.folder).join(' '), /^job\.yaml sonde-opens-\d{8}-\d{6}$/);
});

test("the command's own failure is told, and is no failure of the job", async () => {
  using place = workplace();
  const { code, stderr } = await place.run(['run', 'open-files', '--', 'sh', '-c', 'exit 7']);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /the command ended with exit code 7/);
});

test('at the deadline a command that does not want to end is ended', async () => {
  using place = workplace();
  const script = 'trap "" TERM; sleep 60 & while true; do sleep 0.1; done';
  const run = place.start(['run', 'open-files', '-o', 'out', '-d', '1s', '--', 'sh', '-c', script]);
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /the command was ended by SIGKILL/);
  assert.equal(place.result('out').ended, 'Duration');
  assert.deepEqual(groupsOf(run.child.pid), []);
});

test('what a command leaves running goes on', async () => {
  using place = workplace();
  const { code, stderr } = await place.run([
    'run',
    'open-files',
    '--',
    'sh',
    '-c',
    'sleep 77.7 >/dev/null 2>&1 & echo $! > pid',
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /1 process that the command left running go(es)? on, untraced/);
  const pid = Number(readFileSync(join(place.folder, 'pid'), 'utf8'));
  assert.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /^sleep.77\.7/);
  process.kill(pid, 'SIGKILL');
});

test('Ctrl-C ends the job early and keeps the result', async () => {
  using place = workplace();
  const run = place.start(['run', 'open-files', '--pid', String(process.pid), '-o', 'out']);
  await run.said(/tracing /);
  run.child.kill('SIGINT');
  const { code, stdout } = await run.ended;
  assert.equal(code, 0);
  assert.match(stdout, /0 events|events/);
  assert.equal(place.result('out').ended, 'Stopped');
});

test('a second Ctrl-C quits at once and kills the command', async () => {
  using place = workplace();
  const run = place.start([
    'run',
    'open-files',
    '--',
    'sh',
    '-c',
    'trap "" TERM; while true; do sleep 0.1; done',
  ]);
  await run.said(/tracing /);
  await sleep(300);
  run.child.kill('SIGINT');
  await run.said(/ending early/);
  run.child.kill('SIGINT');
  const { code } = await run.ended;
  assert.equal(code, 1);
  for (const { directory } of groupsOf(run.child.pid)) {
    assert.equal(readFileSync(join(directory, 'cgroup.procs'), 'utf8'), '');
  }
});

test('what a killed run leaves behind is swept at the next start', async () => {
  using place = workplace();
  const run = place.start([
    'run',
    'open-files',
    '--',
    'sh',
    '-c',
    'exec >/dev/null 2>&1 </dev/null; sleep 88.8',
  ]);
  await run.said(/tracing /);
  await sleep(300);
  run.child.kill('SIGKILL');
  await run.ended;
  assert.equal(groupsOf(run.child.pid).length, 1);
  const { code, stderr } = await place.run(['run', 'open-files', '--', 'true']);
  assert.equal(code, 0, stderr);
  assert.deepEqual(groupsOf(run.child.pid), []);
});

test('a process that ends during the run ends the job, with its result', async () => {
  using place = workplace();
  const traced = spawn('sleep', ['2']);
  const { code, stderr } = await place.run(['run', 'open-files', '--pid', String(traced.pid), '-o', 'out']);
  assert.equal(code, 0, stderr);
  assert.equal(place.result('out').ended, 'TargetGone');
});

test('bad input is explained with what to do, the right exit code, and nothing left behind', async () => {
  using place = workplace();
  mkdirSync(join(place.folder, 'full'));
  writeFileSync(join(place.folder, 'full/precious'), '');
  writeFileSync(
    join(place.folder, 'bad.yaml'),
    'apiVersion: sonde.dev/v1alpha1\nkind: TraceJob\nmetadata: {name: a}\nspec:\n  trace: {openFile: {}}\n  duration: 60\n',
  );
  const cases: [string[], number, RegExp][] = [
    [['run', 'open-files'], 2, /nothing says whose doings open-files is to trace\n {2}Add a command/],
    [['run', 'open-fles', '--', 'true'], 2, /did you mean open-files\?/],
    [['run', 'open-files', '--pid', '4194300'], 2, /no process 4194300/],
    [['run', 'open-files', '--cgroup', '/no/such'], 2, /no cgroup \/no\/such below/],
    [['run', 'open-files', '--container', 'no-such'], 2, /no container no-such/],
    [['run', 'open-files', '--', 'no-such-command'], 2, /no command no-such-command in \$PATH/],
    [['run', 'open-files', '-o', 'full', '--', 'true'], 2, /exists and is not empty/],
    [['run', 'open-files', '-d', '0s', '--', 'true'], 2, /outside the limits 1s…24h/],
    [['run', 'open-files', '-o', '/proc/sonde/x', '--', 'true'], 1, /can't make \/proc\/sonde\/x/],
    [['run', '-f', 'nowhere.yaml', '--', 'true'], 2, /can't read nowhere.yaml: there is no such file/],
    [
      ['run', '-f', 'bad.yaml', '--', 'true'],
      2,
      /bad\.yaml:5:11: spec\.trace\.openFile: unknown gadget; did you mean openFiles\?\nbad\.yaml:6:13: spec\.duration: 60 is a number without a unit/,
    ],
    [['validate', '-f', 'bad.yaml'], 2, /^$/],
    [['rnu'], 2, /unknown command "rnu"; did you mean run\?/],
  ];
  for (const [args, exit, words] of cases) {
    const { code, stderr } = await place.run(args);
    assert.equal(code, exit, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, words, args.join(' '));
  }
  assert.deepEqual(readdirSync(place.folder).sort(), ['bad.yaml', 'full']);
});

test('without capabilities it says which are missing, and exits with 3', async () => {
  using place = workplace();
  const argv = ['setpriv', '--bounding-set=-all', sondePath];
  const run = await start([...argv, 'run', 'open-files', '--json', '--', 'true'], { cwd: place.folder })
    .ended;
  assert.equal(run.code, 3, run.stderr);
  assert.match(run.stderr, /needs CAP_BPF and CAP_PERFMON/);
  assert.equal(JSON.parse(run.stderr.trim().split('\n').at(-1) ?? '').error.code, 'NotPermitted');
  const doctor = await start([...argv, 'doctor'], { cwd: place.folder }).ended;
  assert.equal(doctor.code, 3, doctor.stderr);
  assert.match(doctor.stdout, /missing +CAP_BPF/);
});

test('a reader that stops reading is no error', async () => {
  using place = workplace();
  const { code, stderr } = await start(['sh', '-c', `${sondePath} gadgets --json | head -c 10; exit 0`], {
    cwd: place.folder,
  }).ended;
  assert.equal(code, 0);
  assert.equal(stderr, '');
});

test('on a full disk it says so, exits with 1, and keeps what was recorded', async () => {
  using place = workplace();
  const { code, stderr } = await start(
    [
      ...['unshare', '-m', 'sh', '-c'],
      `mount -t tmpfs -o size=200k tmpfs ${place.folder} && cd ${place.folder} &&
       { ${sondePath} run open-files -o ${place.folder}/out -- sh -c '${opens(20_000)}'; code=$?; wc -l out/events.jsonl >&2; exit $code; }`,
    ],
    { cwd: place.folder },
  ).ended;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /disk is full/);
  assert.ok(Number(/^(\d+) out\/events\.jsonl$/m.exec(stderr)?.[1]) > 100, stderr);
});

test('the name decides: as kubectl-sonde it is about the cluster, by a link from anywhere; what is traced does not see it', async () => {
  using place = workplace();
  const link = join(place.folder, 'kubectl-sonde');
  symlinkSync(sondePath, link);
  const plugin = await start([link, 'help'], { cwd: place.folder }).ended;
  assert.match(plugin.stdout, /^Sonde traces what pods do/);
  const onMachine = await place.run(['help']);
  assert.match(onMachine.stdout, /^Sonde traces what processes and containers do/);
  const traced = await place.run(['run', 'process-exec', '-o', 'out', '--', 'env']);
  assert.match(traced.stdout, /PATH=/);
  assert.doesNotMatch(traced.stdout, /SONDE_CALLED/);
});
