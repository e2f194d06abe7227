// What is to be done for a job, from all that is known of it and the time: pure and level-based, so it may be asked at any moment, by any operator,
// after any crash. It reads as a chain of checks: the first that has something to say says it. Neighbours: operator/observed.ts (in and out),
// operator/verdict.ts (one node), operator/conditions.ts and status.ts (how it is told), operator/execute.ts (does it).

import type { TraceJobStatus } from '../crds/status.ts';
import { type Condition, condition, conditionsOf, eventsOf, type Findings, holds } from './conditions.ts';
import type { Action, Assignment, Observed, Plan, Refusal } from './observed.ts';
import { bounded, failureList, failuresOf, type Judged, progressOf, resultOf } from './status.ts';
import { judge, times, type Window } from './verdict.ts';

/** A deleted job waits so long for its agents. */
const detachMs = 30_000;
/** How long a store that does not answer, or is full, is tried again. */
const storeMs = 300_000;
const storeRetryMs = 3_000;

type Check = (observed: Observed, now: number) => Plan | undefined;

const checks: Check[] = [deleted, ended, refused, suspended, unprotected];

export function plan(observed: Observed, now: number): Plan {
  for (const check of checks) {
    const decided = check(observed, now);
    if (decided) return decided;
  }
  return trace(observed, now);
}

/** Being deleted: nothing may stay attached; after 30 s it is let go all the same, as agents detach by their own deadline. */
function deleted({ job, nodes, swept }: Observed, now: number): Plan | undefined {
  if (job.deletedAt === undefined) return undefined;
  if (!job.finalizer) return { actions: [] };
  const left = nodes.filter(({ record }) => record !== undefined);
  const known = swept || job.status.startTime === undefined;
  if (left.length === 0 && known) return { actions: [{ kind: 'RemoveFinalizer' }] };
  const until = job.deletedAt + detachMs;
  if (now < until) return { actions: releases(left), requeueAfter: until - now };
  const who =
    left.length > 0
      ? left
          .slice(0, 3)
          .map(({ name }) => name)
          .join(', ')
      : 'agents that did not answer';
  const message = `not confirmed by ${who}: probes are detached there by the job's own deadline`;
  return {
    actions: [
      { kind: 'Event', type: 'Warning', reason: 'DetachUnconfirmed', message },
      { kind: 'RemoveFinalizer' },
    ],
  };
}

function releases(nodes: Observed['nodes']): Action[] {
  return nodes
    .filter(({ record, agent }) => record !== undefined && agent)
    .map(({ name }): Action => ({ kind: 'Release', node: name }));
}

/** Complete or failed: agents may forget it, and its time to live runs. */
function ended({ job, nodes, swept }: Observed, now: number): Plan | undefined {
  const { status } = job;
  if (!holds(status, 'Complete') && !holds(status, 'Failed')) return undefined;
  const actions = releases(nodes);
  if (job.finalizer && swept && nodes.every(({ record }) => record === undefined))
    actions.push({ kind: 'RemoveFinalizer' });
  const told: TraceJobStatus = {
    ...status,
    observedGeneration: job.generation,
    ...(status.conditions
      ? { conditions: status.conditions.map((each) => ({ ...each, observedGeneration: job.generation })) }
      : {}),
  };
  const ttlMs = 'assignment' in job.spec ? job.spec.assignment.ttlMs : undefined;
  if (ttlMs === undefined) return { actions, status: told };
  const left = Date.parse(status.completionTime ?? '') + ttlMs - now;
  if (!(left > 0)) return { actions: [...actions, { kind: 'Delete' }] };
  return { actions, status: told, requeueAfter: left };
}

/** Jobs that may not run, whatever the cluster is like; what runs of them is thrown away. */
const refusals: ((observed: Observed) => Refusal | undefined)[] = [
  ({ job }) => ('refusal' in job.spec ? job.spec.refusal : undefined),
  ({ namespace, job }) =>
    namespace === 'Excluded'
      ? {
          reason: 'NamespaceExcluded',
          message: `namespace ${job.namespace} is excluded from tracing by the chart's values`,
        }
      : undefined,
  ({ namespace, job }) =>
    namespace === 'Denied'
      ? {
          reason: 'NamespaceDenied',
          message: `namespace ${job.namespace} is labelled sonde.dev/tracing: deny`,
        }
      : undefined,
  ({ job }) =>
    job.kind === 'TraceJob' && assignmentOf(job).sees === 'node'
      ? {
          reason: 'ClusterOnly',
          message: `${assignmentOf(job).trace} sees the whole node: only a ClusterTraceJob may use it`,
        }
      : undefined,
];

