import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '../../../test/support/trace.ts';
import { workload } from '../../../test/support/workload.ts';

const talks = await workload('talks');

test('round trips on loopback are short, and one histogram per peer; a neighbour is in none', async () => {
  const traced = await trace('tcp-rtt', {
    parameters: { byPeer: true },
    inside: [[talks, 'both', '4', '0', '50', '1000', '70000', 'close']],
    outside: [talks, 'both', '6', '0', '10', '10', '10', 'close'],
  });
  assert.equal(traced.rows.length, 1);
  assert.ok(String(traced.rows[0]?.key).includes('127.0.0.1'));
  const buckets = traced.rows.flatMap((row) => row.buckets as [number, number][]);
  const packets = buckets.reduce((total, [, count]) => total + count, 0);
  assert.ok(packets >= 100, `${packets} packets`);
  // 2^26 ns: 67 ms; a busy machine may take long.
  assert.ok(
    buckets.every(([bucket]) => bucket > 8 && bucket < 28),
    JSON.stringify(buckets),
  );
});

test('only the ports asked for', async () => {
  const traced = await trace('tcp-rtt', {
    parameters: { remotePorts: [1] },
    inside: [[talks, 'both', '4', '0', '5', '10', '10', 'close']],
  });
  assert.equal(traced.rows.length, 0);
});
