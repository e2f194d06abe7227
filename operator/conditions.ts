// A job's conditions, with kstatus' three among them: pure. sigs.k8s.io/cli-utils' kstatus takes Reconciling for "in progress", Stalled for
// "failed" and Ready for "current"; all are always written, so that none stays behind. Neighbour: operator/plan.ts.

import type { TraceJobStatus } from '../crds/status.ts';
import type { Action } from './observed.ts';
import { type Reason, reasonKinds } from './reasons.ts';

export type Condition = NonNullable<TraceJobStatus['conditions']>[number];
export type ConditionType = 'Accepted' | 'Attached' | 'Complete' | 'Failed' | 'Degraded';

/** One of the job's own conditions, before times are added. */
export interface Finding {
  status: boolean;
  reason: Reason;
  message?: string;
}

export type Findings = Record<ConditionType, Finding>;

export interface Conditioned {
  generation: number;
  /** The job is at rest: it waits for nothing. */
  suspended: boolean;
  now: number;
}

/** All eight, in a fixed order, with the time of their last change taken over from `before`. */
export function conditionsOf(
  findings: Findings,
  before: readonly Condition[],
  { generation, suspended, now }: Conditioned,
): Condition[] {
  const { Accepted, Complete, Failed } = findings;
  const told = Failed.status ? Failed : Accepted.reason === 'Accepted' ? Complete : Accepted;
  const ended = Complete.status || Failed.status;
  const all: [string, Finding][] = [
    ...Object.entries(findings),
    ['Ready', { ...told, status: Complete.status || (suspended && !ended) }],
    ['Reconciling', { ...told, status: !ended && !suspended }],
    ['Stalled', { ...told, status: Failed.status }],
  ];
  return all.map(([type, { status, reason, message }]) => {
    const known = before.find((condition) => condition.type === type);
    const text = status ? 'True' : 'False';
    return {
      type,
      status: text,
      observedGeneration: generation,
      lastTransitionTime:
        known?.status === text
          ? known.lastTransitionTime
          : new Date(now).toISOString().replace(/\.\d+Z$/, 'Z'),
      reason,
      message: shown(message ?? reasonKinds[reason].meaning, 512),
    };
  });
}

export function condition(status: TraceJobStatus, type: string): Condition | undefined {
  return status.conditions?.find((each) => each.type === type);
}

export function holds(status: TraceJobStatus, type: string): boolean {
  return condition(status, type)?.status === 'True';
}

/** Events for what has become true since. */
export function eventsOf(before: TraceJobStatus, after: TraceJobStatus): Action[] {
  const events: Action[] = [];
  for (const type of ['Attached', 'Complete', 'Degraded', 'Failed']) {
    const now = condition(after, type);
    if (now?.status !== 'True' || holds(before, type)) continue;
    const warns = type === 'Degraded' || type === 'Failed';
    const { reason, message } = now;
    events.push({ kind: 'Event', type: warns ? 'Warning' : 'Normal', reason, message });
  }
  return events;
}

/** Text from an agent or a store as it may stand in a status that `view` reads: one line, no paths, bounded. */
export function shown(text: string, longest: number): string {
  const line = text
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/(^|[\s"'`(=:,])\/[^\s"'`),;]*/g, '$1[path]');
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`;
}