function refused(observed: Observed, now: number): Plan | undefined {
  for (const refusal of refusals) {
    const found = refusal(observed);
    if (found) return fail(observed, found, { Accepted: { status: false, ...found } }, {}, now);
  }
  return undefined;
}

/** A job that has not begun, and is not to. */
function suspended(observed: Observed, now: number): Plan | undefined {
  const { job, nodes } = observed;
  if (!isEnding(observed) || job.status.startTime !== undefined) return undefined;
  if (nodes.some(({ record }) => record?.report !== undefined && record.report.attachedAt !== 0n))
    return undefined;
  const reason = observed.stopEverything ? 'StoppedByAdministrator' : 'Suspended';
  const findings: Findings = {
    Accepted: { status: false, reason },
    Attached: { status: false, reason },
    Complete: { status: false, reason },
    Failed: { status: false, reason },
    Degraded: { status: false, reason },
  };
  return tell(
    observed,
    releases(nodes),
    { phase: 'Suspended', trace: assignmentOf(job).trace },
    findings,
    now,
  );
}

function isEnding({ job, stopEverything }: Observed): boolean {
  return stopEverything || assignmentOf(job).suspend;
}

/** Nothing is attached before the finalizer stands: else a job could go and leave its probes. */
function unprotected({ job }: Observed): Plan | undefined {
  return job.finalizer ? undefined : { actions: [{ kind: 'AddFinalizer' }] };
}

function windowOf(observed: Observed, now: number): Window {
  const { job, nodes } = observed;
  const { durationMs } = assignmentOf(job);
  const begun = nodes.some(({ record }) => record?.report !== undefined && record.report.attachedAt !== 0n);
  // A start in the future was written by a clock that was ahead of this one.
  const from =
    job.status.startTime !== undefined
      ? Math.min(now, Date.parse(job.status.startTime))
      : begun
        ? now
        : undefined;
  const accepted = condition(job.status, 'Accepted');
  const waitsFrom =
    accepted?.status === 'True' ? Math.min(now, Date.parse(accepted.lastTransitionTime)) : now;
  const until = (from ?? waitsFrom) + durationMs;
  if (from !== undefined && isEnding(observed)) {
    const ends = Math.min(until, job.endingAt ?? now);
    return { from, until: ends, busyUntil: ends };
  }
  return {
    from,
    until,
    busyUntil: from === undefined ? waitsFrom + Math.max(durationMs, times.busy) : until,
  };
}

/** The job's way from its pods to its result. */
function trace(observed: Observed, now: number): Plan {
  const window = windowOf(observed, now);
  const judged = observed.nodes
    .map((node): Judged => ({ node, verdict: judge(node, window, now) }))
    .filter(({ verdict }) => verdict.state !== 'Outside');
  const surveyed =
    observed.job.inherited === undefined || observed.swept || now >= window.until + times.grace;
  const outstanding = judged.some(({ verdict: { state } }) => state !== 'Fetched' && state !== 'Failed');
  const waits = judged.length === 0 && now < window.until;
  if (outstanding || waits || !surveyed) return proceed(observed, judged, window, now);
  return conclude(observed, judged, window, now);
}

function proceed(observed: Observed, judged: Judged[], window: Window, now: number): Plan {
  const { job } = observed;
  const actions = judged.flatMap((each) => nodeActions(each, window, now, isEnding(observed)));
  const traced = judged.some(
    ({ verdict: { state } }) => state === 'Running' || state === 'Starting' || state === 'Waiting',
  );
  const phase =
    window.from === undefined ? 'Pending' : traced && now < window.until ? 'Running' : 'Collecting';
  const failures = failuresOf(judged, 0);
  const findings = findingsOf(observed, judged, phase === 'Collecting' ? 'Collecting' : 'Tracing', 0);
  const parts: TraceJobStatus = {
    phase,
    trace: assignmentOf(job).trace,
    ...(window.from === undefined
      ? {}
      : { startTime: job.status.startTime ?? new Date(window.from).toISOString() }),
    ...progressOf(judged, observed),
    ...failureList(failures),
  };
  const told = tell(observed, actions, parts, findings, now);
  const waiting = window.from === undefined ? {} : { deadline: window.until };
  return { ...told, ...waiting, requeueAfter: nextLook(judged, window, now) };
}

