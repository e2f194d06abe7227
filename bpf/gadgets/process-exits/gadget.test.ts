import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');
const rounds = scaled(300);

test('each process that ends is one row with its code or its signal; a neighbour is in none', async () => {
  const traced = await trace('process-exits', {
    inside: [[asks, 'exits', String(rounds)]],
    outside: [asks, 'exits', '20'],
  });
  assert.equal(traced.meta.events.lost, 0n);
  assert.equal(traced.rows.length, 3 * rounds + 1);
  const child = { process: 'asks', parentProcess: 'asks', container: 'test' };
  assert.equal(count(traced.rows, { ...child, exitCode: 3, signal: null }), rounds);
  assert.equal(count(traced.rows, { ...child, exitCode: null, signal: 'SIGKILL' }), rounds);
  assert.equal(count(traced.rows, { process: 'asks', exitCode: 0 }), rounds + 1);
  assert.ok(traced.rows.every(({ lifetimeNs }) => Number(lifetimeNs) > 0 && Number(lifetimeNs) < 120e9));
});

test('only those that failed', async () => {
  const traced = await trace('process-exits', {
    parameters: { failedOnly: true },
    inside: [[asks, 'exits', '10']],
  });
  assert.equal(traced.rows.length, 20);
});
