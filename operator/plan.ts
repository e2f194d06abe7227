// What is to be done for a job, from all that is known of it and the time: pure and level-based, so it may be asked at any moment, by any operator,
// after any crash. It reads as a chain of checks: the first that has something to say says it. Neighbours: operator/observed.ts (in and out),
// operator/trace.ts (the job's way when no check stops it), operator/findings.ts (how it is told), operator/execute.ts (does it).

import type { TraceJobStatus } from '../crds/status.ts';
import { type Findings, holds } from './conditions.ts';
import { assignmentOf, fail, isEnding, tell } from './findings.ts';
import type { Action, Observed, Plan, Refusal } from './observed.ts';
import { trace } from './trace.ts';

/** A deleted job waits so long for its agents. */
const detachMs = 30_000;
type Check = (observed: Observed, now: number) => Plan | undefined;

const checks: Check[] = [deleted, ended, refused, suspended, released, unprotected];

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
          message: `${job.namespace === null ? 'a namespace that it traces' : `namespace ${job.namespace}`} is labelled sonde.dev/tracing: deny`,
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

/** A job that is wanted again before all agents have let go of it: first they do. */
function released({ job, nodes }: Observed): Plan | undefined {
  const left = nodes.filter(({ record, agent }) => record?.releasing === true && agent);
  if (left.length === 0 || job.status.startTime !== undefined) return undefined;
  return { actions: releases(left) };
}

/** Nothing is attached before the finalizer stands: else a job could go and leave its probes. */
function unprotected({ job }: Observed): Plan | undefined {
  return job.finalizer ? undefined : { actions: [{ kind: 'AddFinalizer' }] };
}
