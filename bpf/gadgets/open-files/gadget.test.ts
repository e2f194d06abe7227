import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AgentError } from '../../../agent/errors.ts';
import { type Traced, trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';
import gadget from './gadget.ts';

const folder = mkdtempSync(join(tmpdir(), 'sonde-open-'));
after(() => rmSync(folder, { recursive: true }));
const there = join(folder, 'there');
const missing = join(folder, 'missing');
writeFileSync(there, '');

const total = scaled(10_000, 40);
const failing = total / 4;
const opens = await workload('opens');
const odd = await workload('odd');

const calls = ['open', 'openat', 'openat2', 'creat'];

const count = (traced: Traced, wanted: Record<string, unknown>): number =>
  traced.rows.filter((row) => Object.entries(wanted).every(([name, value]) => row[name] === value)).length;

test('10,000 opens of which 2,500 fail are that many rows, as many as bpftrace counts; a neighbour is in none', async (t) => {
  const traced = await trace('open-files', {
    inside: [[opens, String(total), String(failing), there, missing]],
    outside: [opens, String(total), String(failing), there, '/neighbour'],
    peer: (cgroup) =>
      calls
        .map((call) => `tracepoint:syscalls:sys_exit_${call} /cgroup == ${cgroup}/ { @${call} = count(); }`)
        .join(' '),
  });
  assert.deepEqual(traced.exits, [{ code: 0, signal: null }]);
  assert.equal(traced.meta.events.lost, 0n);
  assert.equal(traced.rows.length, total);
  assert.equal(count(traced, { path: there }), total - failing);
  assert.equal(count(traced, { path: missing, errno: 'ENOENT', fd: -1 }), failing);
  assert.equal(count(traced, { path: '/neighbour' }), 0);
  assert.equal(count(traced, { process: 'opens', container: 'test', uid: 0 }), total);
  for (const call of calls) {
    if (process.arch !== 'x64') break; // arm64 has no open and no creat
    if (traced.peer) assert.equal(count(traced, { syscall: call }), traced.peer[call], call);
    else if (call !== 'openat') assert.ok(count(traced, { syscall: call }) >= total / 8, call);
  }
  t.diagnostic(`hooks: ${traced.meta.attached.map(({ hook }) => hook).join(', ')}`);
});

test('flags are those of the call, by each way to open', async () => {
  const traced = await trace('open-files', { inside: [[opens, '4', '0', there, missing]] });
  const flags = Object.fromEntries(traced.rows.map((row) => [row.syscall, row.flags]));
  const x86Flags = { open: 0, creat: 0o1101, openat2: 0o2000000, openat: 0o4002 };
  if (process.arch === 'x64') assert.deepEqual(flags, x86Flags);
  assert.ok(traced.rows.every(({ fd }) => Number(fd) >= 3));
});

test('only failures, only one errno, only a path prefix, only a process name: each leaves out the rest in the kernel', async () => {
  const inside: [string, ...string[]][] = [[opens, '400', '100', there, missing]];
  const rowsWith = async (parameters: Record<string, unknown>): Promise<number> =>
    (await trace('open-files', { parameters, inside })).rows.length;
  assert.equal(await rowsWith({ failedOnly: true }), 100);
  assert.equal(await rowsWith({ errno: 'ENOENT' }), 100);
  assert.equal(await rowsWith({ errno: 'EACCES' }), 0);
  assert.equal(await rowsWith({ pathPrefix: missing }), 100);
  assert.equal(await rowsWith({ pathPrefix: folder }), 400);
  assert.equal(await rowsWith({ processName: 'opens' }), 400);
  assert.equal(await rowsWith({ processName: 'open' }), 0);
});

test('a process tree is followed from its root, and what is outside it is not seen', async () => {
  const traced = await trace('open-files', {
    scope: 'process',
    inside: [[opens, '40', '10', there, missing]],
  });
  assert.equal(count(traced, { process: 'opens' }), 40);
});

test('opens by io_uring are rows with their path and result', async (t) => {
  const traced = await trace('open-files', {
    inside: [
      [odd, 'uring', '20', there],
      [odd, 'uring', '10', missing],
    ],
  });
  const seen = traced.meta.attached.some(({ program }) => program === 'open_uring_submit');
  if (!seen || traced.exits.some(({ code }) => code === 3)) {
    t.diagnostic('this kernel has no io_uring, or no trace point that says what it opens');
    return;
  }
  assert.equal(count(traced, { syscall: 'io_uring_enter', path: there, process: 'odd' }), 20);
  assert.equal(count(traced, { syscall: 'io_uring_enter', path: missing, errno: 'ENOENT' }), 10);
});

test('hostile names and paths come through as they are, or marked where they are not UTF-8', async () => {
  const red = '\u001b[31mred\u001b[0m';
  const long = `/${'x'.repeat(4094)}`;
  const traced = await trace('open-files', {
    inside: [
      [odd, 'open', '1', red, `/no/${red}\nnew line`],
      [odd, 'open', '1', 'a\nb', long],
      // The shell makes bytes that no string of ours can hold.
      ['/bin/sh', '-c', `exec "$0" open 1 "$(printf 'n\\377')" "$(printf '/no/\\377\\376')"`, odd],
    ],
  });
  assert.equal(count(traced, { process: red, path: `/no/${red}\nnew line`, errno: 'ENOENT' }), 1);
  assert.equal(count(traced, { process: 'a\nb', path: long }), 1);
  const broken = traced.rows.find(({ path_bytes }) => path_bytes !== undefined);
  assert.deepEqual(
    Buffer.from(String(broken?.path_bytes), 'base64'),
    Buffer.from([0x2f, 0x6e, 0x6f, 0x2f, 0xff, 0xfe]),
  );
  assert.equal(broken?.path, '/no/\ufffd\ufffd');
});

test('the first instruction of a process in a group made below the scope is seen', async () => {
  // The shell makes the group, moves into it and opens: all after the session began.
  const script = 'mkdir $1/child && echo 0 > $1/child/cgroup.procs && exec "$2" 8 0 "$3" "$4"';
  const traced = await trace('open-files', {
    inside: ({ path }) => [['/bin/sh', '-c', script, 'sh', path, opens, there, missing]],
    cleanUp: ['child'],
  });
  assert.equal(count(traced, { process: 'opens', path: there, container: 'test' }), 8);
});

test('each way to attach that this kernel has gives the same rows', async (t) => {
  const ways = gadget.programs(gadget.parameters.parse({}))[0]?.length ?? 0;
  let had = 0;
  for (let alternative = 0; alternative < ways; alternative++) {
    try {
      const traced = await trace('open-files', {
        alternative,
        inside: [[opens, '40', '10', there, missing]],
      });
      // The last way is arm64's, which has neither open nor creat; the workload's 10 failures are spread over all calls.
      const x86Only = alternative === ways - 1 && process.arch === 'x64';
      const expected = traced.rows.filter(({ syscall }) => syscall === 'openat' || syscall === 'openat2');
      if (x86Only) assert.equal(traced.rows.length, expected.length);
      else assert.equal(count(traced, { process: 'opens' }), 40);
      assert.ok(
        traced.rows.every(({ path, flags }) => (path === there || path === missing) && flags !== undefined),
      );
      assert.equal(count(traced, { syscall: 'openat2', flags: 0o2000000 }), 10);
      had++;
    } catch (error) {
      if (!(error instanceof AgentError && error.reason === 'HookMissing')) throw error;
      t.diagnostic(`not here: ${error.message}`);
    }
  }
  assert.ok(had > 0);
});
