import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');
const rounds = scaled(300);

test('each new thread and each fork is a row, as many as bpftrace counts; a neighbour is in none', async () => {
  const traced = await trace('threads', {
    inside: [[asks, 'threads', String(rounds)]],
    outside: [asks, 'threads', '20'],
    peer: (cgroup) => `tracepoint:task:task_newtask /cgroup == ${cgroup}/ { @made = count(); }`,
  });
  assert.equal(traced.rows.length, 3 * rounds);
  assert.equal(count(traced.rows, { kind: 'Thread', process: 'asks', container: 'test' }), 2 * rounds);
  assert.equal(count(traced.rows, { kind: 'Process', process: 'asks' }), rounds);
  if (traced.peer) assert.equal(traced.peer.made, 3 * rounds);
});

test('only threads', async () => {
  const traced = await trace('threads', {
    parameters: { threadsOnly: true },
    inside: [[asks, 'threads', '10']],
  });
  assert.equal(traced.rows.length, 20);
});
