// What a plan says: a job's findings, a failure, and the status put together with the Events that go with it. Pure. Neighbours: operator/plan.ts and
// operator/trace.ts (who decide), operator/conditions.ts, operator/status.ts.

import type { TraceJobStatus } from '../crds/status.ts';
import {
  type Condition,
  condition,
  conditionsOf,
  eventsOf,
  type Finding,
  type Findings,
  holds,
} from './conditions.ts';
import type { Action, Assignment, Observed, Plan, Refusal } from './observed.ts';
import { bounded, failuresOf, type Judged } from './status.ts';

export function assignmentOf({ spec }: Observed['job']): Assignment {
  if ('refusal' in spec) throw new TypeError('a refused job has no assignment');
  return spec.assignment;
}

export function isEnding({ job, stopEverything }: Observed): boolean {
  return stopEverything || assignmentOf(job).suspend;
}

/** The plan with its status put together, and Events for what has become true. */
export function tell(
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

export function fail(
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

export function findingsOf(
  observed: Observed,
  judged: readonly Judged[],
  reason: 'Attaching' | 'Tracing' | 'Collecting',
  forgotten: number,
): Findings {
  const lacking = failuresOf(
    judged.filter(({ verdict }) => verdict.state !== 'Waiting'),
    forgotten,
  );
  const [first] = lacking;
  const none = judged.length === 0;
  return {
    Accepted:
      none && observed.job.status.startTime === undefined
        ? { status: true, reason: 'NoPodsYet' }
        : { status: true, reason: 'Accepted' },
    Attached: attachedFinding(observed, judged),
    Complete: { status: false, reason },
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

function attachedFinding({ job }: Observed, judged: readonly Judged[]): Finding {
  if (judged.length === 0) return { status: false, reason: 'NoPodsYet', message: 'no pod to attach for' };
  const unattached = judged.filter(
    ({ node, verdict }) => verdict.state !== 'Fetched' && (node.record?.report?.attachedAt ?? 0n) === 0n,
  );
  const nodes = `${judged.length} ${judged.length === 1 ? 'node' : 'nodes'}`;
  const attached: Finding = { status: true, reason: 'Attached', message: `probes were attached on ${nodes}` };
  // Another operator saw it, and this one has not been told by all yet.
  const untold = ({ node }: Judged) =>
    node.record?.report === undefined && node.record?.failure === undefined;
  const inherited = job.inherited !== undefined && holds(job.status, 'Attached');
  if (unattached.length === 0 || (inherited && unattached.every(untold))) return attached;
  const waiting = judged.filter(({ verdict }) => verdict.state === 'Waiting');
  const [blocked] = waiting;
  if (blocked?.verdict.state === 'Waiting') {
    const { reason, message } = blocked.verdict;
    return { status: false, reason, message: onNodes(waiting.length, blocked.node.name, message) };
  }
  const message = `attached on ${judged.length - unattached.length} of ${nodes}`;
  return { status: false, reason: 'Attaching', message };
}

function onNodes(count: number, first: string, message: string): string {
  const others = count > 1 ? `; ${count - 1} more ${count === 2 ? 'node' : 'nodes'}` : '';
  return `${first === '' ? '' : `${first}: `}${message}${others}`;
}
