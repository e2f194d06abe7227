// What the plan decides of a job from apply to its end, a sentence a case. Neighbours: operator/plan-nodes.test.ts, plan-results.test.ts, status.test.ts.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TraceJobStatus } from '../crds/status.ts';
import { holds } from './conditions.ts';
import type { Observed, ObservedNode } from './observed.ts';
import { plan } from './plan.ts';
import {
  begun,
  finished,
  job,
  node,
  observed,
  report,
  result,
  run,
  running,
  says,
  second,
  start,
  told,
} from './testdata/observed.ts';

test('nothing is attached before the finalizer stands', () => {
  const { actions } = plan(observed([node('a')], { job: job({ finalizer: false }) }), start);
  assert.deepEqual(actions, [{ kind: 'AddFinalizer' }]);
});

test('a job with pods is ordered on each of their nodes, and is Accepted and Reconciling', () => {
  const { actions, status, deadline } = plan(observed([node('a'), node('b')]), start);
  assert.deepEqual(told(actions), ['Follow a', 'Follow b']);
  assert.equal(status?.phase, 'Pending');
  assert.equal(says(status, 'Accepted'), 'True Accepted');
  assert.equal(says(status, 'Attached'), 'False Attaching');
  assert.equal(says(status, 'Reconciling'), 'True Attaching');
  assert.equal(says(status, 'Ready'), 'False Attaching');
  assert.equal(deadline, undefined);
});

test('a job without pods waits and says NoPodsYet, until its deadline, then fails with NoPods', () => {
  const { actions, status, requeueAfter } = plan(observed([]), start);
  assert.deepEqual(actions, []);
  assert.equal(says(status, 'Accepted'), 'True NoPodsYet');
  assert.ok(requeueAfter !== undefined && requeueAfter <= 60 * second);
  const later = plan(observed([], { job: job({ status: status ?? {} }) }), start + 59 * second);
  assert.equal(says(later.status, 'Failed'), 'False NotEnded');
  const over = plan(observed([], { job: job({ status: status ?? {} }) }), start + 60 * second);
  assert.equal(says(over.status, 'Failed'), 'True NoPods');
  assert.equal(says(over.status, 'Stalled'), 'True NoPods');
});

test("pods that share the node's processes are no pods to a namespaced job, and it says so", () => {
  const { status } = plan(
    observed([], { job: job({ status: begunWaiting() }), pods: { matched: 0, notAllowed: 2 } }),
    start + 60 * second,
  );
  assert.equal(says(status, 'Failed'), 'True PodsNotAllowed');
});

function begunWaiting(): TraceJobStatus {
  return plan(observed([]), start).status ?? {};
}

test('when probes are attached everywhere the job is Attached and its time runs from there', () => {
  const nodes = [node('a', { report: running }), node('b', { report: running })];
  const { status, deadline, actions } = plan(observed(nodes), start + second);
  assert.equal(says(status, 'Attached'), 'True Attached');
  assert.equal(status?.startTime, new Date(start + second).toISOString());
  assert.equal(deadline, start + 61 * second);
  assert.deepEqual(status?.nodes, { matched: 2, running: 2, succeeded: 0, failed: 0 });
  assert.deepEqual(status?.events, { seen: 24, recorded: 20, lost: 4, sampledBy: 1 });
  assert.deepEqual(
    actions.filter(({ kind }) => kind === 'Event').map((event) => event.kind === 'Event' && event.reason),
    ['Attached'],
  );
});

test('a suspended job that has not begun does not begin, and is at rest', () => {
  const { status, actions } = plan(observed([node('a')], { job: job({}, { suspend: true }) }), start);
  assert.deepEqual(actions, []);
  assert.equal(status?.phase, 'Suspended');
  assert.equal(says(status, 'Reconciling'), 'False Suspended');
  assert.equal(says(status, 'Ready'), 'True Suspended');
});

test('a job that is wanted again before its agents have let go of it is ordered when they have', () => {
  const leaving = node('a', {
    report: report('Failed', { reason: 'Discarded', attachedAt: 0n }),
    releasing: true,
  });
  const before = plan(observed([leaving, node('b')]), start + second);
  assert.deepEqual(before, { actions: [{ kind: 'Release', node: 'a' }] });
  const later = plan(observed([node('a'), node('b')]), start + 2 * second);
  assert.deepEqual(told(later.actions), ['Follow a', 'Follow b']);
  const gone = plan(observed([{ ...leaving, agent: false }, node('b')]), start + second);
  assert.deepEqual(told(gone.actions), ['Follow b']);
});

test('a running job that is suspended ends early with what it has', () => {
  const ending = job({ status: begun, endingAt: start + 10 * second }, { suspend: true });
  const nodes = [node('a', { report: running, contactAt: start + 10 * second })];
  const { actions } = plan(observed(nodes, { job: ending }), start + 10 * second);
  assert.deepEqual(
    actions.filter(({ kind }) => kind === 'Stop'),
    [{ kind: 'Stop', node: 'a', overdue: false }],
  );
  const stopped = [
    node('a', { report: finished, stopped: { overdue: false }, run: run({ ended: 'Stopped' }) }),
  ];
  const { actions: then, status } = plan(observed(stopped, { job: ending }), start + 11 * second);
  assert.deepEqual(told(then), ['Publish']);
  assert.equal(says(status, 'Degraded'), 'False Whole');
});

