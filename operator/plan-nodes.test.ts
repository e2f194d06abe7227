// What the plan decides when nodes are late, busy, gone, restarted or another operator's. Neighbours: operator/verdict.ts, operator/plan.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TraceJobStatus } from '../crds/status.ts';
import { condition } from './conditions.ts';
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

test('a node without an agent is waited for, by name, while the others trace', () => {
  const nodes = [node('a', { report: running }), node('b', undefined, { agent: false })];
  const { status, actions } = plan(observed(nodes, { job: job({ status: begun }) }), start + second);
  assert.deepEqual(told(actions), []);
  assert.equal(says(status, 'Attached'), 'False NoAgentOnNode');
  assert.deepEqual(status?.failures, [
    { node: 'b', reason: 'NoAgentOnNode', message: 'no agent is ready on it' },
  ]);
  assert.equal(says(status, 'Degraded'), 'False Whole');
});

test('a busy node is asked again every two seconds, and fails when the time is over', () => {
  const busy = {
    report: report('Failed', { reason: 'NodeBusy', attachedAt: 0n }),
    following: false,
    busyAt: start,
  };
  const early = plan(observed([node('a', busy)]), start + second);
  assert.deepEqual(told(early.actions), []);
  assert.equal(says(early.status, 'Attached'), 'False NodeBusy');
  const due = plan(observed([node('a', busy)]), start + 2 * second);
  assert.deepEqual(told(due.actions), ['Follow a']);
  const waited = job({ status: early.status ?? {} });
  const stillWaits = plan(observed([node('a', busy)], { job: waited }), start + 300 * second);
  assert.equal(says(stillWaits.status, 'Failed'), 'False NotEnded');
  const over = plan(observed([node('a', busy)], { job: waited }), start + 602 * second);
  assert.equal(says(over.status, 'Failed'), 'True NodeBusy');
});

test('pods that come, move or restart are told to their node at once', () => {
  const nodes = [node('a', { report: running, targeted: 'before' })];
  const { actions } = plan(observed(nodes, { job: job({ status: begun }) }), start + 10 * second);
  assert.deepEqual(told(actions), ['Retarget a']);
});

test('a node whose pods came in the last moments has no part in the job', () => {
  const nodes = [node('a', { report: running }), node('b', undefined, { scheduledAt: start + 59_500 })];
  const { actions, status } = plan(observed(nodes, { job: job({ status: begun }) }), start + 59_600);
  assert.deepEqual(told(actions), []);
  assert.equal(status?.nodes?.matched, 1);
});

test('a node that still traces 3 s after the deadline is told to stop, and its result is called a part', () => {
  const nodes = [node('a', { report: running, contactAt: start + 63 * second })];
  const { actions } = plan(observed(nodes, { job: job({ status: begun }) }), start + 63 * second);
  assert.deepEqual(
    actions.filter(({ kind }) => kind === 'Stop'),
    [{ kind: 'Stop', node: 'a', overdue: true }],
  );
  const stopped = node('a', { report: finished, stopped: { overdue: true }, run: run({ ended: 'Stopped' }) });
  const { status } = plan(observed([stopped], { job: job({ status: begun }) }), start + 64 * second);
  assert.equal(says(status, 'Degraded'), 'True EndedEarly');
});

test('a node that is gone is waited for until 8 s after the deadline, then the others are published', () => {
  const lost = node('b', {
    report: running,
    contactAt: start + 20 * second,
    trouble: { code: 'Unreachable', message: 'no route to host' },
  });
  const nodes = [node('a', { report: finished, run: run() }), lost];
  const early = plan(observed(nodes, { job: job({ status: begun }) }), start + 67 * second);
  assert.ok(!told(early.actions).includes('Publish'));
  const due = plan(observed(nodes, { job: job({ status: begun }) }), start + 68 * second);
  assert.deepEqual(
    due.actions.filter(({ kind }) => kind === 'Publish'),
    [
      {
        kind: 'Publish',
        nodes: ['a'],
        failed: [
          {
            node: 'b',
            refusal: { reason: 'AgentUnreachable', message: 'no result by the deadline: no route to host' },
          },
        ],
      },
    ],
  );
  assert.equal(says(due.status, 'Degraded'), 'True AgentUnreachable');
  assert.equal(due.status?.failures?.[0]?.node, 'b');
});

