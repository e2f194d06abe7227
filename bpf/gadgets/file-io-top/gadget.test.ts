import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Traced, trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');
const rounds = scaled(500);

const sum = (traced: Traced, operation: string, column: string): number =>
  traced.rows
    .filter((row) => row.operation === operation && row.file === 'memfd:ledger')
    .reduce((total, row) => total + Number(row[column]), 0);

test('calls and bytes of a file are counted each way, as bpftrace counts them; a neighbour is in none', async () => {
  const traced = await trace('file-io-top', {
    inside: [[asks, 'files', String(rounds)]],
    outside: [asks, 'files', '20'],
    peer: (cgroup) =>
      `tracepoint:syscalls:sys_exit_pread64 /cgroup == ${cgroup} && args->ret == 1000/ { @reads = count(); }`,
  });
  assert.equal(traced.meta.events.lost, 0n);
  assert.equal(sum(traced, 'Write', 'calls'), rounds);
  assert.equal(sum(traced, 'Write', 'bytes'), rounds * 4000);
  assert.equal(sum(traced, 'Read', 'calls'), 5 * rounds);
  assert.equal(sum(traced, 'Read', 'bytes'), rounds * 4000);
  assert.ok(sum(traced, 'Read', 'totalNs') > 0);
  if (traced.peer) assert.equal(traced.peer.reads, 4 * rounds);
});

test('only what failed', async () => {
  const traced = await trace('file-io-top', {
    parameters: { failedOnly: true },
    inside: [[asks, 'files', '10']],
  });
  assert.equal(sum(traced, 'Read', 'calls'), 0);
});
