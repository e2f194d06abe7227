// One job of a node from its order to its end: a session, its reports, its run on disk. Neighbours: agent/jobs.ts (all of them), agent/session.ts,
// agent/job-folder.ts.

import { mkdir } from 'node:fs/promises';
import type { ResultMeta } from '../results/shape.ts';
import type { PodTarget, Report, RunOrder } from './api.ts';
import { asAgentError } from './attach.ts';
import type { Cost } from './ceilings.ts';
import type { End, JobFolder } from './job-folder.ts';
import { emptyReport, finishedReport, progressReport } from './report.ts';
import { storedRun } from './run-files.ts';
import type { Session, startSession } from './session.ts';

/** What a job needs of its node. */
export interface JobNode {
  node: string;
  /** Where cgroup2 is mounted. */
  mountPoint: string;
  startSession: typeof startSession;
  /** ms since the Unix epoch. */
  now(): number;
  /** Told of each change of phase. */
  onPhase(uid: string, report: Report): void;
}

export interface Job {
  uid: string;
  /** Of the job's spec when it was ordered. */
  generation: number;
  /** What it may take while it runs; null when it has ended. */
  cost(): Cost | null;
  report(): Report;
  /** How it ended; undefined while it has not. */
  end(): End | undefined;
  folder: JobFolder;
  retarget(pods: PodTarget[]): Promise<void>;
  /** Ends it; with `reason`, the run is said to be a part. Resolves at once. */
  stop(why: { discard: boolean; interrupted?: string }): Promise<void>;
  /** Resolves with the next change of phase. */
  changed(): Promise<void>;
  /** Resolves when it has ended. */
  ended: Promise<void>;
}

/** A job that has ended, before or after the agent was restarted. */
export function endedJob(uid: string, generation: number, folder: JobFolder, first: End): Job {
  let end = first;
  return {
    uid,
    generation,
    folder,
    cost: () => null,
    report: () => end.report,
    end: () => end,
    retarget: async () => undefined,
    async stop({ discard }) {
      if (discard) end = await discarded(folder, end);
    },
    changed: () => Promise.resolve(),
    ended: Promise.resolve(),
  };
}

/** Starts it; whatever becomes of it is in its reports. */
export function startJob(order: RunOrder, cost: Cost, folder: JobFolder, node: JobNode): Job {
  const { uid } = order.job;
  let session: Session | undefined;
  let attachedAt = 0n;
  let phase: 'Starting' | 'Running' | 'Collecting' = 'Starting';
  let end: End | undefined;
  let stopped: { discard: boolean; interrupted?: string } | undefined;
  let change = Promise.withResolvers<void>();
  let ordered = order;
  /** Retargets, one after the other; the first waits until the session is there. */
  let targeting: Promise<void>;

  const report = (): Report => {
    if (end !== undefined) return end.report;
    if (phase === 'Starting' || session === undefined) return emptyReport;
    return progressReport(phase, attachedAt, session.progress());
  };

  const moved = (): void => {
    node.onPhase(uid, report());
    change.resolve();
    change = Promise.withResolvers<void>();
  };

  const start = async (): Promise<Session> => {
    await folder.writeOrder(ordered);
    await mkdir(folder.run, { recursive: true });
    const started = await node.startSession({
      job: order.job,
      node: node.node,
      plan: order.plan,
      targets: [],
      pods: { now: order.pods, mountPoint: node.mountPoint },
      durationMs: order.durationMs,
      budget: order.budget,
      redact: order.redact,
      spool: folder.run,
    });
    session = started;
    const draft = started.draft();
    attachedAt = draft.startTime;
    // What has been stopped meanwhile was never said to run.
    if (stopped !== undefined) started.stop('Stopped');
    phase = 'Running';
    moved();
    // Maps are in the kernel until the end: of them nothing can be saved.
    if (order.plan.source.kind === 'ring') await folder.writeDraft(draft);
    return started;
  };

  const finish = async (started: Session): Promise<End> => {
    void started.detached.then(() => {
      if (end !== undefined) return;
      phase = 'Collecting';
      moved();
    });
    const { meta, rows } = await started.finished;
    const { pods } = started.progress();
    const whole = withInterruption(meta, node.node, stopped?.interrupted);
    const run = await storedRun(rows, whole, node.node, order.partsAbove);
    const finished = finishedReport(whole, pods);
    const reported = interruptedReport(finished, stopped?.interrupted);
    return { report: reported, run, at: node.now() };
  };

  const failed = (error: unknown): End => {
    const { reason, message } = asAgentError(error, order.plan.trace);
    return { report: { ...report(), phase: 'Failed', reason, message }, at: node.now() };
  };

  const live = async (): Promise<void> => {
    const starting = start();
    targeting = starting.then(
      () => undefined,
      () => undefined,
    );
    let last: End;
    try {
      last = await finish(await starting);
    } catch (error) {
      last = failed(error);
      await folder.removeRun().catch(() => undefined);
    }
    if (stopped?.discard === true) last = await discarded(folder, last).catch(() => last);
    else await folder.writeEnd(last).catch(() => undefined);
    end = last;
    moved();
  };

  const ended = live();
  return {
    uid,
    generation: order.generation ?? 0,
    folder,
    cost: () => (end === undefined ? cost : null),
    report,
    end: () => end,
    async retarget(pods) {
      ordered = { ...ordered, pods };
      const next = targeting.then(async () => {
        await session?.retarget(pods);
        if (end === undefined) await folder.writeOrder(ordered);
      });
      targeting = next.catch(() => undefined);
      await next;
    },
    async stop(why) {
      if (end !== undefined) {
        if (!why.discard) return;
        end = await discarded(folder, end);
        return moved();
      }
      stopped = { ...why, discard: why.discard || stopped?.discard === true };
      session?.stop('Stopped');
    },
    changed: () => change.promise,
    ended,
  };
}

/** The run is thrown away; that there was a job stays known until it is acknowledged. */
async function discarded(folder: JobFolder, { report, at }: End): Promise<End> {
  await folder.removeRun();
  const message = 'stopped, and its result thrown away';
  const end: End = { report: { ...report, phase: 'Failed', reason: 'Discarded', message }, at };
  await folder.writeEnd(end);
  return end;
}

function withInterruption(meta: ResultMeta, node: string, message: string | undefined): ResultMeta {
  if (message === undefined) return meta;
  return { ...meta, warnings: [...meta.warnings, { node, reason: 'Interrupted', message }] };
}

function interruptedReport(report: Report, message: string | undefined): Report {
  return message === undefined ? report : { ...report, reason: 'Interrupted', message };
}