/** What a node needs now. Each may be asked again: what is under way is not begun twice. */
function nodeActions({ node, verdict }: Judged, window: Window, now: number, ending: boolean): Action[] {
  const { name, record, agent } = node;
  const report = record?.report;
  if (verdict.state === 'Waiting' && verdict.reason === 'NodeBusy') {
    const due = now >= (record?.busyAt ?? 0) + times.busyRetry;
    return due && agent && !ending ? [{ kind: 'Follow', node: name }] : [];
  }
  const actions: Action[] = [];
  const open = verdict.state === 'Starting' || verdict.state === 'Running' || verdict.state === 'Waiting';
  const follows = open || (verdict.state === 'Collecting' && report?.phase !== 'Finished');
  if (follows && record?.following !== true && agent) actions.push({ kind: 'Follow', node: name });
  if (!agent || report === undefined) return actions;
  if (verdict.state === 'Collecting' && report.phase === 'Finished')
    actions.push({ kind: 'Fetch', node: name });
  if (verdict.state !== 'Starting' && verdict.state !== 'Running') return actions;
  const overdue = now >= window.until + times.overdue;
  if ((ending || overdue) && record?.stopped === undefined)
    actions.push({ kind: 'Stop', node: name, overdue: !ending });
  else if (record?.targeted !== node.digest && now < window.until)
    actions.push({ kind: 'Retarget', node: name });
  return actions;
}

function nextLook(judged: readonly Judged[], window: Window, now: number): number {
  const moments = [window.until - times.least, window.until, window.busyUntil];
  for (const after of [times.overdue, times.grace, times.longest]) moments.push(window.until + after);
  for (const { node } of judged) {
    if (node.record?.busyAt !== undefined) moments.push(node.record.busyAt + times.busyRetry);
    // Silence is noticed by time alone.
    if (now >= window.until && node.record?.contactAt !== undefined)
      moments.push(node.record.contactAt + times.silence + 1);
  }
  return Math.min(...moments.filter((moment) => moment > now).map((moment) => moment - now), 60_000);
}

/** Nothing is outstanding: what there is becomes the result. */
function conclude(observed: Observed, judged: Judged[], window: Window, now: number): Plan {
  const { job, publication } = observed;
  const forgotten = Math.max(0, (job.inherited ?? 0) - judged.length);
  const failures = failuresOf(judged, forgotten);
  const findings = findingsOf(observed, judged, 'Collecting', forgotten);
  const parts: TraceJobStatus = {
    trace: assignmentOf(job).trace,
    ...(window.from === undefined
      ? {}
      : { startTime: job.status.startTime ?? new Date(window.from).toISOString() }),
    ...progressOf(judged, observed),
    ...failureList(failures),
  };
  const given = judged.filter(({ verdict }) => verdict.state === 'Fetched').map(({ node }) => node.name);
  if (given.length === 0) return fail(observed, nothingGiven(observed, failures), findings, parts, now);
  if (publication.state === 'Done') {
    const whole = findings.Degraded.status
      ? `the result of ${given.length} of ${judged.length + forgotten} nodes is in the store, in part`
      : `the result of ${given.length} ${given.length === 1 ? 'node' : 'nodes'} is in the store`;
    const done: TraceJobStatus = {
      ...parts,
      ...resultOf(publication.result),
      phase: 'Succeeded',
      completionTime: new Date(now).toISOString(),
    };
    return tell(
      observed,
      [],
      done,
      { ...findings, Complete: { status: true, reason: 'Published', message: whole } },
      now,
    );
  }
  if (publication.state !== 'Failed') {
    const actions: Action[] = publication.state === 'None' ? [{ kind: 'Publish', nodes: given }] : [];
    return tell(observed, actions, { ...parts, phase: 'Collecting' }, findings, now);
  }
  const { refusal, again, at, firstAt } = publication;
  if (!again || now >= firstAt + storeMs) return fail(observed, refusal, findings, parts, now);
  const due = at + storeRetryMs;
  const waiting: Findings = { ...findings, Complete: { status: false, ...refusal } };
  const actions: Action[] = now >= due ? [{ kind: 'Publish', nodes: given }] : [];
  const told = tell(observed, actions, { ...parts, phase: 'Collecting' }, waiting, now);
  return { ...told, requeueAfter: Math.max(50, due - now) };
}

