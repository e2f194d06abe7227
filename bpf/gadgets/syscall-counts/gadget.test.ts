import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const calls = await workload('calls');

const threads = 4;
const getppids = scaled(20_000);
const failing = scaled(3000);
const sleeps = 20;
const sleepUs = 2000;
const signals = 50;
const numbers = [threads, getppids, failing, sleeps, sleepUs, signals].map(String);
const neighbour: [string, ...string[]] = [calls, '2', '50000', '50000', '1', '1', '1'];

test('calls, errors and times are exact for four threads, as many as bpftrace counts; no neighbour', async () => {
  const traced = await trace('syscall-counts', {
    inside: [[calls, ...numbers]],
    outside: neighbour,
    peer: (cgroup) =>
      [39 + 71, 1, 230, 15] // getppid, write, clock_nanosleep, rt_sigreturn on x86
        .map(
          (number) =>
            `tracepoint:raw_syscalls:sys_enter /cgroup == ${cgroup} && args->id == ${number}/ { @n${number} = count(); }`,
        )
        .join(' '),
  });
  assert.deepEqual(traced.exits, [{ code: 0, signal: null }]);
  const row = (syscall: string) => {
    const found = traced.rows.filter((each) => each.syscall === syscall);
    assert.equal(found.length, 1, syscall);
    return found[0] ?? {};
  };
  assert.equal(row('getppid').calls, threads * getppids);
  assert.equal(row('getppid').errors, 0);
  assert.deepEqual([row('write').calls, row('write').errors], [threads * failing, threads * failing]);
  assert.equal(row('rt_sigreturn').calls, signals);
  const slept = row('clock_nanosleep');
  assert.equal(slept.calls, threads * sleeps);
  const expected = threads * sleeps * sleepUs * 1000;
  assert.ok(Number(slept.totalNs) >= expected, `${slept.totalNs} ns slept of ${expected}`);
  // Timers are late, never early; how late is the machine's.
  assert.ok(Number(slept.maxNs) >= sleepUs * 1000);
  assert.ok(Number(slept.maxNs) <= Number(slept.totalNs) - (threads * sleeps - 1) * sleepUs * 1000);
  assert.equal(traced.meta.events.lost, 0n);
  if (traced.peer && process.arch === 'x64') {
    assert.equal(traced.peer.n110, threads * getppids);
    assert.equal(traced.peer.n1, threads * failing);
    assert.equal(traced.peer.n230, threads * sleeps);
    assert.equal(traced.peer.n15, signals);
  }
});

test('without times it counts the same with the exit alone', async () => {
  const traced = await trace('syscall-counts', {
    parameters: { time: false },
    inside: [[calls, ...numbers]],
  });
  assert.deepEqual(
    traced.meta.attached.map(({ program }) => program),
    ['call_exit'],
  );
  const found = traced.rows.find(({ syscall }) => syscall === 'getppid');
  assert.equal(found?.calls, threads * getppids);
  assert.equal(found?.totalNs, undefined);
});

test('only some calls, only errors: nothing else is in the table', async () => {
  const some = await trace('syscall-counts', {
    parameters: { syscalls: ['getppid', 'clock_nanosleep'] },
    inside: [[calls, ...numbers]],
  });
  assert.deepEqual(some.rows.map(({ syscall }) => syscall).sort(), ['clock_nanosleep', 'getppid']);
  const errors = await trace('syscall-counts', {
    parameters: { errorsOnly: true, syscalls: ['getppid', 'write'] },
    inside: [[calls, ...numbers]],
  });
  assert.deepEqual(
    errors.rows.map(({ syscall, calls, errors }) => [syscall, calls, errors]),
    [['write', threads * failing, threads * failing]],
  );
});

test('by process, each has rows of its own', async () => {
  const two = [calls, '1', '10', '0', '0', '0', '0'] as [string, ...string[]];
  const traced = await trace('syscall-counts', {
    parameters: { byProcess: true, syscalls: ['getppid'] },
    inside: [two, two],
  });
  assert.deepEqual(
    traced.rows.map((row) => [row.process, row.calls]),
    [
      ['calls', 10],
      ['calls', 10],
    ],
  );
  assert.notEqual(traced.rows[0]?.pid, traced.rows[1]?.pid);
});

test('more rows than there is room for are counted as lost', async () => {
  const traced = await trace('syscall-counts', {
    parameters: { byProcess: true, maxRows: 64 },
    inside: [['/bin/sh', '-c', `for i in $(seq 40); do "$0" 1 1 0 0 0 0; done`, calls]],
  });
  assert.ok(traced.meta.events.losses.some(({ reason, count }) => reason === 'MapFull' && count > 0n));
  assert.ok(traced.rows.length > 0);
});
