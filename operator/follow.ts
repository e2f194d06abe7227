// Follows a job on one node: orders it, takes its reports, and takes the stream up again when it breaks or falls silent. An order is sent again
// only where the agent has the job or has never had it: what an agent lost in a restart must not begin anew as if nothing had happened.
// Neighbours: operator/execute.ts (begins it), operator/verdict.ts (what records mean), agent/api.ts.

import {
  type AgentApi,
  AgentCallError,
  type NodeDescription,
  protocol,
  type Report,
  type RunOrder,
} from '../agent/api.ts';
import { sleep, within } from './clock.ts';
import { shown } from './conditions.ts';
import type { Hands } from './hands.ts';
import type { NodeRecord } from './observed.ts';
import { times } from './verdict.ts';

export interface Following {
  uid: string;
  node: string;
  record: NodeRecord;
  /** Another operator may have ordered the job here. */
  inherited: boolean;
  /** What is left of the job's time, ms; 0 or less: nothing may begin any more. */
  left(): number;
  order(durationMs: number): RunOrder;
  signal: AbortSignal;
  changed(): void;
}

/** Agents report every second while they run; else a stream that says nothing is asked again. */
const silenceMs = 3_000;
const callMs = 5_000;
const firstPauseMs = 100;
const longestPauseMs = 2_000;

export async function follow(hands: Hands, following: Following): Promise<void> {
  const { record, signal, changed } = following;
  let pause = firstPauseMs;
  record.following = true;
  try {
    while (!signal.aborted) {
      const agent = hands.agentOn(following.node);
      const answered = record.contactAt;
      const ended = agent === undefined ? false : await once(hands, agent, following);
      if (ended || signal.aborted) return;
      changed();
      pause = record.contactAt === answered ? Math.min(pause * 2, longestPauseMs) : firstPauseMs;
      await sleep(hands.clock, pause, signal);
    }
  } finally {
    record.following = false;
    changed();
  }
}

/** One stream. True: there is nothing more to follow. */
async function once(hands: Hands, agent: AgentApi, following: Following): Promise<boolean> {
  const { record, uid, signal } = following;
  const { clock } = hands;
  try {
    const left = following.left();
    const mustHave = record.report !== undefined || left < times.least;
    const mayHave = following.inherited && record.adopted === undefined;
    if (mustHave || mayHave || record.contactAt === undefined) {
      const description = await callOf(hands, agent.describe());
      if (signal.aborted) return true;
      const apart = versionApart(description);
      if (apart !== undefined) {
        record.failure ??= { reason: 'VersionApart', message: apart };
        return true;
      }
      const { jobs } = description;
      const has = jobs.some((job) => job.uid === uid);
      if (has && mayHave && record.report === undefined) record.adopted = true;
      if (has || mustHave) record.contactAt = clock.now();
      if (!has && mustHave) return lost(record);
    }
    return await read(hands, agent, following, Math.max(left, times.least));
  } catch (error) {
    if (signal.aborted) return true;
    return troubled(hands, record, error);
  }
}

/** Why this agent can't be spoken with; undefined where it can. An operator speaks its own protocol and the one before. */
export function versionApart({
  version,
  protocol: theirs,
}: Pick<NodeDescription, 'version' | 'protocol'>): string | undefined {
  if (theirs === protocol || theirs === protocol - 1) return undefined;
  const side = theirs > protocol ? 'newer' : 'older';
  return `its agent (version ${shown(version, 40)}) is ${side} than this operator can speak with: protocol ${theirs}, not ${protocol} or ${protocol - 1}`;
}

/** The agent answers, and has nothing of the job. */
function lost(record: NodeRecord): true {
  record.failure =
    record.report === undefined && record.adopted === undefined
      ? { reason: 'AgentUnreachable', message: 'its agent did not answer in time' }
      : { reason: 'Interrupted', message: 'its agent was restarted and has nothing of the job any more' };
  return true;
}

async function read(
  hands: Hands,
  agent: AgentApi,
  following: Following,
  durationMs: number,
): Promise<boolean> {
  const { record, signal, changed } = following;
  const stream = new AbortController();
  const abort = () => stream.abort();
  signal.addEventListener('abort', abort);
  try {
    const reports = agent.run(following.order(durationMs), stream.signal)[Symbol.asyncIterator]();
    for (;;) {
      const next = await within(hands.clock, silenceMs, reports.next(), () => new Silence());
      if (signal.aborted || next.done) return signal.aborted;
      const ended = take(record, next.value, hands.clock.now());
      changed();
      if (ended) return true;
    }
  } catch (error) {
    if (error instanceof Silence) return false;
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    abort();
  }
}

class Silence extends Error {}

const ranks: Record<Report['phase'], number> = {
  Starting: 0,
  Running: 1,
  Collecting: 2,
  Finished: 3,
  Failed: 3,
};

/** A report into the record: true where it was the last. Reports may come late, twice or out of order; a job does not go backwards. */
export function take(record: NodeRecord, report: Report, now: number): boolean {
  const before = record.report;
  record.contactAt = now;
  delete record.trouble;
  const begun = report.attachedAt !== 0n;
  const again =
    before !== undefined && before.attachedAt !== 0n && begun && before.attachedAt !== report.attachedAt;
  if (again)
    record.part ??= {
      reason: 'Interrupted',
      message: 'its agent was restarted and began the job anew: what it saw before is missing',
    };
  if (begun) record.attachedBy ??= now;
  if (before !== undefined && !again && ranks[report.phase] < ranks[before.phase]) return false;
  record.report = report;
  if (report.reason === 'NodeBusy' && report.phase === 'Failed') record.busyAt = now;
  return report.phase === 'Finished' || report.phase === 'Failed';
}

/** True where trying again gives the same. */
function troubled(hands: Hands, record: NodeRecord, error: unknown): boolean {
  const { code, message } = asCallError(error);
  hands.counts.agentError(code);
  record.trouble = { code, message };
  if (code !== 'Unreachable') record.contactAt = hands.clock.now();
  if (code !== 'Refused') return false;
  record.failure ??= { reason: 'AgentRefused', message };
  return true;
}

export function asCallError(error: unknown): AgentCallError {
  if (error instanceof AgentCallError) return error;
  return new AgentCallError('Internal', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}

/** A call that is given up where no answer comes. */
export function callOf<T>(hands: Pick<Hands, 'clock'>, answer: Promise<T>): Promise<T> {
  return within(
    hands.clock,
    callMs,
    answer,
    () => new AgentCallError('Unreachable', `no answer within ${callMs / 1000} s`),
  );
}
