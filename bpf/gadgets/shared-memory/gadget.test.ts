import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, find } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');

test('a segment is seen when it is made, attached, detached and removed; a neighbour is in none', async () => {
  const traced = await trace('shared-memory', {
    inside: [[asks, 'shared', '50']],
    outside: [asks, 'shared', '5'],
  });
  assert.equal(traced.rows.length, 250);
  assert.equal(count(traced.rows, { syscall: 'shmget', sizeBytes: 12345, segmentKey: 0, errno: null }), 50);
  assert.equal(count(traced.rows, { syscall: 'shmdt', process: 'asks' }), 50);
  assert.equal(count(traced.rows, { syscall: 'shmctl', command: 'IPC_RMID' }), 50);
  assert.equal(count(traced.rows, { syscall: 'memfd_create', name: 'ledger' }), 50);
  const { segment } = find(traced.rows, { syscall: 'shmget' });
  assert.equal(count(traced.rows, { syscall: 'shmat', segment }), 1);
});
