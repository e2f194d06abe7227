// Commands started inside a cgroup, clocks and CPU time. Needs root and a cgroup2 hierarchy.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { NativeError } from './errors.ts';
import { native } from './index.ts';

// As mountinfo says: "… <mount point> … - cgroup2 …".
const mount =
  /^(?:\S+ ){4}(\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1] ?? '';
const group = `${mount}/sonde-native-test-${process.pid}`;
const folder = mkdtempSync(`${tmpdir()}/sonde-native-`);
mkdirSync(group);
after(() => {
  rmdirSync(group);
  rmSync(folder, { recursive: true });
});
const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', GREETING: 'hello' };

function failure(run: () => unknown): NativeError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof NativeError, String(error));
    return error;
  }
  assert.fail('nothing was thrown');
}

test('a command is in its cgroup from the start, with its arguments, environment, folder and standard signals', async () => {
  process.on('SIGUSR1', () => {});
  const script =
    'read line < /proc/self/cgroup; cat /proc/self/cgroup /proc/self/status > out; echo "$GREETING $0 $1" >> out; exit 7';
  const command = native.spawnInCgroup(group, ['sh', '-c', script, 'zero', 'one two'], env, folder);
  assert.ok(command.pid > 1);
  assert.deepEqual(await command.exited, { code: 7, signal: null });
  const out = readFileSync(`${folder}/out`, 'utf8');
  assert.match(out, new RegExp(`^0::.*/sonde-native-test-${process.pid}$`, 'm'));
  assert.match(out, /^SigBlk:\t0+$/m);
  assert.match(out, /^SigIgn:\t0+$/m);
  assert.match(out, /^hello zero one two$/m);
  process.removeAllListeners('SIGUSR1');
});

test('a command has the standard output of this process', () => {
  const script = `import { native } from '${import.meta.dirname}/index.ts';
    await native.spawnInCgroup('${group}', ['echo', 'said'], { PATH: process.env.PATH }, '/').exited;`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(out, 'said\n');
});

test('a command that is killed says by which signal', async () => {
  const command = native.spawnInCgroup(group, ['sleep', '60'], env, '/');
  process.kill(command.pid, 'SIGTERM');
  assert.deepEqual(await command.exited, { code: null, signal: 'SIGTERM' });
});

test('what cannot be run says so at once, and leaves no process and no descriptor', () => {
  const before = native.held().fds;
  const run = (path: string, argv: string[], cwd = '/') =>
    failure(() => native.spawnInCgroup(path, argv, env, cwd));
  assert.equal(run(group, ['no-such-command']).code, 'NotFound');
  assert.match(run(group, ['no-such-command']).message, /run no-such-command: No such file/);
  assert.equal(run(group, ['/etc/passwd']).code, 'PermissionDenied');
  assert.match(run(group, ['ls'], '/no/such/folder').message, /folder \/no\/such\/folder/);
  assert.match(run(`${group}/none`, ['ls']).message, /open cgroup/);
  assert.equal(run(group, []).code, 'InvalidArgument');
  assert.equal(run(group, ['a\0b']).code, 'InvalidArgument');
  assert.equal(native.held().fds, before);
  assert.equal(readFileSync(`${group}/cgroup.procs`, 'utf8'), '');
});

test('clocks agree with JavaScript, CPU time runs when this process does', () => {
  const { monotonic, realtime } = native.clocks();
  assert.ok(Math.abs(Number(realtime / 1_000_000n) - Date.now()) < 1000);
  assert.ok(process.hrtime.bigint() - monotonic < 1_000_000_000n);
  const before = native.cpuTime();
  const end = performance.now() + 30;
  while (performance.now() < end);
  assert.ok(native.cpuTime() - before > 10_000_000n);
});
