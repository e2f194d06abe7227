// How a job stands on one node, from what is known of it and the time: pure. Neighbours: operator/plan.ts (asks for every node), operator/reasons.ts.

import type { NodeRecord, ObservedNode, Refusal } from './observed.ts';
import { agentReason, partReason, type Reason } from './reasons.ts';

/** When the job's time is. */
export interface Window {
  /** When the first node had its probes attached; undefined: none has yet. */
  from: number | undefined;
  /** The deadline. While nothing is attached: when waiting ends. */
  until: number;
  /** While nothing is attached: when waiting for busy nodes ends. */
  busyUntil: number;
}

export type Verdict =
  /** Nothing is attached, and may still be. */
  | { state: 'Waiting'; reason: Reason; message: string }
  | { state: 'Starting' }
  | { state: 'Running' }
  /** Detached; its run is being written, or fetched. */
  | { state: 'Collecting' }
  | { state: 'Fetched'; part?: Refusal }
  | { state: 'Failed'; reason: Reason; message: string }
  /** It has no part in the job: its pods came when there was no time left. */
  | { state: 'Outside' };

export const times = {
  /** Less of a job's time is not worth attaching for. */
  least: 500,
  /** A node that has not spoken for `silence` is given up so long after the deadline: with the publishing, a job ends within its deadline and 10 s. */
  grace: 8_000,
  silence: 5_000,
  /** A node that still traces so long after the deadline is told to stop: the operator's clock may have jumped. */
  overdue: 3_000,
  /** A node that speaks but gives no result is given up so long after the deadline. */
  longest: 600_000,
  busyRetry: 2_000,
  /** How long a job waits for busy nodes, at least. */
  busy: 600_000,
  late: 5_000,
  /** Pods that come in the last moments of a job are not missed in it. */
  came: 2_000,
} as const;

/** A node that says nothing any more when its result is due. */
function isLost(record: NodeRecord, window: Window, now: number): boolean {
  return now >= window.until + times.grace && now - (record.contactAt ?? 0) > times.silence;
}

export function judge(node: ObservedNode, window: Window, now: number): Verdict {
  const { record } = node;
  if (record?.failure) return { state: 'Failed', ...record.failure };
  if (record?.run) return fetched(node, record, window);
  const report = record?.report;
  if (record === undefined || report === undefined) return notYet(node, record, window, now);
  if (report.phase === 'Failed' && report.reason === 'NodeBusy') return busy(window, now);
  if (report.phase === 'Failed') {
    const message = report.message ?? 'the agent gave no reason';
    return { state: 'Failed', reason: agentReason(report.reason), message };
  }
  // One whose run waits for its turn to be fetched is silent because it is not asked; what is fetched and falls silent has trouble.
  const queued = report.phase === 'Finished' && record.fetching === true && record.trouble === undefined;
  if (!queued && isLost(record, window, now)) return lost(node, record);
  if (now >= window.until + times.longest)
    return {
      state: 'Failed',
      reason: 'NotFinished',
      message: `it was still ${report.phase} 10 min after the deadline`,
    };
  if (report.phase === 'Finished') return { state: 'Collecting' };
  return { state: report.phase };
}

function notYet(node: ObservedNode, record: NodeRecord | undefined, window: Window, now: number): Verdict {
  const taken = record !== undefined && (record.adopted === true || record.contactAt !== undefined);
  if (record !== undefined && taken) {
    // It has the job, as its own list or an answer says, and has not said more.
    return isLost(record, window, now) ? lost(node, record) : { state: 'Starting' };
  }
  const over = now >= window.until - (window.from === undefined ? 0 : times.least);
  if (record === undefined && over && node.scheduledAt > window.until - times.came)
    return { state: 'Outside' };
  const waiting = { state: over ? ('Failed' as const) : ('Waiting' as const) };
  if (!node.exists)
    return {
      ...waiting,
      reason: 'NodeGone',
      message: 'the node left the cluster before probes were attached',
    };
  if (!node.agent) return { ...waiting, reason: 'NoAgentOnNode', message: 'no agent is ready on it' };
  if (record?.trouble) return { ...waiting, reason: 'AgentUnreachable', message: record.trouble.message };
  if (over)
    return { state: 'Failed', reason: 'AgentUnreachable', message: 'its agent did not answer in time' };
  return { state: 'Starting' };
}

function busy(window: Window, now: number): Verdict {
  const over = now >= (window.from === undefined ? window.busyUntil : window.until - times.least);
  const message = 'the node is at its ceiling over all jobs';
  return { state: over ? 'Failed' : 'Waiting', reason: 'NodeBusy', message };
}

function lost(node: ObservedNode, record: NodeRecord): Verdict {
  if (!node.exists)
    return { state: 'Failed', reason: 'NodeGone', message: 'the node left the cluster during the job' };
  const why = record.trouble?.message ?? 'its agent stopped answering';
  return { state: 'Failed', reason: 'AgentUnreachable', message: `no result by the deadline: ${why}` };
}

function fetched(node: ObservedNode, record: NodeRecord, window: Window): Verdict {
  const part = record.part ?? partOf(node, record, window);
  return part ? { state: 'Fetched', part } : { state: 'Fetched' };
}

/** What is missing of a run that is there. */
function partOf(node: ObservedNode, record: NodeRecord, window: Window): Refusal | undefined {
  const { report, run, stopped } = record;
  if (report?.phase === 'Finished' && report.reason !== undefined)
    return {
      reason: agentReason(report.reason),
      message: report.message ?? 'the agent gave a part of its result',
    };
  if (stopped?.overdue === true && run?.meta.ended === 'Stopped')
    return {
      reason: 'EndedEarly',
      message: "its trace was ended when the operator's clock said that its time was over",
    };
  const ended = run && partReason(run.meta.ended);
  if (ended)
    return { reason: ended, message: run.meta.warnings.at(-1)?.message ?? 'it ended before the deadline' };
  const due = Math.max(window.from ?? 0, node.scheduledAt);
  // What another operator ordered is told by the node's own clock.
  const attached = record.adopted
    ? Number((run?.meta.startTime ?? 0n) / 1_000_000n)
    : (record.attachedBy ?? 0);
  if (window.from !== undefined && attached > due + times.late) {
    const seconds = Math.round((attached - due) / 1000);
    return { reason: 'AttachedLate', message: `its probes were attached ${seconds} s late` };
  }
  return undefined;
}
