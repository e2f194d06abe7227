// What the operator does its work with, as interfaces: the API server, agents, the disk, the store. Neighbours: operator/main.ts puts the real ones
// together, operator/simulation.test.ts played ones; operator/reconcile.ts, execute.ts and follow.ts use them.

import type { AgentApi, AgentCallCode, NodeDescription } from '../agent/api.ts';
import type { TraceJobStatus } from '../crds/status.ts';
import type { Clock } from './clock.ts';
import type { Cluster, JobObject } from './cluster.ts';
import type { Deliver } from './deliver.ts';
import type { FetchedRun, PublishedResult, Refusal } from './observed.ts';

/** What is written to jobs. Each rejects where the API server does not take it. */
export interface JobApi {
  applyStatus(job: JobObject, status: TraceJobStatus): Promise<void>;
  setFinalizer(job: JobObject, present: boolean): Promise<void>;
  /** Only this very object: not one of the same name that came after it. */
  remove(job: JobObject): Promise<void>;
  event(
    job: JobObject,
    event: { type: 'Normal' | 'Warning'; reason: string; message: string },
  ): Promise<void>;
}

export interface Results {
  /** Brings a finished run to the scratch disk; takes up where an earlier call ended. Throws AgentCallError, RunError. */
  collect(
    agent: AgentApi,
    uid: string,
    node: string,
    signal: AbortSignal,
    progress: () => void,
  ): Promise<FetchedRun>;
  /** Merges, writes and uploads; when it resolves the result is durable. Throws PublishError. */
  publish(job: JobObject, store: string, runs: FetchedRun[], signal: AbortSignal): Promise<PublishedResult>;
  /** Brings files of runs that are not merged to the store. Throws PublishError. */
  deliver: Deliver;
  /** Removes what the scratch disk has of a job. */
  discard(uid: string): Promise<void>;
}

/** A run that can't be had from its agent, for good unless `again`. */
export class RunError extends Error {
  override name = 'RunError';
  readonly refusal: Refusal;
  readonly again: boolean;

  constructor(refusal: Refusal, again: boolean, options?: { cause?: unknown }) {
    super(refusal.message, options);
    this.refusal = refusal;
    this.again = again;
  }
}

/** A result that could not be published; `again`: it may be tried later. */
export class PublishError extends Error {
  override name = 'PublishError';
  readonly refusal: Refusal;
  readonly again: boolean;

  constructor(refusal: Refusal, again: boolean, options?: { cause?: unknown }) {
    super(refusal.message, options);
    this.refusal = refusal;
    this.again = again;
  }
}

export interface Log {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/** Counted as they happen; the rest is read from ledgers when Prometheus asks. */
export interface Counts {
  agentError(code: AgentCallCode): void;
  reconciled(seconds: number): void;
  published(seconds: number): void;
  statusWritten(ok: boolean): void;
}

export interface Hands {
  clock: Clock;
  cluster: Cluster;
  /** The node's agent; undefined where none is ready. */
  agentOn(node: string): AgentApi | undefined;
  api: JobApi;
  results: Results;
  /** Bytes of events above which a node's are a file of its own, not merged. */
  partsAbove: number;
  /** What an agent said of itself. */
  described(description: NodeDescription): void;
  log: Log;
  counts: Counts;
}
