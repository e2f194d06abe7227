import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');
const rounds = scaled(300);

test('each signal is a row with who sent it and what became of it, as many as bpftrace counts; a neighbour is in none', async () => {
  const traced = await trace('signals', {
    inside: [[asks, 'signals', String(rounds)]],
    outside: [asks, 'signals', '20'],
    peer: (cgroup) =>
      `tracepoint:signal:signal_generate /cgroup == ${cgroup} && args->sig == 15/ { @term = count(); }`,
  });
  const ours = { process: 'asks', sender: 'asks', container: 'test' };
  assert.equal(count(traced.rows, { ...ours, signal: 'SIGUSR1', result: 'Ignored', code: 0 }), rounds);
  assert.equal(count(traced.rows, { ...ours, signal: 'SIGTERM', result: 'Delivered' }), rounds);
  assert.equal(count(traced.rows, { ...ours, signal: 'SIGCHLD' }), rounds);
  assert.equal(traced.meta.events.lost, 0n);
  if (traced.peer) assert.equal(traced.peer.term, rounds);
});

test('only the signals asked for, by who sends them', async () => {
  const traced = await trace('signals', {
    parameters: { signals: ['SIGTERM'], bySender: true },
    inside: [[asks, 'signals', '10']],
  });
  assert.equal(traced.rows.length, 10);
  assert.equal(count(traced.rows, { signal: 'SIGTERM' }), 10);
});
