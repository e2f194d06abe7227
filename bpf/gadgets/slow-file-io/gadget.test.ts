import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');

test('with no minimum each call is a row with its file; a neighbour is in none', async () => {
  const traced = await trace('slow-file-io', {
    parameters: { minimumNs: 0 },
    inside: [[asks, 'files', '50']],
    outside: [asks, 'files', '5'],
  });
  const ours = { process: 'asks', file: 'memfd:ledger', container: 'test' };
  assert.equal(count(traced.rows, { ...ours, operation: 'Write', sizeBytes: 4000, syscall: 'pwrite64' }), 50);
  assert.equal(count(traced.rows, { ...ours, operation: 'Read', sizeBytes: 1000, syscall: 'pread64' }), 200);
});

test('a read from a pipe that waits is slow, when pipes are asked for', async () => {
  const traced = await trace('slow-file-io', {
    parameters: { minimumNs: 200_000_000, allFiles: true },
    inside: [['/bin/sh', '-c', 'sleep 0.3 | cat']],
  });
  assert.equal(count(traced.rows, { process: 'cat', operation: 'Read', sizeBytes: 0 }), 1);
});
