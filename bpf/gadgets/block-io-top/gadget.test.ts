import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { onDisk, workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');

test('requests and bytes are counted, and which of them were sequential', async (t) => {
  const { command, remove } = onDisk([asks, 'disks', '40']);
  t.after(remove);
  const traced = await trace('block-io-top', { inside: [command] });
  if (traced.exits[0]?.code === 3) return t.skip('no file system here that takes direct I/O: NotSupported');
  const folded = (operation: string, column: string): number =>
    traced.rows
      .filter((row) => row.operation === operation && row.process === 'asks')
      .reduce((sum, row) => sum + Number(row[column]), 0);
  // Why not exactly as many: gadget.test.ts of block-io.
  const within = (column: string, known: number, most: number): void => {
    const value = folded('Read', column);
    assert.ok(value >= known && value < most, `${value} ${column}`);
  };
  within('requests', 144, 184);
  within('bytes', 36 * 65_536, 40 * 65_536 + 262_144);
  // Of each four reads the last three go on where the one before ended.
  within('sequential', 100, 130);
  // Its own file may have to be read first.
  assert.ok(Number(find(traced.rows, { operation: 'Read' }).largestBytes) >= 16_384);
});