test('a node that comes back while the result is published has no part in it, and stays failed', () => {
  const back = node('b', {
    report: finished,
    failure: { reason: 'AgentUnreachable', message: 'no route to host' },
  });
  const late = node('c', undefined, { scheduledAt: start + 50 * second });
  const nodes = [node('a', { report: finished, run: run() }), back, late];
  const publication = { state: 'Done', nodes: ['a'], result } as const;
  const { status, actions } = plan(
    observed(nodes, { job: job({ status: begun }), publication }),
    start + 69 * second,
  );
  assert.deepEqual(told(actions), []);
  assert.equal(says(status, 'Complete'), 'True Published');
  assert.equal(says(status, 'Degraded'), 'True AgentUnreachable');
  assert.deepEqual(status?.nodes, { matched: 2, running: 0, succeeded: 1, failed: 1 });
});

test('a job whose every node failed fails with the first reason and names the node', () => {
  const missing = report('Failed', {
    reason: 'HookMissing',
    message: 'needs tracepoint sched_switch',
    attachedAt: 0n,
  });
  const { status } = plan(observed([node('a', { report: missing })]), start + second);
  assert.equal(says(status, 'Failed'), 'True HookMissing');
  assert.match(condition(status ?? {}, 'Failed')?.message ?? '', /^a: needs tracepoint sched_switch/);
});

test('what an agent gave after a restart is a part, and the job Degraded', () => {
  const part = report('Finished', { reason: 'Interrupted', message: 'restarted' });
  const nodes = [node('a', { report: finished, run: run() }), node('b', { report: part, run: run() })];
  const publication = { state: 'Done', nodes: ['a', 'b'], result } as const;
  const { status } = plan(observed(nodes, { job: job({ status: begun }), publication }), start + 62 * second);
  assert.equal(says(status, 'Degraded'), 'True Interrupted');
  assert.equal(says(status, 'Complete'), 'True Published');
});

test('an operator that takes over does not call a job unattached before the agents have told it', () => {
  const before = plan(observed([node('a', { report: running })]), start).status ?? {};
  const adopted = node('a', { adopted: true, following: false });
  const { status, actions } = plan(
    observed([adopted], { job: job({ status: before, inherited: 1 }) }),
    start + second,
  );
  assert.equal(says(status, 'Attached'), 'True Attached');
  assert.deepEqual(told(actions), ['Follow a']);
});

test('a start that lies in the future, by the clock of another operator, does not put off the end', () => {
  const ahead: TraceJobStatus = { ...begun, startTime: new Date(start + 3_600 * second).toISOString() };
  const nodes = [node('a', { report: running })];
  const { deadline } = plan(
    observed(nodes, { job: job({ status: ahead, inherited: 1 }) }),
    start + 30 * second,
  );
  assert.equal(deadline, start + 60 * second);
});

test('nodes that another operator had started and nobody knows any more make the job Degraded', () => {
  const nodes = [node('a', { report: finished, run: run() })];
  const taken = job({ status: { ...begun, nodes: { matched: 3 } }, inherited: 3 });
  const { status } = plan(observed(nodes, { job: taken }), start + 62 * second);
  assert.equal(says(status, 'Degraded'), 'True NodesForgotten');
});

test('an operator that took over waits for every agent to say what it has before it publishes', () => {
  const nodes = [node('a', { report: finished, run: run() })];
  const taken = job({ status: { ...begun, nodes: { matched: 2 } }, inherited: 2 });
  const { actions } = plan(observed(nodes, { job: taken, swept: false }), start + 61 * second);
  assert.deepEqual(told(actions), []);
});
