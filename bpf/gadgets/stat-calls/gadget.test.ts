import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');
const rounds = scaled(1000);

test('each look is a row with its path and its result, as many as bpftrace counts; a neighbour is in none', async () => {
  const traced = await trace('stat-calls', {
    inside: [[asks, 'stats', String(rounds)]],
    outside: [asks, 'stats', '100'],
    peer: (cgroup) =>
      ['newfstatat', 'statx']
        .map((call) => `tracepoint:syscalls:sys_exit_${call} /cgroup == ${cgroup}/ { @${call} = count(); }`)
        .join(' '),
  });
  assert.equal(traced.meta.events.lost, 0n);
  assert.equal(traced.rows.length, 3 * rounds);
  const missing = { path: '/no/such/file', errno: 'ENOENT', process: 'asks', container: 'test' };
  assert.equal(count(traced.rows, { ...missing, syscall: 'newfstatat' }), rounds);
  assert.equal(count(traced.rows, { ...missing, syscall: 'statx' }), rounds);
  assert.equal(count(traced.rows, { path: '/', syscall: 'newfstatat' }), rounds);
  if (traced.peer) {
    assert.equal(traced.peer.newfstatat, 2 * rounds);
    assert.equal(traced.peer.statx, rounds);
  }
});

test('only failed ones, by their errno, of one process name', async () => {
  const inside: [string, ...string[]][] = [[asks, 'stats', '10']];
  const failed = await trace('stat-calls', { parameters: { failedOnly: true }, inside });
  assert.equal(failed.rows.length, 20);
  const denied = await trace('stat-calls', { parameters: { errno: 'EACCES' }, inside });
  assert.equal(denied.rows.length, 0);
  const other = await trace('stat-calls', { parameters: { processName: 'ask' }, inside });
  assert.equal(other.rows.length, 0);
});
