import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');
const rounds = scaled(500);

test('every read and write of a process is in its histogram; a neighbour is in none', async () => {
  const traced = await trace('file-io-latency', {
    parameters: { byProcess: true, processName: 'asks' },
    inside: [[asks, 'files', String(rounds)]],
    outside: [asks, 'files', '20'],
  });
  const calls = (operation: string): number =>
    traced.rows
      .filter((row) => (row.key as unknown[]).includes(operation))
      .flatMap((row) => row.buckets as [number, number][])
      .reduce((total, [, count]) => total + count, 0);
  assert.equal(calls('Write'), rounds);
  assert.equal(calls('Read'), 5 * rounds);
});
