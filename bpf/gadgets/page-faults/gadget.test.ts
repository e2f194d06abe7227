import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '../../../test/support/trace.ts';
import { workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');

test('each page that is touched first is one fault, in the function that touches it; a neighbour is in none', async () => {
  const traced = await trace('page-faults', {
    inside: [[asks, 'pages', '20']],
    outside: [asks, 'pages', '2'],
  });
  const rows = traced.rows.filter((row) => (row.frames as string[]).includes('touch'));
  const sum = (column: string) => rows.reduce((total, row) => total + Number(row[column]), 0);
  // Each round touches 100 fresh pages by writing.
  assert.equal(sum('faults'), 2000);
  assert.equal(sum('writes'), 2000);
});
