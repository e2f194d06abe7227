import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');
const rounds = scaled(200);

const looks = (rows: Record<string, unknown>[], result: string): number =>
  rows
    .filter((row) => row.capability === 'CAP_SYS_CHROOT' && row.result === result && row.process === 'asks')
    .reduce((sum, { checks }) => sum + Number(checks), 0);

test('what is needed is counted with its answer; a neighbour is in none', async () => {
  const traced = await trace('capabilities', {
    inside: [[asks, 'capabilities', String(rounds)]],
    outside: [asks, 'capabilities', '10'],
  });
  assert.equal(looks(traced.rows, 'Granted'), rounds);
  assert.equal(looks(traced.rows, 'Denied'), rounds);
});

test('with stacks, it says from where', async () => {
  const traced = await trace('capabilities', {
    parameters: { stacks: 'User', deniedOnly: true },
    inside: [[asks, 'capabilities', '20']],
  });
  assert.equal(looks(traced.rows, 'Granted'), 0);
  const frames = traced.rows
    .filter((row) => row.capability === 'CAP_SYS_CHROOT')
    .flatMap((row) => row.frames);
  // The C library's syscall() has no frame of its own, which hides the one that calls it.
  assert.ok(frames.includes('capabilities'), String(frames));
});
