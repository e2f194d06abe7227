// The jobs of a node: what an agent answers to the operator (agent/api.ts), from its memory and its spool. Neighbours: agent/job.ts (one of them),
// agent/ceilings.ts (how many), agent/interrupted.ts (those of an agent that was killed), agent/serve.ts (over the network).

import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Native } from '../native/api.ts';
import { type AgentApi, AgentCallError, type NodeDescription, type Report, type RunHead } from './api.ts';
import { asAgentError } from './attach.ts';
import { busy, type Ceilings, type Cost, costOf } from './ceilings.ts';
import { endInterrupted } from './interrupted.ts';
import { endedJob, type Job, type JobNode, startJob } from './job.ts';
import { jobFolder } from './job-folder.ts';
import { emptyReport } from './report.ts';
import { putPart } from './upload.ts';
import { asUid, partBytes } from './wire.ts';

export interface JobsOptions extends JobNode {
  native: Native;
  /** A folder of this agent's own. */
  spool: string;
  ceilings: Ceilings;
  /** How long a run is kept that nobody acknowledges, ms. */
  runTtlMs: number;
  describe(): Promise<Omit<NodeDescription, 'jobs'>>;
}

export interface Jobs extends AgentApi {
  /** Forgets runs that are older than their time. */
  sweep(): Promise<void>;
  /** Ends every job and keeps its run, which says that it is a part; then nothing is attached. New jobs are refused from its call on. */
  shutDown(): Promise<void>;
}

/** Reports come so often while nothing changes, ms. */
const reportMs = 1000;
/** Jobs that were acknowledged, and of which generation: a late order shall not start them anew. */
const mostForgotten = 10_000;

