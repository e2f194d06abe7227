// The rows of a result as the blocks that a report embeds, by shape, with what is too much left out and counted. Neighbours: report.ts writes
// the blocks, report-stacks.ts does stacks, report-data.ts is the format.

import { allColumns, allValues, keyColumns } from '../columns.ts';
import { condensedNote } from '../condensed.ts';
import type { HistogramShape, ResultMeta, Row, TableShape } from '../shape.ts';
import type { ResultView } from '../view.ts';
import { packColumn, packRows } from './pack.ts';
import type { Block, HistogramBlock, ReportFoot } from './report-data.ts';
import { mostNodes, stacksBlock } from './report-stacks.ts';

export interface BodyLimits {
  /** Events embedded, the first in time. */
  events: number;
  /** Table rows embedded, the first by the table's sort. */
  rows: number;
  /** Histogram keys embedded, those with most counts. */
  histograms: number;
  /** Nodes of the call tree. */
  stackNodes: number;
}

const usual: BodyLimits = {
  events: 50_000,
  rows: 100_000,
  histograms: 5_000,
  stackNodes: mostNodes,
};

const rowsPerBlock = 2_000;
const steps = 240;

type WriteBlock = (block: Block) => Promise<void> | void;

/** Writes all blocks; gives what was written and what was not. */
export async function writeBody(
  view: ResultView,
  write: WriteBlock,
  limits: Partial<BodyLimits>,
): Promise<ReportFoot> {
  const most = { ...usual, ...limits };
  const { shape } = view.meta;
  switch (shape.kind) {
    case 'events':
    case 'packets':
      return writeEvents(view, write, most);
    case 'table':
      return writeTable(view, shape, write, most.rows);
    case 'histogram':
      return writeHistograms(view, shape, write, most.histograms);
    case 'stacks': {
      const { block, rows, folded } = await stacksBlock(view.rows(), shape, most.stackNodes);
      await write(block);
      const { condensed } = view;
      if (condensed === undefined) return { rows, embedded: rows, folded };
      return { rows: condensed.rows, embedded: rows, folded, note: condensedNote(view.meta, condensed) };
    }
  }
}

/** Counts over the job's time, in steps that a person can name. */
function series(meta: ResultMeta): {
  /** ns since the Unix epoch. */
  count(time: number): void;
  start: string;
  stepNs: number;
  counts: number[];
} {
  const start = Number(meta.startTime);
  const duration = Math.max(1, Number(meta.completionTime - meta.startTime));
  const rough = duration / steps;
  const power = 10 ** Math.floor(Math.log10(rough));
  const stepNs = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const counts = new Array<number>(Math.max(1, Math.ceil(duration / stepNs))).fill(0);
  return {
    start: meta.startTime.toString(),
    stepNs,
    counts,
    count(time) {
      // What lies outside, by the clocks of several nodes, is counted at the ends.
      const step = Math.floor((time - start) / stepNs);
      const at = Math.min(counts.length - 1, Math.max(0, step));
      counts[at] = (counts[at] ?? 0) + 1;
    },
  };
}

async function writeEvents(view: ResultView, write: WriteBlock, most: BodyLimits): Promise<ReportFoot> {
  const columns = allColumns(view.meta.shape);
  const line = series(view.meta);
  let pending: Row[] = [];
  let rows = 0;
  let embedded = 0;
  const flush = async () => {
    if (pending.length === 0) return;
    await write({ kind: 'rows', rows: pending.length, columns: packRows(columns, pending.map(allValues)) });
    pending = [];
  };
  for await (const row of view.rows()) {
    if (embedded === most.events && view.laterTimes !== undefined) break;
    rows++;
    const time = row.key[0];
    if (typeof time === 'bigint') line.count(Number(time));
    if (embedded === most.events) continue;
    embedded++;
    pending.push(row);
    if (pending.length === rowsPerBlock) await flush();
  }
  await flush();
  if (embedded === most.events && view.laterTimes !== undefined)
    for await (const times of view.laterTimes(rows)) {
      rows += times.length;
      for (const time of times) line.count(time);
    }
  const { start, stepNs, counts } = line;
  return { rows, embedded, folded: 0, series: { start, stepNs, counts } };
}

/** The `most` greatest rows by `weigh`, greatest first, and how many there were. Memory: twice as many rows. */
async function greatest<R extends Row>(
  rows: AsyncIterable<Row>,
  kind: R['kind'],
  weigh: (row: R) => bigint,
  most: number,
): Promise<{ kept: R[]; count: number }> {
  let kept: R[] = [];
  let count = 0;
  const cut = () => {
    kept.sort((a, b) => {
      const [x, y] = [weigh(a), weigh(b)];
      return x === y ? 0 : x > y ? -1 : 1;
    });
    kept = kept.slice(0, most);
  };
  for await (const row of rows) {
    if (row.kind !== kind) continue;
    count++;
    kept.push(row as R);
    if (kept.length >= most * 2) cut();
  }
  cut();
  return { kept, count };
}

type TableRow = Row & { kind: 'table' };
type HistogramRow = Row & { kind: 'histogram' };

async function writeTable(
  view: ResultView,
  shape: TableShape,
  write: WriteBlock,
  most: number,
): Promise<ReportFoot> {
  const sort = shape.values.findIndex((column) => column.name === shape.sort);
  const weigh = (row: TableRow) => row.value[Math.max(0, sort)] ?? 0n;
  const { kept, count } = await greatest<TableRow>(view.rows(), 'table', weigh, most);
  const columns = allColumns(shape);
  for (let from = 0; from < kept.length; from += rowsPerBlock) {
    const part = kept.slice(from, from + rowsPerBlock);
    await write({ kind: 'rows', rows: part.length, columns: packRows(columns, part.map(allValues)) });
  }
  return { rows: count, embedded: kept.length, folded: 0 };
}

async function writeHistograms(
  view: ResultView,
  shape: HistogramShape,
  write: WriteBlock,
  most: number,
): Promise<ReportFoot> {
  const weigh = (row: HistogramRow) => row.value.buckets.reduce((sum, [, count]) => sum + count, 0n);
  const { kept, count } = await greatest<HistogramRow>(view.rows(), 'histogram', weigh, most);
  const buckets = kept.flatMap((row) => row.value.buckets);
  const counts = buckets.map(([, value]) => value);
  const block: HistogramBlock = {
    kind: 'histogram',
    rows: kept.length,
    columns: packRows(
      keyColumns(shape),
      kept.map((row) => row.key),
    ),
    lengths: kept.map((row) => row.value.buckets.length),
    index: buckets.map(([index]) => index),
    counts: packColumn({ type: 'integer' }, counts),
    totals: packColumn(
      { type: 'integer' },
      kept.map((row) => row.value.total),
    ),
  };
  await write(block);
  return { rows: count, embedded: kept.length, folded: 0 };
}
