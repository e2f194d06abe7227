import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { onDisk, scaled, workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');
const rounds = scaled(50);

test('each direct read and write is a request with its size', async (t) => {
  const { command, remove } = onDisk([asks, 'disks', String(rounds)]);
  t.after(remove);
  const traced = await trace('block-io', { inside: [command] });
  if (traced.exits[0]?.code === 3) return t.skip('no file system here that takes direct I/O: NotSupported');
  const ours = { process: 'asks', container: 'test', failed: false };
  assert.equal(traced.meta.events.lost, 0n);
  assert.equal(count(traced.rows, { ...ours, operation: 'Write', sizeBytes: 65_536 }), rounds);
  assert.equal(count(traced.rows, { ...ours, operation: 'Read', sizeBytes: 16_384 }), 4 * rounds);
  for (const { queuedNs, latencyNs } of traced.rows)
    assert.ok(Number(queuedNs) >= 0 && Number(queuedNs) <= Number(latencyNs));
});

test('a neighbour that uses the same disk is in none', async (t) => {
  const { command, remove } = onDisk([asks, 'disks', '5']);
  t.after(remove);
  const traced = await trace('block-io', { inside: [['/bin/sleep', '0.3']], outside: command });
  assert.equal(count(traced.rows, { process: 'asks' }), 0);
});