function nothingGiven({ pods, job }: Observed, failures: ReturnType<typeof failuresOf>): Refusal {
  const [first] = failures;
  if (first) {
    const others = failures.length > 1 ? ` (and ${failures.length - 1} more nodes)` : '';
    return {
      ...first.refusal,
      message: `${first.node === '' ? '' : `${first.node}: `}${first.refusal.message}${others}`,
    };
  }
  if (job.inherited !== undefined && job.inherited > 0)
    return { reason: 'NodesForgotten', message: 'none of the nodes that were traced can be asked any more' };
  return pods.notAllowed > 0
    ? {
        reason: 'PodsNotAllowed',
        message: `${pods.notAllowed} matching pods share the node's processes: only a ClusterTraceJob may trace them`,
      }
    : { reason: 'NoPods', message: 'no pod matched the target until the deadline' };
}

function findingsOf(
  observed: Observed,
  judged: readonly Judged[],
  reason: 'Tracing' | 'Collecting',
  forgotten: number,
): Findings {
  const waiting = judged.filter(({ verdict }) => verdict.state === 'Waiting');
  const unattached = judged.filter(
    ({ node, verdict }) => verdict.state !== 'Fetched' && (node.record?.report?.attachedAt ?? 0n) === 0n,
  );
  const lacking = failuresOf(
    judged.filter(({ verdict }) => verdict.state !== 'Waiting'),
    forgotten,
  );
  const [first] = lacking;
  const [blocked] = waiting;
  const none = judged.length === 0;
  return {
    Accepted:
      none && observed.job.status.startTime === undefined
        ? { status: true, reason: 'NoPodsYet' }
        : { status: true, reason: 'Accepted' },
    Attached:
      none || unattached.length > 0
        ? blocked?.verdict.state === 'Waiting'
          ? {
              status: false,
              reason: blocked.verdict.reason,
              message: onNodes(waiting.length, blocked.node.name, blocked.verdict.message),
            }
          : {
              status: false,
              reason: none ? 'NoPodsYet' : 'Attaching',
              message: none
                ? 'no pod to attach for'
                : `attached on ${judged.length - unattached.length} of ${judged.length} nodes`,
            }
        : {
            status: true,
            reason: 'Attached',
            message: `probes were attached on ${judged.length} ${judged.length === 1 ? 'node' : 'nodes'}`,
          },
    Complete: {
      status: false,
      reason: observed.job.status.startTime === undefined && reason === 'Tracing' ? 'Attaching' : reason,
    },
    Failed: { status: false, reason: 'NotEnded' },
    Degraded: first
      ? {
          status: true,
          reason: first.refusal.reason,
          message: onNodes(lacking.length, first.node, first.refusal.message),
        }
      : { status: false, reason: 'Whole' },
  };
}

function onNodes(count: number, first: string, message: string): string {
  const others = count > 1 ? `; ${count - 1} more ${count === 2 ? 'node' : 'nodes'}` : '';
  return `${first === '' ? '' : `${first}: `}${message}${others}`;
}

function fail(
  observed: Observed,
  refusal: Refusal,
  found: Partial<Findings>,
  parts: TraceJobStatus,
  now: number,
): Plan {
  const { job } = observed;
  const { reason, message } = refusal;
  const not = { status: false, reason } as const;
  const known = (type: 'Accepted' | 'Attached' | 'Degraded') => {
    const before = condition(job.status, type);
    return { status: before?.status === 'True', reason, ...(before ? { message: before.message } : {}) };
  };
  const findings: Findings = {
    Accepted: found.Accepted ?? known('Accepted'),
    Attached: found.Attached ?? known('Attached'),
    Degraded: found.Degraded ?? known('Degraded'),
    Complete: not,
    Failed: { status: true, reason, message },
  };
  const before = job.status;
  const kept: TraceJobStatus = {
    ...(before.trace === undefined ? {} : { trace: before.trace }),
    ...(before.startTime === undefined ? {} : { startTime: before.startTime }),
    ...parts,
  };
  return tell(
    observed,
    [],
    { ...kept, phase: 'Failed', completionTime: new Date(now).toISOString() },
    findings,
    now,
  );
}

/** The plan with its status put together, and Events for what has become true. */
function tell(
  observed: Observed,
  actions: Action[],
  parts: TraceJobStatus,
  findings: Findings,
  now: number,
): Plan {
  const { job } = observed;
  const before: readonly Condition[] = job.status.conditions ?? [];
  const isSuspended = parts.phase === 'Suspended';
  const conditions = conditionsOf(findings, before, {
    generation: job.generation,
    suspended: isSuspended,
    now,
  });
  const status = bounded({ ...parts, observedGeneration: job.generation, conditions });
  return { actions: [...actions, ...eventsOf(job.status, status)], status };
}

function assignmentOf({ spec }: Observed['job']): Assignment {
  if ('refusal' in spec) throw new TypeError('a refused job has no assignment');
  return spec.assignment;
}
