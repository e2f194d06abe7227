import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const forks = await workload('forks');
const odd = await workload('odd');

const argumentsOf = (row: Record<string, unknown> | undefined): string[] =>
  (row?.arguments ?? []) as string[];

const total = scaled(5000, 100);

test('a storm of 5,000 short processes: each with its arguments, its parent, its end; as many as bpftrace counts; no neighbour', async (t) => {
  const traced = await trace('process-exec', {
    inside: [[forks, String(total), 'storm']],
    outside: [forks, '100', 'neighbour'],
    peer: (cgroup) => `tracepoint:sched:sched_process_exec /cgroup == ${cgroup}/ { @execs = count(); }`,
  });
  assert.deepEqual(traced.exits, [{ code: 0, signal: null }]);
  assert.equal(traced.meta.events.lost, 0n);
  // The storm's own start is one more.
  assert.equal(traced.rows.length, total + 1);
  if (traced.peer) assert.equal(traced.peer.execs, total + 1);
  const storm = traced.rows.find((row) => argumentsOf(row)[1] === String(total));
  assert.deepEqual(storm?.arguments, [forks, String(total), 'storm']);
  assert.equal(storm?.filename, forks);
  assert.equal(storm?.ended, 'exited');
  const children = new Map(traced.rows.map((row) => [argumentsOf(row)[2], row]));
  for (let i = 0; i < total; i++) {
    const child = children.get(String(i));
    assert.deepEqual(child?.arguments, [forks, 'child', String(i), 'storm']);
    assert.equal(child?.parentPid, storm?.pid);
    assert.equal(child?.parentProcess, 'forks');
    assert.equal(child?.filename, '/proc/self/exe');
    const killed = i % 10 === 9;
    assert.equal(child?.ended, killed ? 'killed' : 'exited', `child ${i}`);
    assert.equal(child?.exitCode ?? null, killed ? null : i % 5, `child ${i}`);
    assert.equal(child?.signal ?? null, killed ? 'SIGTERM' : null, `child ${i}`);
    assert.ok(Number(child?.lifetimeNs) > 0 && Number(child?.lifetimeNs) < Number(storm?.lifetimeNs));
  }
  t.diagnostic(`programs ${traced.meta.overhead.programsCpuNs} ns`);
});

test('failed execs are rows with includeFailed only, with file, arguments and errno', async () => {
  const inside: [string, ...string[]][] = [[forks, '200', 'some']];
  assert.equal((await trace('process-exec', { inside })).rows.length, 201);
  const traced = await trace('process-exec', { inside, parameters: { includeFailed: true } });
  assert.equal(traced.rows.length, 203);
  const failed = traced.rows.filter(({ ended }) => ended === 'failed');
  assert.deepEqual(
    failed.map((row) => [row.filename, row.arguments, row.errno, row.argumentsTruncated]),
    ['0', '100'].map((i) => ['/nowhere/to be found', [forks, 'child', i, 'some'], 'ENOENT', false]),
  );
});

test('a program that execs again is ended as replaced, and the next one goes on under its pid', async () => {
  const traced = await trace('process-exec', {
    inside: [['/bin/sh', '-c', 'exec "$0" run renamed "$0" "$0" nothing', odd]],
  });
  const rows = traced.rows.map((row) => [row.filename, argumentsOf(row)[1], row.ended]);
  assert.deepEqual(rows, [
    ['/bin/sh', '-c', 'replaced'],
    [odd, 'run', 'replaced'],
    [odd, 'nothing', 'exited'],
  ]);
  assert.equal(new Set(traced.rows.map(({ pid }) => pid)).size, 1);
});

test('an exec by a thread that is not the first is the process’s, and ends once', async () => {
  const traced = await trace('process-exec', { inside: [[odd, 'thread-exec']] });
  const rows = traced.rows.map((row) => [argumentsOf(row)[1], row.ended, row.exitCode ?? null]);
  assert.deepEqual(rows, [
    ['thread-exec', 'replaced', null],
    ['nothing', 'exited', 0],
  ]);
  assert.equal(traced.rows[0]?.pid, traced.rows[1]?.pid);
});

test('4,096 bytes of arguments are whole, more are cut and said to be', async () => {
  const around = Buffer.byteLength(`${odd}\0nothing\0\0last\0`);
  const traced = await trace('process-exec', {
    inside: [
      [odd, 'big', String(4096 - around)],
      [odd, 'big', String(4097 - around)],
    ],
  });
  const [whole, cut] = traced.rows.filter((row) => argumentsOf(row)[1] === 'nothing');
  assert.equal(whole?.argumentsTruncated, false);
  assert.equal(argumentsOf(whole)[2]?.length, 4096 - around);
  assert.equal(argumentsOf(whole)[3], 'last');
  assert.equal(cut?.argumentsTruncated, true);
  assert.equal(argumentsOf(cut).join('\0').length, 4096);
});

test('hostile names, files and arguments come through as they are, or marked where they are not UTF-8', async () => {
  const red = '\u001b[31mred\u001b[0m';
  const traced = await trace('process-exec', {
    inside: [
      [odd, 'run', red, odd, red, 'nothing', `a\n${red}`, '', '"'],
      ['/bin/sh', '-c', `exec "$0" run x "$0" y nothing "$(printf '\\377\\376')"`, odd],
    ],
  });
  const [, first, , , second] = traced.rows;
  assert.deepEqual(first?.arguments, [red, 'nothing', `a\n${red}`, '', '"']);
  assert.equal(argumentsOf(second)[2], '\ufffd\ufffd');
});

test('what still runs when the job ends is a row without an end', async () => {
  // The shell ends when the program has begun: its read sees the output closed.
  const script = '{ "$0" wait 500 & } | { read -r nothing; true; }';
  const traced = await trace('process-exec', { inside: [['/bin/sh', '-c', script, odd]] });
  const waiting = traced.rows.find((row) => argumentsOf(row)[1] === 'wait');
  assert.deepEqual(argumentsOf(waiting), [odd, 'wait', '500']);
  assert.deepEqual(
    [waiting?.ended ?? null, waiting?.exitCode ?? null, waiting?.lifetimeNs ?? null],
    [null, null, null],
  );
});