test('a namespace that is denied fails the job, and what runs of it is thrown away', () => {
  const nodes = [node('a', { report: running })];
  const { status } = plan(
    observed(nodes, { namespace: 'Denied', job: job({ status: begun }) }),
    start + second,
  );
  assert.equal(says(status, 'Failed'), 'True NamespaceDenied');
  const { actions } = plan(
    observed(nodes, { namespace: 'Denied', job: job({ status: status ?? {} }) }),
    start + second,
  );
  assert.deepEqual(told(actions), ['Release a']);
});

test('a gadget that sees the node is for ClusterTraceJobs only', () => {
  const { status } = plan(observed([node('a')], { job: job({}, { sees: 'node' }) }), start);
  assert.equal(says(status, 'Failed'), 'True ClusterOnly');
  const { actions } = plan(
    observed([node('a')], { job: job({ kind: 'ClusterTraceJob', namespace: null }, { sees: 'node' }) }),
    start,
  );
  assert.deepEqual(told(actions), ['Follow a']);
});

test('a deleted job is released on every node before it goes, and after 30 s it goes all the same', () => {
  const deleted = job({ status: begun, deletedAt: start });
  const nodes = [node('a', { report: running }), node('b', { report: running }, { agent: false })];
  assert.deepEqual(told(plan(observed(nodes, { job: deleted }), start + second).actions), ['Release a']);
  assert.deepEqual(told(plan(observed([], { job: deleted }), start + second).actions), ['RemoveFinalizer']);
  const { actions } = plan(observed(nodes, { job: deleted }), start + 30 * second);
  assert.deepEqual(
    actions.map((action) => (action.kind === 'Event' ? action.reason : action.kind)),
    ['DetachUnconfirmed', 'RemoveFinalizer'],
  );
});

test('a job is deleted when its time to live is over', () => {
  const ended: TraceJobStatus = {
    phase: 'Succeeded',
    completionTime: new Date(start).toISOString(),
    conditions: [
      { type: 'Complete', status: 'True', lastTransitionTime: '', reason: 'Published', message: '' },
    ],
  };
  const lives = job({ status: ended }, { ttlMs: 10 * second });
  assert.deepEqual(plan(observed([], { job: lives }), start + 9 * second).requeueAfter, second);
  assert.ok(told(plan(observed([], { job: lives }), start + 10 * second).actions).includes('Delete'));
});

test('a job that has ended stays as it ended, whatever happens to its pods', () => {
  const ended = plan(
    observed([node('a', { report: finished, run: run() })], {
      job: job({ status: begun }),
      publication: { state: 'Done', nodes: ['a', 'b'], result },
    }),
    start + 62 * second,
  ).status;
  assert.ok(ended);
  const { status } = plan(
    observed([node('b')], { job: job({ status: ended, generation: 2 }) }),
    start + 90 * second,
  );
  assert.equal(status?.observedGeneration, 2);
  assert.equal(holds(status ?? {}, 'Complete'), true);
});

test('a job from apply to its end, step by step', () => {
  const lines: string[] = [];
  let status: TraceJobStatus = {};
  const step = (what: string, at: number, nodes: ObservedNode[], change: Partial<Observed> = {}) => {
    const { job: changed, ...others } = change;
    const decided = plan(
      observed(nodes, { job: { ...(changed ?? job()), status }, ...others }),
      start + at * second,
    );
    status = decided.status ?? status;
    const conditions = status.conditions
      ?.map(({ type, status: is, reason }) => `${type}=${is}(${reason})`)
      .join(' ');
    lines.push(
      `${at}s ${what}`,
      `  does   ${told(decided.actions).join(', ') || 'nothing'}`,
      `  says   ${status.phase ?? '-'} ${conditions ?? ''}`,
    );
  };
  step('applied', 0, [node('a'), node('b')], { job: job({ finalizer: false }) });
  step('the finalizer stands', 0, [node('a'), node('b')]);
  step('a attaches', 1, [node('a', { report: running }), node('b', { report: report('Starting') })]);
  step('both attached', 2, [node('a', { report: running }), node('b', { report: running })]);
  step('a pod more on b', 20, [
    node('a', { report: running }),
    node('b', { report: running, targeted: 'before' }),
  ]);
  step('a has ended', 61, [
    node('a', { report: finished, contactAt: start + 61 * second }),
    node('b', { report: running, contactAt: start + 61 * second }),
  ]);
  step('both have', 62, [node('a', { report: finished, run: run() }), node('b', { report: finished })]);
  step('both runs are here', 62, [
    node('a', { report: finished, run: run() }),
    node('b', { report: finished, run: run() }),
  ]);
  step(
    'published',
    63,
    [node('a', { report: finished, run: run() }), node('b', { report: finished, run: run() })],
    { publication: { state: 'Done', nodes: ['a', 'b'], result } },
  );
  step(
    'written',
    63,
    [node('a', { report: finished, run: run() }), node('b', { report: finished, run: run() })],
    { publication: { state: 'Done', nodes: ['a', 'b'], result } },
  );
  step('released', 63, []);
  golden('plan.txt', `${lines.join('\n')}\n`);
});

function golden(name: string, text: string): void {
  const path = join(import.meta.dirname, 'testdata', name);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, text);
  assert.equal(text, readFileSync(path, 'utf8'));
}
