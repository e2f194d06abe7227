// What the plan decides of runs, results and stores. Neighbours: operator/trace.ts, operator/plan.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plan } from './plan.ts';
import {
  begun,
  finished,
  job,
  node,
  observed,
  result,
  run,
  running,
  says,
  second,
  start,
  told,
} from './testdata/observed.ts';

test('runs are fetched as they are finished, while others still trace', () => {
  const nodes = [node('a', { report: finished }), node('b', { report: running })];
  const { actions, status } = plan(observed(nodes, { job: job({ status: begun }) }), start + 60 * second);
  assert.deepEqual(told(actions), ['Fetch a']);
  assert.equal(status?.phase, 'Collecting');
});

test('a published result completes the job; only when that stands are the agents told to forget', () => {
  const nodes = [node('a', { report: finished, run: run() })];
  const publication = { state: 'Done', nodes: ['a', 'b'], result } as const;
  const { status, actions } = plan(
    observed(nodes, { job: job({ status: begun }), publication }),
    start + 62 * second,
  );
  assert.deepEqual(told(actions), []);
  assert.equal(says(status, 'Complete'), 'True Published');
  assert.equal(says(status, 'Ready'), 'True Published');
  assert.equal(says(status, 'Reconciling'), 'False Published');
  assert.equal(status?.headline, '41% of CPU in json.Unmarshal');
  assert.equal(status?.artifacts?.length, 1);
  const after = plan(
    observed(nodes, { job: job({ status: status ?? {} }), publication }),
    start + 63 * second,
  );
  assert.deepEqual(told(after.actions), ['Release a']);
  const done = plan(observed([], { job: job({ status: status ?? {} }), publication }), start + 63 * second);
  assert.deepEqual(told(done.actions), ['RemoveFinalizer']);
});

test('a store that does not answer is tried again for five minutes, then the job fails', () => {
  const nodes = [node('a', { report: finished, run: run() })];
  const refusal = { reason: 'StoreUnreachable', message: 'no answer' } as const;
  const failed = (at: number) =>
    ({ state: 'Failed', nodes: ['a'], refusal, again: true, at, firstAt: start + 62 * second }) as const;
  const soon = plan(
    observed(nodes, { job: job({ status: begun }), publication: failed(start + 62 * second) }),
    start + 63 * second,
  );
  assert.deepEqual(told(soon.actions), []);
  assert.equal(says(soon.status, 'Complete'), 'False StoreUnreachable');
  const due = plan(
    observed(nodes, { job: job({ status: begun }), publication: failed(start + 62 * second) }),
    start + 65 * second,
  );
  assert.deepEqual(told(due.actions), ['Publish']);
  const over = plan(
    observed(nodes, { job: job({ status: begun }), publication: failed(start + 361 * second) }),
    start + 362 * second,
  );
  assert.equal(says(over.status, 'Failed'), 'True StoreUnreachable');
  assert.deepEqual(
    over.actions.filter((action) => action.kind === 'Event' && action.reason === 'StoreUnreachable'),
    [{ kind: 'Event', type: 'Warning', reason: 'StoreUnreachable', message: 'no answer' }],
  );
});

test('a store that refuses fails the job at once', () => {
  const refusal = { reason: 'StoreDenied', message: 'access denied' } as const;
  const publication = {
    state: 'Failed',
    nodes: ['a'],
    refusal,
    again: false,
    at: start,
    firstAt: start,
  } as const;
  const { status } = plan(
    observed([node('a', { report: finished, run: run() })], { job: job({ status: begun }), publication }),
    start + 62 * second,
  );
  assert.equal(says(status, 'Failed'), 'True StoreDenied');
});
