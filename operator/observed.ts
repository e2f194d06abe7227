// What the plan sees and what it asks for: plain data. Neighbours: operator/plan.ts (the decision), operator/observe.ts (what of this comes from
// the cluster), operator/ledger.ts (what comes from agents), operator/execute.ts (carries actions out). Times are ms since the Unix epoch by the operator's clock.

import type { AgentCallCode, PodTarget, Report, RunFile } from '../agent/api.ts';
import type { Budget, Redaction } from '../agent/plan.ts';
import type { TraceJobStatus } from '../crds/status.ts';
import type { Kind } from '../crds/trace-job.ts';
import type { Artifact } from '../results/publish.ts';
import type { ResultMeta } from '../results/shape.ts';
import type { Reason } from './reasons.ts';

export const finalizer = 'sonde.dev/detach';

/** A job's spec, decided. */
export interface Assignment {
  trace: string;
  sees: 'pod' | 'node';
  durationMs: number;
  budget: Budget;
  redact: Redaction;
  store: string;
  ttlMs?: number;
  suspend: boolean;
}

export interface Refusal {
  reason: Reason;
  message: string;
}

export interface ObservedJob {
  kind: Kind;
  namespace: string | null;
  name: string;
  uid: string;
  generation: number;
  /** When this operator first saw the job. */
  knownSince: number;
  /** When it first saw that the job is being deleted. */
  deletedAt?: number;
  /** When it first saw that the job is to end early or not to begin: suspended, or everything is stopped. */
  endingAt?: number;
  /** Nodes that had part in it when this operator took the job over from another. */
  inherited?: number;
  finalizer: boolean;
  spec: { assignment: Assignment } | { refusal: Refusal };
  status: TraceJobStatus;
}

/** What is known of a job on one node since this operator leads. */
export interface NodeRecord {
  /** What its agent last said. */
  report?: Report;
  /** The last answer of its agent; undefined: none yet. */
  contactAt?: number;
  /** The last failed call since the last answer. */
  trouble?: { code: AgentCallCode; message: string };
  /** A stream of reports is open, or being opened again. */
  following: boolean;
  /** Another operator ordered it: the agent had it when this one asked. */
  adopted?: true;
  /** When a report first said that probes are attached, to the operator that ordered it. */
  attachedBy?: number;
  /** When NodeBusy was said. */
  busyAt?: number;
  /** What was targeted, as a digest that the agent has confirmed. */
  targeted?: string;
  /** It was asked to forget the job, and has not confirmed. */
  releasing?: true;
  /** It was told to end early, and confirmed. */
  stopped?: { overdue: boolean };
  /** Final: nothing will come from here. */
  failure?: Refusal;
  /** There, but not the whole. */
  part?: Refusal;
  /** Its run was asked for: it is being fetched, or waits for its turn. */
  fetching?: true;
  /** Its run is on the scratch disk. */
  run?: FetchedRun;
  /** Fetches that brought a damaged run. */
  fetches?: number;
}

export interface FetchedRun {
  meta: ResultMeta;
  /** A file of sorted rows. */
  path: string;
  /** What else the agent has of the run: published as it is. */
  files?: RunFile[];
}

export interface ObservedNode {
  name: string;
  /** The Node object is there. */
  exists: boolean;
  /** An agent is ready on it. */
  agent: boolean;
  pods: PodTarget[];
  /** Of `pods`. */
  digest: string;
  /** When the oldest of its pods was scheduled. */
  scheduledAt: number;
  record?: NodeRecord;
}

export interface StoredArtifact extends Artifact {
  uri: string;
}

export interface PublishedResult {
  /** The merged files, then those of single nodes. */
  artifacts: StoredArtifact[];
  meta: ResultMeta;
  headline: string;
  /** JSON of the first rows that anyone may read. */
  summary: string;
}

/** `nodes`: whose runs are in it. From its beginning on no other can come in. */
export type Publication =
  | { state: 'None' }
  | { state: 'Busy'; nodes: readonly string[] }
  | { state: 'Done'; nodes: readonly string[]; result: PublishedResult }
  /** firstAt: of this row of failures. */
  | {
      state: 'Failed';
      nodes: readonly string[];
      refusal: Refusal;
      again: boolean;
      at: number;
      firstAt: number;
    };

export interface Observed {
  job: ObservedJob;
  /** The chart's value by which every job ends and none begins. */
  stopEverything: boolean;
  namespace: 'Allowed' | 'Excluded' | 'Denied';
  /** Nodes with pods to trace and nodes that have the job, by name. */
  nodes: ObservedNode[];
  pods: { matched: number; notAllowed: number };
  /** Every agent that is there has said which jobs it has, since this operator leads. */
  swept: boolean;
  publication: Publication;
}

export type Action =
  | { kind: 'AddFinalizer' }
  | { kind: 'RemoveFinalizer' }
  /** Order the job, or take it up where the agent has it, and follow its reports. */
  | { kind: 'Follow'; node: string }
  | { kind: 'Retarget'; node: string }
  /** Ends it early; its run is kept. */
  | { kind: 'Stop'; node: string; overdue: boolean }
  | { kind: 'Fetch'; node: string }
  /** `failed`: nodes that are given up for good by it. */
  | { kind: 'Publish'; nodes: string[]; failed: { node: string; refusal: Refusal }[] }
  /** Whatever the agent has of the job is ended and forgotten; then its record is, too. */
  | { kind: 'Release'; node: string }
  | { kind: 'Delete' }
  | { kind: 'Event'; type: 'Normal' | 'Warning'; reason: string; message: string };

export interface Plan {
  actions: Action[];
  /** As it should be now; undefined: as it is. */
  status?: TraceJobStatus;
  /** Look again after so many ms, if nothing happens before; undefined: not by time. */
  requeueAfter?: number;
  /** When the job's time ends; undefined: it has not begun, or is over. Orders are for what is left of it. */
  deadline?: number;
}
