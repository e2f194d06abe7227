import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '../../../test/support/trace.ts';
import { onDisk, scaled, workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');
const rounds = scaled(50);

const requests = (rows: Record<string, unknown>[], operation: string): number =>
  rows
    .filter((row) => (row.key as unknown[]).includes(operation))
    .flatMap((row) => row.buckets as [number, number][])
    .reduce((sum, [, count]) => sum + count, 0);

test('every request is in a histogram of its disk and operation', async (t) => {
  const { command, remove } = onDisk([asks, 'disks', String(rounds)]);
  t.after(remove);
  const traced = await trace('block-io-latency', { inside: [command] });
  if (traced.exits[0]?.code === 3) return t.skip('no file system here that takes direct I/O: NotSupported');
  // Why not exactly as many: gadget.test.ts of block-io.
  const reads = requests(traced.rows, 'Read');
  assert.ok(reads >= 3.6 * rounds && reads < 4.4 * rounds + 8, `${reads} reads`);
  assert.ok(requests(traced.rows, 'Write') >= 0.9 * rounds);
});
