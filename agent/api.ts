// What an agent offers to the operator, as TypeScript: agent/client.ts speaks it over gRPC (agent/agent.proto), agent/serve.ts answers it,
// and the simulation (operator/simulation.test.ts) plays both. Neighbours: agent/plan.ts (the plan in an order).

import type { ResultMeta } from '../results/shape.ts';
import type { AgentReason } from './errors.ts';
import type { Budget, Redaction, TracePlan } from './plan.ts';

/** A pod to trace. The agent finds its cgroups by these ids alone, whatever the cgroup driver, and follows what is made there later. */
export interface PodTarget {
  /** metadata.uid. */
  uid: string;
  /** Annotation kubernetes.io/config.hash, by which kubelet names the group of a static pod. */
  configHash?: string;
  namespace: string;
  name: string;
  /** Every container that the pod's status has named so far, ended ones too: by these a row's container id becomes a name. */
  containers: { name: string; id: string }[];
  /** Names of the containers to trace. Absent: all. Rows of others, the pod's sandbox among them, are dropped. */
  only?: string[];
}

/** What a node is to do for a job. */
export interface RunOrder {
  job: { name: string; namespace: string | null; uid: string };
  plan: TracePlan;
  /** May be empty: probes are attached, and see the pods that Retarget names later from their first instruction. */
  pods: PodTarget[];
  /** From attached on, ms. The agent ends the job by itself. */
  durationMs: number;
  budget: Budget;
  redact: Redaction;
  /** Events of more bytes become a file of the run (RunFile), of which its rows are only the first. Absent: rows are all of them, however many. */
  partsAbove?: number;
  /** metadata.generation. A job that was released before it began, and is wanted again after its spec has changed, is no late order. Absent: 0. */
  generation?: number;
}

export type JobPhase =
  | 'Starting' // being loaded and attached
  | 'Running'
  | 'Collecting' // detached; its run is being written
  | 'Finished' // the run can be fetched until it is acknowledged
  | 'Failed'; // no run; nothing is attached

/** Why a job of this agent ended without a run, or with a part of one. */
export type JobReason =
  | AgentReason
  | 'Interrupted' // the agent was restarted meanwhile
  | 'NodeBusy' // the node's ceiling over all jobs is reached: try again later
  | 'Discarded'; // stopped, its result thrown away

/** The state of one job on one agent: sent at each change of phase, else every second while it runs. */
export interface Report {
  phase: JobPhase;
  /** ns since the Unix epoch by the node's clock; 0n: not yet. */
  attachedAt: bigint;
  /** Pods that had a cgroup in scope at some time. */
  podsTraced: number;
  events: { seen: bigint; recorded: bigint; lost: bigint; sampledBy: number };
  overhead: { programsCpuNs: bigint; agentCpuNs: bigint; memoryBytes: bigint };
  /** With Failed, and with Finished where the run is only a part. */
  reason?: JobReason;
  message?: string;
}

/** The head of a finished run; its rows are a file of `bytes` bytes (results/run.ts). */
export interface RunHead {
  meta: ResultMeta;
  bytes: bigint;
  /** Hexadecimal, of the rows. */
  sha256: string;
  /** What else the run has: files that are published as they are, one for each node, and never merged. */
  files?: RunFile[];
}

export interface RunFile {
  /** As its artifact is to be named, without the node: events.jsonl, capture.pcapng. */
  name: string;
  mediaType: string;
  bytes: bigint;
  /** Hexadecimal. */
  sha256: string;
}

/** A part of a file, put to a URL that the operator signed: the agent knows no bucket and has no key. */
export interface PartUpload {
  uid: string;
  /** RunFile.name. */
  file: string;
  from: bigint;
  bytes: number;
  url: string;
  headers: Record<string, string>;
}

/** What the store answered. */
export interface PartAnswer {
  /** Of HTTP; 0: there was none. */
  status: number;
  /** '' where it gave none. */
  etag: string;
  /** Without status: why there was no answer. */
  message: string;
}

export interface GadgetAbility {
  gadget: string;
  /** Hooks that it would take here; empty where it can't run. */
  hooks: string[];
  /** Why it can't run on this node. */
  reason?: string;
}

export interface NodeDescription {
  node: string;
  version: string;
  /** Raised when a reader of the old one would be wrong; an operator speaks its own and the one before. */
  protocol: number;
  kernel: string;
  arch: 'x86' | 'arm64';
  /** As native.features() says. */
  features: Record<string, boolean>;
  gadgets: GadgetAbility[];
  jobs: { uid: string; phase: JobPhase }[];
}

export const protocol = 1;

/** Every call throws AgentCallError. */
export interface AgentApi {
  describe(): Promise<NodeDescription>;
  /** Starts the job, or takes up its reports where this agent has it already (an order for a known uid changes nothing). Ends after a report with
   *  Finished or Failed. Aborting ends the stream, not the job. */
  run(order: RunOrder, signal: AbortSignal): AsyncIterable<Report>;
  /** The pods of a job as they are now, all of them: new ones come into scope, ones no longer listed are left alone. */
  retarget(uid: string, pods: PodTarget[]): Promise<void>;
  /** Ends a job early. It keeps its run unless `discard`. Ending one that has ended, or is unknown, is no error. */
  stop(uid: string, discard: boolean): Promise<void>;
  /** The run of a Finished job: its head, then its rows from a byte on. May be asked again until acknowledged. With `file`: that file of the run, and
   *  size and digest in the head are the file's. */
  fetch(
    uid: string,
    from: bigint,
    signal: AbortSignal,
    file?: string,
  ): Promise<{ head: RunHead; rows: AsyncIterable<Uint8Array> }>;
  /** Puts a part of a file of a Finished job to its URL, once. What the store answers is no error. */
  upload(part: PartUpload): Promise<PartAnswer>;
  /** What was fetched is published for good: the agent forgets the job. Unknown jobs are no error. */
  acknowledge(uid: string): Promise<void>;
  close(): void;
}

/** Closed. Unreachable may be tried again; the others will say the same. */
export type AgentCallCode = 'Unreachable' | 'Unauthenticated' | 'UnknownJob' | 'Refused' | 'Internal';

export class AgentCallError extends Error {
  override name = 'AgentCallError';
  readonly code: AgentCallCode;

  constructor(code: AgentCallCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
