// The data inside a report.html, between report.ts that writes it and results/render/browser/ that reads it. Columns, not rows; integers
// past 2^53 as decimal strings. Three kinds of <script type="application/json">: one `head`, any number of `block`s, one `foot`.

import type { ColumnType, Shape, StackFrame, Unit } from '../shape.ts';

/** A column as the page shows it. */
export interface DataColumn {
  name: string;
  type: ColumnType;
  unit?: Unit;
  description: string;
  /** owner: whose it is; key: what tells rows apart; value: what was measured. */
  role: 'owner' | 'key' | 'value';
  fold?: 'sum' | 'min' | 'max';
}

/** A packed column of a block. null is null; words are picked by index, −1 for null. */
export type Packed =
  | { as: 'words'; words: string[]; at: number[] }
  | { as: 'numbers'; values: (number | null)[] }
  /** Decimal strings. */
  | { as: 'exact'; values: (string | null)[] }
  /** ns since `base` (decimal string). */
  | { as: 'offsets'; base: string; values: (number | null)[] };

/** What is wrong with the recording, by whom and why. */
export interface LossLine {
  owner: string;
  reason: string;
  count: string;
}

/** ResultMeta with its 64-bit integers as decimal strings. */
export interface ReportHead {
  version: 1;
  headline: string;
  job: { name: string; namespace: string | null };
  trace: { name: string; parameters: Record<string, unknown> };
  startTime: string;
  completionTime: string;
  ended: string;
  shape: Shape;
  columns: DataColumn[];
  nodes: string[];
  owners: number;
  events: { seen: string; recorded: string; lost: string; sampledBy: number; losses: LossLine[] };
  overhead: { programsCpuNs: string; agentCpuNs: string; memoryBytes: string; hits: string };
  attached: { node: string; program: string; hook: string }[];
  warnings: { node: string; reason: string; message: string }[];
  /** The file beside the report that has everything. */
  complete: string;
}

/** Rows of a table or events, one packed column for each of head.columns. */
export interface RowsBlock {
  kind: 'rows';
  rows: number;
  columns: Packed[];
}

/** Histograms: keys as rows, with their buckets: flat lists, `lengths[i]` of them for row i. */
export interface HistogramBlock {
  kind: 'histogram';
  rows: number;
  columns: Packed[];
  lengths: number[];
  index: number[];
  counts: Packed;
  totals: Packed;
}

/** All stacks. A node's parent stands before it (−1: none); leaves say who spent what where. */
export interface StacksBlock {
  kind: 'stacks';
  frames: {
    name: string[];
    kind: StackFrame['kind'][];
    /** Index into modules, −1: none. */
    module: number[];
    modules: string[];
    /** "file.c:12", "file.c:12–40" where it was seen at several lines, or "". */
    at: string[];
  };
  parent: number[];
  frame: number[];
  /** Owner and key columns, one row for each who. */
  groups: { rows: number; columns: Packed[] };
  leafNode: number[];
  leafGroup: number[];
  /** One for each of the shape's weights. */
  leafWeights: Packed[];
}

export type Block = RowsBlock | HistogramBlock | StacksBlock;

/** What is only known at the end. */
export interface ReportFoot {
  /** Rows in the result, and how many of them are in this file. */
  rows: number;
  embedded: number;
  /** Nodes of the call tree that were too light to be embedded one by one, folded into their callers. */
  folded: number;
  /** What else is to be said of what is embedded. */
  note?: string;
  /** Events: all of them, counted over the time of the job in equal steps. */
  series?: { start: string; stepNs: number; counts: number[] };
}
