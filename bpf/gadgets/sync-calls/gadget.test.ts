import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, find } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');
const rounds = scaled(300);

test('each call is a row with its file, its result and how long it took; a neighbour is in none', async () => {
  const traced = await trace('sync-calls', {
    inside: [[asks, 'syncs', String(rounds)]],
    outside: [asks, 'syncs', '50'],
    peer: (cgroup) =>
      ['fsync', 'fdatasync']
        .map((call) => `tracepoint:syscalls:sys_exit_${call} /cgroup == ${cgroup}/ { @${call} = count(); }`)
        .join(' '),
  });
  assert.equal(traced.meta.events.lost, 0n);
  assert.equal(traced.rows.length, 3 * rounds);
  assert.equal(count(traced.rows, { syscall: 'fsync', file: 'memfd:ledger', process: 'asks' }), rounds);
  assert.equal(count(traced.rows, { syscall: 'fdatasync', file: 'memfd:ledger' }), rounds);
  assert.equal(count(traced.rows, { syscall: 'fsync', fd: -1, errno: 'EBADF', file: '' }), rounds);
  const { durationNs } = find(traced.rows, { syscall: 'fsync', file: 'memfd:ledger' });
  assert.ok(Number(durationNs) > 0 && Number(durationNs) < 1e9, `${durationNs} ns`);
  if (traced.peer) assert.deepEqual(traced.peer, { fsync: 2 * rounds, fdatasync: rounds });
});

test('shorter ones than asked for are left out', async () => {
  const traced = await trace('sync-calls', {
    parameters: { minimumNs: 60_000_000_000 },
    inside: [[asks, 'syncs', '10']],
  });
  assert.equal(traced.rows.length, 0);
});
