// What a result can look like. A gadget picks a shape and names its columns; merge, encode and render know shapes only.
// Neighbours: bpf/gadget.ts declares one, agent/decode.ts fills it, results/merge.ts folds runs of it, results/encode/* writes it.

/** A unit as it stands in a column's name: `durationNs`, `receivedBytes`, `calls`. */
export type Unit = 'ns' | 'bytes' | 'calls' | 'samples' | 'events' | 'switches';

/** textList: parts separated by NUL in the kernel's record (a command's arguments); an array of strings in JSON, joined by spaces where a person reads. */
export type ColumnType = 'integer' | 'text' | 'textList' | 'boolean' | 'time' | 'ipAddress';

export interface Column {
  /** camelCase with its unit at the end. */
  name: string;
  type: ColumnType;
  unit?: Unit;
  description: string;
  /** What a sentence calls its amounts, where the name won't do: "41% of CPU in …". */
  noun?: string;
  /** What the text may hold that is not the tracer's to show: redaction reads this. Absent: harmless (names of syscalls, states). */
  sensitive?: 'arguments' | 'path';
  /** May be null: not known, or it has not happened (an exit code of what still runs). */
  optional?: boolean;
}

/** How a value column folds when rows with the same key meet. Average is not among them: keep sum and count. */
export interface ValueColumn extends Column {
  fold: 'sum' | 'min' | 'max';
}

/** Rows in time order, never folded. Its first column is `time` (ns since the Unix epoch; written as RFC 3339 with nanoseconds). */
export interface EventsShape {
  kind: 'events';
  columns: Column[];
}

/** Captured packets, in time order. The columns say what is known of each; its bytes are beside them in a run's line, as `packet` (base64), and in
 *  capture.pcapng. */
export interface PacketsShape {
  kind: 'packets';
  columns: Column[];
}

/** Shapes of rows that stand one by one, in time order. */
export type TimedShape = EventsShape | PacketsShape;

export function isTimed(shape: Shape): shape is TimedShape {
  return shape.kind === 'events' || shape.kind === 'packets';
}

/** Rows by key; values fold. `sort`: the value column by which renderers order, descending. */
export interface TableShape {
  kind: 'table';
  keys: Column[];
  values: ValueColumn[];
  sort: string;
}

/** Counts by bucket for each key. log2: bucket i holds [2^i, 2^(i+1)) of the unit, bucket 0 holds 0 and 1. linear: [min + i*step, …), below and above clamped into the ends. */
export interface HistogramShape {
  kind: 'histogram';
  keys: Column[];
  /** What is measured, e.g. `latencyNs`. */
  value: Column;
  scale: { kind: 'log2' } | { kind: 'linear'; min: number; max: number; step: number };
}

/** Call stacks with weights. The first weight gives the widths of a flame graph. */
export interface StacksShape {
  kind: 'stacks';
  keys: Column[];
  weights: ValueColumn[];
}

export type Shape = TimedShape | TableShape | HistogramShape | StacksShape;

/** Every row of every shape begins with these: whose it is. Absent (null), never guessed: a process without Kubernetes has no pod. */
export const ownerColumns = [
  { name: 'node', type: 'text', description: 'The machine that saw it' },
  { name: 'namespace', type: 'text', description: "The pod's namespace", optional: true },
  { name: 'pod', type: 'text', description: "The pod's name", optional: true },
  {
    name: 'container',
    type: 'text',
    description: 'The container, command, cgroup or process tree in scope',
    optional: true,
  },
] as const satisfies readonly Column[];

export interface Owner {
  node: string;
  namespace: string | null;
  pod: string | null;
  container: string | null;
}

/** Integers are bigint where they may pass 2^53 (all folded values, all 64-bit columns). */
export type Value = string | number | bigint | boolean | null | string[];

/** One frame of a stack, outermost first in a row's list. */
export interface StackFrame {
  name: string;
  kind: 'user' | 'kernel' | 'jit' | 'inlined';
  module?: string;
  file?: string;
  line?: number;
}

/** A row as merge sees it: its key decides order and identity, its value folds. A packet's is an event's. */
export type Row =
  | { kind: 'events'; key: Value[]; value: Value[] }
  | { kind: 'table'; key: Value[]; value: bigint[] }
  /** buckets: sparse, by ascending index. total: sum of the measured values, exact. */
  | { kind: 'histogram'; key: Value[]; value: { buckets: [index: number, count: bigint][]; total: bigint } }
  | { kind: 'stacks'; key: Value[]; frames: StackFrame[]; value: bigint[] };

/** Why something seen is not among the rows. Closed. */
export type LossReason =
  | 'RingFull'
  | 'MapFull'
  | 'Budget'
  | 'Sampled'
  | 'StackUnavailable'
  | 'DiskFull'
  | 'Rate';

export interface Loss {
  owner: Owner;
  reason: LossReason;
  count: bigint;
}

/** What is true of a whole result besides its rows; merged by results/meta.ts. */
export interface ResultMeta {
  job: { name: string; namespace: string | null; uid: string };
  trace: { name: string; parameters: Record<string, unknown> };
  /** ns since the Unix epoch: attached, detached. */
  startTime: bigint;
  completionTime: bigint;
  /** Why it ended. */
  ended: 'Duration' | 'CommandExited' | 'TargetGone' | 'Stopped' | 'Budget' | 'Failed';
  shape: Shape;
  owners: Owner[];
  events: {
    seen: bigint;
    recorded: bigint;
    lost: bigint /** 1: everything; n: one of n */;
    sampledBy: number;
    losses: Loss[];
  };
  overhead: {
    /** CPU ns that its programs took from the traced and others (hits × calibrated cost), and that the agent took itself. */
    programsCpuNs: bigint;
    agentCpuNs: bigint;
    memoryBytes: bigint;
    /** Hits of its programs, in scope or not. */
    hits: bigint;
  };
  /** Which hook each program was attached to, by node. */
  attached: { node: string; program: string; hook: string }[];
  /** What went wrong without ending the job; shown in every rendering. */
  warnings: { node: string; reason: string; message: string }[];
}