/** Takes up what is in the spool: runs can be fetched, jobs that were running have ended. Throws what the file system says. */
export async function openJobs(options: JobsOptions): Promise<Jobs> {
  const { spool, node, now } = options;
  await mkdir(spool, { recursive: true, mode: 0o700 });
  const jobs = await takeUp(options);
  const forgotten = new Map<string, number>();
  let closing = false;

  const known = (uid: string): Job => {
    const job = jobs.get(uid);
    if (job !== undefined) return job;
    throw new AgentCallError('UnknownJob', `there is no job ${uid} on ${node}`);
  };

  /** A file of a finished job's run, its rows where none is named. */
  const found = (uid: string, file?: string): { head: RunHead; path: string } => {
    const job = known(uid);
    const { phase, message } = job.report();
    const run = job.end()?.run;
    if (run === undefined)
      throw new AgentCallError(
        'Refused',
        `job ${uid} on ${node} has no run: it is ${phase}${message === undefined ? '' : ` (${message})`}`,
      );
    if (file === undefined) return { head: run.head, path: join(job.folder.run, run.rows) };
    const listed = run.head.files?.find(({ name }) => name === file);
    const path = run.paths[file];
    if (listed === undefined || path === undefined)
      throw new AgentCallError('Refused', `the run of job ${uid} on ${node} has no file ${file}`);
    const { bytes, sha256 } = listed;
    return { head: { ...run.head, bytes, sha256 }, path: join(job.folder.run, path) };
  };

  const forget = async (job: Job): Promise<void> => {
    jobs.delete(job.uid);
    forgotten.set(job.uid, job.generation);
    const [oldest] = forgotten.keys();
    if (forgotten.size > mostForgotten && oldest !== undefined) forgotten.delete(oldest);
    await job.folder.remove();
  };

  async function* reports(job: Job, signal: AbortSignal): AsyncGenerator<Report> {
    for (;;) {
      const change = job.changed();
      const report = job.report();
      yield report;
      if (signal.aborted || (job.end() !== undefined && report === job.report())) return;
      const late = new AbortController();
      const stop = (): void => late.abort();
      signal.addEventListener('abort', stop, { once: true });
      await Promise.race([
        change,
        setTimeout(reportMs, undefined, { signal: late.signal }).catch(() => undefined),
      ]);
      signal.removeEventListener('abort', stop);
      late.abort();
      if (signal.aborted) return;
    }
  }

  const refusal = (reason: Report['reason'], message: string): Report => ({
    ...emptyReport,
    phase: 'Failed',
    ...(reason === undefined ? {} : { reason }),
    message,
  });

  async function* run(order: Parameters<AgentApi['run']>[0], signal: AbortSignal): AsyncGenerator<Report> {
    const { uid } = order.job;
    const there = jobs.get(uid);
    if (there !== undefined) return yield* reports(there, signal);
    if (closing) throw new AgentCallError('Unreachable', `the agent on ${node} is ending`);
    if ((order.generation ?? 0) <= (forgotten.get(uid) ?? -1))
      return yield refusal('Discarded', 'this job has ended and was acknowledged');
    let cost: Cost;
    try {
      cost = costOf(options.native, order, availableParallelism());
    } catch (error) {
      const { reason, message } = asAgentError(error, order.plan.trace);
      return yield refusal(reason, message);
    }
    const running = [...jobs.values()].flatMap((job) => job.cost() ?? []);
    const why = busy(options.ceilings, running, cost);
    if (why !== undefined) return yield refusal('NodeBusy', why);
    // Nothing is waited for between the look at the jobs and this: two orders for one uid start one job.
    const job = startJob(order, cost, jobFolder(spool, asUid(uid, 'job uid')), options);
    jobs.set(uid, job);
    yield* reports(job, signal);
  }

  return {
    run,
    async describe() {
      const described = await options.describe();
      return {
        ...described,
        jobs: [...jobs.values()].map((job) => ({ uid: job.uid, phase: job.report().phase })),
      };
    },
    retarget: async (uid, pods) => await known(uid).retarget(pods),
    async stop(uid, discard) {
      await jobs.get(uid)?.stop({ discard });
    },
    async fetch(uid, from, signal, file) {
      const { head, path } = found(uid, file);
      if (from > head.bytes)
        throw new AgentCallError(
          'Refused',
          `${file ?? 'the run'} of job ${uid} has ${head.bytes} bytes, and none from ${from} on`,
        );
      return { head, rows: readFrom(path, from, signal) };
    },
    async upload(part) {
      const { head, path } = found(part.uid, part.file);
      if (part.from + BigInt(part.bytes) > head.bytes)
        throw new AgentCallError(
          'Refused',
          `${part.file} of job ${part.uid} has ${head.bytes} bytes, and no part of ${part.bytes} from ${part.from} on`,
        );
      return await putPart(path, part);
    },
    async acknowledge(uid) {
      const job = jobs.get(uid);
      if (job === undefined) return;
      if (job.end() === undefined)
        throw new AgentCallError('Refused', `job ${uid} on ${node} is ${job.report().phase}: stop it first`);
      await forget(job);
    },
    async sweep() {
      for (const job of jobs.values()) {
        const end = job.end();
        if (end !== undefined && now() - end.at > options.runTtlMs) await forget(job);
      }
    },
    async shutDown() {
      closing = true;
      const interrupted =
        'the agent was stopped while the job ran on this node: the run is what there was until then';
      const running = [...jobs.values()].filter((job) => job.end() === undefined);
      for (const job of running) await job.stop({ discard: false, interrupted });
      await Promise.all(running.map(({ ended }) => ended));
    },
    close: () => undefined,
  };
}

/** Opened only when it is read: a stream that nobody reads would have nobody to tell of its errors. */
async function* readFrom(path: string, from: bigint, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { start: Number(from), highWaterMark: partBytes, signal });
}

/** What an agent before this one left in the spool. What is no job's is removed. */
async function takeUp(options: JobsOptions): Promise<Map<string, Job>> {
  const { spool, node, now, onPhase } = options;
  const jobs = new Map<string, Job>();
  for (const name of await readdir(spool)) {
    const folder = jobFolder(spool, name);
    const order = await folder.readOrder().catch(() => undefined);
    if (!isUid(name) || order === undefined) {
      await rm(join(spool, name), { recursive: true, force: true });
      continue;
    }
    const end = await folder.readEnd().catch(async () => {
      const found = await endInterrupted(folder, node, now());
      if (found.run === undefined) await folder.removeRun();
      await folder.writeEnd(found);
      onPhase(name, found.report);
      return found;
    });
    jobs.set(name, endedJob(name, order.generation ?? 0, folder, end));
  }
  return jobs;
}

function isUid(name: string): boolean {
  try {
    asUid(name, '');
    return true;
  } catch {
    return false;
  }
}
