// A job's way from its pods to its result: what each node needs now, and what becomes of all when none is outstanding. Pure. Neighbours:
// operator/plan.ts (the checks that come before), operator/verdict.ts (one node), operator/findings.ts (how it is told).

import type { TraceJobStatus } from '../crds/status.ts';
import { condition, type Findings } from './conditions.ts';
import { assignmentOf, fail, findingsOf, isEnding, tell } from './findings.ts';
import type { Action, Observed, Plan, Refusal } from './observed.ts';
import { failureList, failuresOf, type Judged, listed, progressOf, resultOf } from './status.ts';
import { judge, times, type Window } from './verdict.ts';

/** How long a store that does not answer, or is full, is tried again. */
const storeMs = 300_000;
const storeRetryMs = 3_000;

/** The job's way from its pods to its result. */
export function trace(observed: Observed, now: number): Plan {
  const window = windowOf(observed, now);
  const judged = observed.nodes
    .map((node): Judged => ({ node, verdict: judge(node, window, now) }))
    .filter(({ verdict }) => verdict.state !== 'Outside');
  const { publication } = observed;
  if (publication.state !== 'None') {
    // What comes now comes too late: the result is what was there when it was begun.
    const part = judged.filter(({ node }) => publication.nodes.includes(node.name) || node.record?.failure);
    return conclude(observed, part, window, now);
  }
  const surveyed =
    observed.job.inherited === undefined || observed.swept || now >= window.until + times.grace;
  const outstanding = judged.some(({ verdict: { state } }) => state !== 'Fetched' && state !== 'Failed');
  const waits = judged.length === 0 && now < window.until;
  if (outstanding || waits || !surveyed) return proceed(observed, judged, window, now);
  return conclude(observed, judged, window, now);
}

function windowOf(observed: Observed, now: number): Window {
  const { job, nodes } = observed;
  const { durationMs } = assignmentOf(job);
  const begun = nodes.some(({ record }) => record?.report !== undefined && record.report.attachedAt !== 0n);
  // What lies in the future was written by a clock that was ahead of this one.
  const past = (at: string) => (Date.parse(at) > now ? job.knownSince : Date.parse(at));
  const { startTime } = job.status;
  const from = startTime !== undefined ? past(startTime) : begun ? now : undefined;
  const accepted = condition(job.status, 'Accepted');
  const waitsFrom = accepted?.status === 'True' ? past(accepted.lastTransitionTime) : now;
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

function proceed(observed: Observed, judged: Judged[], window: Window, now: number): Plan {
  const { job } = observed;
  const actions = judged.flatMap((each) => nodeActions(each, window, now, isEnding(observed)));
  const traced = judged.some(
    ({ verdict: { state } }) => state === 'Running' || state === 'Starting' || state === 'Waiting',
  );
  const phase =
    window.from === undefined ? 'Pending' : traced && now < window.until ? 'Running' : 'Collecting';
  const failures = failuresOf(judged, 0);
  const findings = findingsOf(
    observed,
    judged,
    phase === 'Pending' ? 'Attaching' : phase === 'Running' ? 'Tracing' : 'Collecting',
    0,
  );
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
    const { artifacts } = publication.result;
    const unlisted = artifacts.length - listed(artifacts).length;
    const more = unlisted === 0 ? '' : `, with ${unlisted} more files of single nodes than are listed here`;
    const whole = findings.Degraded.status
      ? `the result of ${given.length} of ${judged.length + forgotten} nodes is in the store, in part${more}`
      : `the result of ${given.length} ${given.length === 1 ? 'node' : 'nodes'} is in the store${more}`;
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
    const failed = judged.flatMap(({ node, verdict }) =>
      verdict.state === 'Failed'
        ? [{ node: node.name, refusal: { reason: verdict.reason, message: verdict.message } }]
        : [],
    );
    const actions: Action[] = publication.state === 'None' ? [{ kind: 'Publish', nodes: given, failed }] : [];
    return tell(observed, actions, { ...parts, phase: 'Collecting' }, findings, now);
  }
  const { refusal, again, at, firstAt } = publication;
  if (!again || now >= firstAt + storeMs) return fail(observed, refusal, findings, parts, now);
  const due = at + storeRetryMs;
  const waiting: Findings = { ...findings, Complete: { status: false, ...refusal } };
  const actions: Action[] = now >= due ? [{ kind: 'Publish', nodes: given, failed: [] }] : [];
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
