// Many runs become one file of rows, on disk, in bounded memory. Rows begin with their node: runs of different nodes lie one behind the other in the
// order of rows, and are then only put together, not parsed; what overlaps is merged, few at a time. Neighbours: results/merge.ts, operator/publish.ts.

import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readBlocks } from '../results/blocks.ts';
import { writeFileThrough } from '../results/lines.ts';
import { mergeLineFiles, mergeRuns } from '../results/merge.ts';
import { compareKeys } from '../results/order.ts';
import { decodeLine, readRun, writeRun } from '../results/run.ts';
import { isTimed, type Shape, type StacksShape, type Value } from '../results/shape.ts';
import { type RunSummary, readSummary, summaryFrame } from '../results/stack-file.ts';

/** Files read at once. */
const mostOpen = 64;
const tailBytes = 1 << 16;

/** One sorted file of all rows: a path that was given where there is only one, else a new file in the folder. Inputs stay as they are. */
export async function joinRuns(shape: Shape, paths: readonly string[], folder: string): Promise<string> {
  const [only] = paths;
  if (paths.length === 1 && only !== undefined) return only;
  const joined = join(folder, 'joined.rows');
  const order = isTimed(shape) ? undefined : await apart(shape, paths);
  if (order) {
    await concatenate(shape, order, joined);
    return joined;
  }
  return mergeFew(shape, [...paths], folder);
}

/** Merges in rounds, so that never more than some files are open. */
async function mergeFew(shape: Shape, paths: string[], folder: string): Promise<string> {
  let [level, round] = [paths, 0];
  do {
    const next: string[] = [];
    for (let at = 0; at < level.length; at += mostOpen) {
      const some = level.slice(at, at + mostOpen);
      const path = join(folder, `merged-${round}-${next.length}.rows`);
      if (isTimed(shape)) await mergeLineFiles(some, path);
      else
        await writeRun(
          path,
          shape,
          mergeRuns(
            shape,
            some.map((each) => readRun(each, shape)),
          ),
        );
      if (round > 0) for (const each of some) await rm(each, { force: true });
      next.push(path);
    }
    level = next;
    round++;
  } while (level.length > 1);
  const [merged] = level;
  if (merged !== undefined) return merged;
  const empty = join(folder, 'merged.rows');
  await writeRun(empty, shape, []);
  return empty;
}

interface Range {
  path: string;
  rows: number;
  keys: number;
  first: Value[];
  last: Value[];
}

/** The runs in order, where each ends before the next one begins; undefined where any two overlap. Empty runs are left out. */
async function apart(shape: Shape, paths: readonly string[]): Promise<Range[] | undefined> {
  const ranges: Range[] = [];
  for (const path of paths) {
    const range = await (shape.kind === 'stacks' ? stacksRange(shape, path) : rowsRange(shape, path));
    if (range) ranges.push(range);
  }
  ranges.sort((a, b) => compareKeys(a.first, b.first));
  const overlap = ranges.some(({ first }, i) => {
    const before = ranges[i - 1];
    return before !== undefined && compareKeys(before.last, first) >= 0;
  });
  return overlap ? undefined : ranges;
}

async function stacksRange(shape: StacksShape, path: string): Promise<Range | undefined> {
  const { range, ...counts } = await readSummary(path, shape);
  return range && { path, ...counts, ...range };
}

async function rowsRange(shape: Shape, path: string): Promise<Range | undefined> {
  for await (const { key } of readRun(path, shape))
    return { path, rows: 0, keys: 0, first: key, last: await lastKeyOf(shape, path) };
  return undefined;
}

/** The key of the last row. */
async function lastKeyOf(shape: Shape, path: string): Promise<Value[]> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    for (let length = tailBytes; ; length *= 4) {
      const from = Math.max(0, size - length);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
      // The last byte is the last line's own end.
      const lines = buffer.subarray(0, bytesRead - 1);
      const start = lines.lastIndexOf(10);
      const key =
        start >= 0 || from === 0 ? decodeLine(path, 0, shape, lines.subarray(start + 1))?.key : undefined;
      if (key !== undefined) return key;
      if (from === 0) throw new TypeError(`${path} has rows, and none of them a key`);
    }
  } finally {
    await file.close();
  }
}

async function concatenate(shape: Shape, ranges: readonly Range[], path: string): Promise<void> {
  await writeFileThrough(path, async (writer) => {
    for (const { path: each } of ranges)
      for await (const { bytes } of readBlocks(each)) await writer.write(bytes);
    if (shape.kind === 'stacks') await writer.write(summaryFrame(shape, summaryOf(ranges)));
  });
}

function summaryOf(ranges: readonly Range[]): RunSummary {
  const rows = ranges.reduce((sum, range) => sum + range.rows, 0);
  const keys = ranges.reduce((sum, range) => sum + range.keys, 0);
  const [first, last] = [ranges[0], ranges.at(-1)];
  return { rows, keys, ...(first && last && { range: { first: first.first, last: last.last } }) };
}
