import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const talks = await workload('talks');
const many = scaled(100);

test('each change of both ends of each connection is a row; a neighbour is in none', async () => {
  const traced = await trace('tcp-states', {
    inside: [[talks, 'both', '4', '0', String(many), '1000', '70000', 'close']],
    outside: [talks, 'both', '6', '0', '10', '10', '10', 'close'],
  });
  assert.equal(traced.meta.events.lost, 0n);
  assert.equal(count(traced.rows, { from: 'CLOSE', to: 'SYN_SENT', process: 'talks' }), many);
  assert.equal(count(traced.rows, { from: 'SYN_SENT', to: 'ESTABLISHED' }), many);
  assert.equal(count(traced.rows, { from: 'SYN_RECV', to: 'ESTABLISHED' }), many);
  // The caller closes first.
  assert.equal(count(traced.rows, { from: 'ESTABLISHED', to: 'CLOSE_WAIT' }), many);
  assert.equal(count(traced.rows, { from: 'CLOSE_WAIT', to: 'LAST_ACK', process: 'talks' }), many);
  assert.equal(count(traced.rows, { from: 'CLOSE', to: 'LISTEN' }), 1);
  assert.ok(traced.rows.every(({ localAddress }) => !String(localAddress).includes('::1')));
  const established = traced.rows.filter(({ from }) => from === 'ESTABLISHED');
  assert.ok(established.every(({ durationNs }) => Number(durationNs) > 0));
});

test('only the states asked for', async () => {
  const traced = await trace('tcp-states', {
    parameters: { states: ['LISTEN'] },
    inside: [[talks, 'both', '6', '0', '5', '10', '10', 'close']],
  });
  assert.equal(traced.rows.length, 1);
  assert.equal(count(traced.rows, { to: 'LISTEN' }), 1);
});
