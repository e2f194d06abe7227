import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '../../../test/support/trace.ts';
import { onDisk, workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');

test('the code that reads is named, with as many requests and bytes as it made', async (t) => {
  const { command, remove } = onDisk([asks, 'disks', '40']);
  t.after(remove);
  const traced = await trace('block-io-stacks', { inside: [command] });
  if (traced.exits[0]?.code === 3) return t.skip('no file system here that takes direct I/O: NotSupported');
  const reads = traced.rows.filter((row) => (row.frames as string[]).some((name) => /pread64/.test(name)));
  const sum = (column: string) => reads.reduce((total, row) => total + Number(row[column]), 0);
  assert.ok(sum('requests') >= 144 && sum('requests') < 184);
  assert.ok(sum('bytes') >= 36 * 65_536 && sum('bytes') < 40 * 65_536 + 262_144);
  assert.ok(sum('latencyNs') > 0);
  assert.ok(reads.some((row) => (row.frames as string[]).includes('main')));
});
