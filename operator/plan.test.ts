// What the plan decides, a sentence a case.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Report } from '../agent/api.ts';
import type { TraceJobStatus } from '../crds/status.ts';
import { statusSchema } from '../crds/status.ts';
import type { ResultMeta } from '../results/shape.ts';
import { condition, holds, shown } from './conditions.ts';
import type { Action, FetchedRun, NodeRecord, Observed, ObservedNode, PublishedResult } from './observed.ts';
import { plan } from './plan.ts';

const start = Date.UTC(2030, 0, 1);
const second = 1000;

function job(
  change: Partial<Observed['job']> = {},
  assignment: Partial<{ suspend: boolean; ttlMs: number; sees: 'pod' | 'node' }> = {},
): Observed['job'] {
  return {
    kind: 'TraceJob',
    namespace: 'shop',
    name: 'checkout-cpu',
    uid: 'u1',
    generation: 1,
    knownSince: start,
    finalizer: true,
    spec: {
      assignment: {
        trace: 'cpu-profile',
        sees: 'pod',
        durationMs: 60 * second,
        budget: {},
        redact: 'Secrets',
        store: 'default',
        suspend: false,
        ...assignment,
      },
    },
    status: {},
    ...change,
  };
}

function observed(nodes: ObservedNode[], change: Partial<Observed> = {}): Observed {
  const matched = nodes.reduce((sum, { pods }) => sum + pods.length, 0);
  return {
    job: job(),
    stopEverything: false,
    namespace: 'Allowed',
    nodes,
    pods: { matched, notAllowed: 0 },
    swept: true,
    publication: { state: 'None' },
    ...change,
  };
}

function node(name: string, record?: Partial<NodeRecord>, change: Partial<ObservedNode> = {}): ObservedNode {
  return {
    name,
    exists: true,
    agent: true,
    pods: [{ uid: `pod-${name}`, namespace: 'shop', name: `api-${name}`, containers: [] }],
    digest: `pods of ${name}`,
    scheduledAt: start - 60 * second,
    ...(record === undefined
      ? {}
      : { record: { following: true, contactAt: start, targeted: `pods of ${name}`, ...record } }),
    ...change,
  };
}

function report(phase: Report['phase'], change: Partial<Report> = {}): Report {
  return {
    phase,
    attachedAt: phase === 'Starting' ? 0n : BigInt(start) * 1_000_000n,
    podsTraced: 1,
    events: { seen: 12n, recorded: 10n, lost: 2n, sampledBy: 1 },
    overhead: { programsCpuNs: 300_000_000n, agentCpuNs: 100_000_000n, memoryBytes: 40n << 20n },
    ...change,
  };
}

function meta(change: Partial<ResultMeta> = {}): ResultMeta {
  return {
    job: { name: 'checkout-cpu', namespace: 'shop', uid: 'u1' },
    trace: { name: 'cpu-profile', parameters: {} },
    startTime: BigInt(start) * 1_000_000n,
    completionTime: BigInt(start + 60 * second) * 1_000_000n,
    ended: 'Duration',
    shape: { kind: 'stacks', keys: [], weights: [] },
    owners: [],
    events: { seen: 24n, recorded: 20n, lost: 4n, sampledBy: 1, losses: [] },
    overhead: { programsCpuNs: 0n, agentCpuNs: 0n, memoryBytes: 0n, hits: 0n },
    attached: [],
    warnings: [],
    ...change,
  };
}

const run = (change: Partial<ResultMeta> = {}): FetchedRun => ({ meta: meta(change), path: '/scratch/a' });
const running = report('Running');
const finished = report('Finished');
const begun: TraceJobStatus = { phase: 'Running', startTime: new Date(start).toISOString() };
const result: PublishedResult = {
  artifacts: [
    {
      name: 'result.json',
      mediaType: 'application/json',
      bytes: 10,
      sha256: 'ab',
      uri: 's3://b/shop/checkout-cpu/u1/result.json',
    },
  ],
  meta: meta(),
  headline: '41% of CPU in json.Unmarshal',
  summary: '[{"function":"json.Unmarshal"}]',
};

const told = (actions: readonly Action[]) =>
  actions
    .filter(({ kind }) => kind !== 'Event')
    .map((action) => ('node' in action ? `${action.kind} ${action.node}` : action.kind));
const says = (status: TraceJobStatus | undefined, type: string) => {
  const found = condition(status ?? {}, type);
  return found && `${found.status} ${found.reason}`;
};

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

test('runs are fetched as they are finished, while others still trace', () => {
  const nodes = [node('a', { report: finished }), node('b', { report: running })];
  const { actions, status } = plan(observed(nodes, { job: job({ status: begun }) }), start + 60 * second);
  assert.deepEqual(told(actions), ['Fetch a']);
  assert.equal(status?.phase, 'Collecting');
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

test('a suspended job that has not begun does not begin, and is at rest', () => {
  const { status, actions } = plan(observed([node('a')], { job: job({}, { suspend: true }) }), start);
  assert.deepEqual(actions, []);
  assert.equal(status?.phase, 'Suspended');
  assert.equal(says(status, 'Reconciling'), 'False Suspended');
  assert.equal(says(status, 'Ready'), 'True Suspended');
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

test('conditions keep the time of their last change', () => {
  const first = plan(observed([node('a')]), start).status ?? {};
  const second_ =
    plan(observed([node('a', { report: running })], { job: job({ status: first }) }), start + 5 * second)
      .status ?? {};
  assert.equal(condition(second_, 'Accepted')?.lastTransitionTime, '2030-01-01T00:00:00Z');
  assert.equal(condition(second_, 'Attached')?.lastTransitionTime, '2030-01-01T00:00:05Z');
});

test('a status never passes 16 KiB, however much went wrong, and is as the CRD has it', () => {
  const long = 'x'.repeat(5000);
  const nodes = Array.from({ length: 50 }, (_, i) =>
    node(`${'n'.repeat(200)}-${i}`, { failure: { reason: 'AgentFailed', message: long } }),
  );
  const given = node('ok', { report: finished, run: run() });
  const artifacts = Array.from({ length: 9 }, (_, i) => ({
    ...(result.artifacts[0] as (typeof result.artifacts)[number]),
    name: `f${i}`,
    uri: `s3://${'k'.repeat(700)}`,
  }));
  const publication = {
    state: 'Done',
    nodes: ['ok'],
    result: { ...result, artifacts, summary: 's'.repeat(8000) },
  } as const;
  const { status } = plan(
    observed([...nodes, given], { job: job({ status: begun }), publication }),
    start + 62 * second,
  );
  assert.ok(Buffer.byteLength(JSON.stringify(status)) < 16_384);
  statusSchema.parse(status);
  assert.equal(status?.nodes?.failed, 50);
});

test('messages that a status shows hold no paths and no control characters', () => {
  assert.equal(shown('spool /var/lib/sonde/x: disk full\n\u001b[31m', 100), 'spool [path] disk full [31m');
  assert.equal(
    shown('tracepoint block/block_rq_issue is missing', 100),
    'tracepoint block/block_rq_issue is missing',
  );
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
