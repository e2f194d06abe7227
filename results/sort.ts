// Unsorted rows into the order of a run within a memory bound: chunks are sorted, folded, spilled to disk, and merged as they are read.
// Neighbours: results/merge.ts, results/run.ts. Used by agent/session.ts for what it decoded from maps.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mergeRuns } from './merge.ts';
import { compareRows, foldRows } from './order.ts';
import { readRun, writeRun } from './run.ts';
import { isTimed, type Row, type Shape, type Value } from './shape.ts';

export interface SortOptions {
  /** Rows held before they are spilled, by estimate (what V8 has not collected yet comes on top); 32 MiB by default. */
  memoryBytes?: number;
  /** Where a scratch folder is made when rows are spilled, and removed after; the system's by default. */
  scratch?: string;
}

/** More spilled files than this are merged into one first, so that a large sort needs few descriptors. */
const mostFiles = 64;

/** The rows in compareRows' order, equal keys folded. Rows that fit in memory touch no disk. */
export async function* sortRows(
  shape: Shape,
  rows: AsyncIterable<Row> | Iterable<Row>,
  options: SortOptions = {},
): AsyncGenerator<Row> {
  const limit = options.memoryBytes ?? 32 << 20;
  let held: Row[] = [];
  let bytes = 0;
  let folder: string | undefined;
  let spilled: string[] = [];
  let made = 0;
  const nextPath = (inside: string) => join(inside, `${made++}.jsonl`);
  try {
    for await (const row of rows) {
      held.push(row);
      bytes += sizeOf(row);
      if (bytes < limit) continue;
      folder ??= await mkdtemp(join(options.scratch ?? tmpdir(), 'sonde-sort-'));
      if (spilled.length >= mostFiles) spilled = [await mergeFiles(shape, spilled, nextPath(folder))];
      const path = nextPath(folder);
      await writeRun(path, shape, sortInMemory(shape, held));
      spilled.push(path);
      held = [];
      bytes = 0;
    }
    const rest = sortInMemory(shape, held);
    if (spilled.length === 0) yield* rest;
    else yield* mergeRuns(shape, [...spilled.map((path) => readRun(path, shape)), eachOf(rest)]);
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true });
  }
}

/** Sorts the list in place and gives it folded. */
export function sortInMemory(shape: Shape, rows: Row[]): Row[] {
  rows.sort(compareRows);
  if (isTimed(shape)) return rows;
  const folded: Row[] = [];
  for (const row of rows) {
    const last = folded.at(-1);
    if (last && compareRows(last, row) === 0) folded[folded.length - 1] = foldRows(shape, last, row);
    else folded.push(row);
  }
  return folded;
}

async function mergeFiles(shape: Shape, paths: string[], path: string): Promise<string> {
  await writeRun(
    path,
    shape,
    mergeRuns(
      shape,
      paths.map((each) => readRun(each, shape)),
    ),
  );
  for (const each of paths) await rm(each);
  return path;
}

async function* eachOf(rows: Row[]): AsyncGenerator<Row> {
  yield* rows;
}

/** Bytes of heap, roughly: what matters is that a row of long texts counts as one. */
function sizeOf(row: Row): number {
  let bytes = 200;
  for (const value of row.key) bytes += valueSize(value);
  if (row.kind === 'histogram') return bytes + row.value.buckets.length * 80;
  for (const value of row.value) bytes += valueSize(value);
  if (row.kind !== 'stacks') return bytes;
  for (const frame of row.frames) bytes += 80 + frame.name.length;
  return bytes;
}

function valueSize(value: Value): number {
  if (typeof value === 'string') return 24 + value.length;
  if (Array.isArray(value)) return value.reduce((sum, part) => sum + 24 + part.length, 32);
  return 24;
}
