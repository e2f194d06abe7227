import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');

test('each call is a row with its operation and arguments; a neighbour is in none', async () => {
  const traced = await trace('privilege-changes', {
    inside: [[asks, 'privileges', '50']],
    outside: [asks, 'privileges', '5'],
  });
  assert.equal(traced.rows.length, 250);
  assert.equal(count(traced.rows, { syscall: 'setuid', argument1: 0, operation: null, errno: null }), 50);
  assert.equal(count(traced.rows, { syscall: 'unshare', argument1: 0 }), 50);
  const attach = { syscall: 'ptrace', operation: 'PTRACE_ATTACH', argument2: 0x3fffffff };
  assert.equal(count(traced.rows, { ...attach, errno: 'ESRCH' }), 50);
  assert.equal(count(traced.rows, { syscall: 'bpf', operation: 'BPF_PROG_LOAD' }), 50);
  assert.equal(count(traced.rows, { syscall: 'keyctl', operation: 'KEYCTL_GET_KEYRING_ID' }), 50);
});

test('only the calls asked for', async () => {
  const traced = await trace('privilege-changes', {
    parameters: { calls: ['ptrace'] },
    inside: [[asks, 'privileges', '10']],
  });
  assert.equal(traced.rows.length, 10);
});
