// Many runs become one file of rows, on disk, in bounded memory. Rows begin with their node: runs of different nodes lie one behind the other in the
// order of rows, and are then only put together, not parsed; what overlaps is merged, few at a time. Neighbours: results/merge.ts, operator/publish.ts.

import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileThrough } from '../results/lines.ts';
import { mergeLineFiles, mergeRuns } from '../results/merge.ts';
import { compareKeys, compareRows } from '../results/order.ts';
import { decodeLine, readRun, writeRun } from '../results/run.ts';
import type { Row, Shape, Value } from '../results/shape.ts';
import { lastKey } from '../results/stack-lines.ts';

/** Files read at once. */
const mostOpen = 64;
const tailBytes = 1 << 16;

/** One sorted file of all rows: a path that was given where there is only one, else a new file in the folder. Inputs stay as they are. */
export async function joinRuns(shape: Shape, paths: readonly string[], folder: string): Promise<string> {
  const [only] = paths;
  if (paths.length === 1 && only !== undefined) return only;
  const joined = join(folder, 'joined.rows');
  const order = shape.kind === 'events' ? undefined : await apart(shape, paths);
  if (order) {
    await concatenate(order, joined);
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
      if (shape.kind === 'events') await mergeLineFiles(some, path);
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

/** The paths in order, where each run ends before the next one begins; undefined where any two overlap. Empty runs are left out. */
async function apart(shape: Shape, paths: readonly string[]): Promise<string[] | undefined> {
  const ranges: { path: string; first: Row; last: Value[] }[] = [];
  for (const path of paths) {
    const first = await firstRow(shape, path);
    if (first) ranges.push({ path, first, last: await lastKeyOf(shape, path) });
  }
  ranges.sort((a, b) => compareRows(a.first, b.first));
  const overlap = ranges.some(({ first }, i) => {
    const before = ranges[i - 1];
    return before !== undefined && compareKeys(before.last, first.key) >= 0;
  });
  return overlap ? undefined : ranges.map(({ path }) => path);
}

async function firstRow(shape: Shape, path: string): Promise<Row | undefined> {
  for await (const row of readRun(path, shape)) return row;
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
      const row = shape.kind === 'stacks' ? undefined : decodeLine(path, 0, shape, lines.subarray(start + 1));
      const key = shape.kind === 'stacks' ? lastKey(shape, lines) : row?.key;
      if (key !== undefined && (start >= 0 || from === 0)) return key;
      if (from === 0) throw new TypeError(`${path} has rows, and none of them a key`);
    }
  } finally {
    await file.close();
  }
}

async function concatenate(paths: readonly string[], path: string): Promise<void> {
  await writeFileThrough(path, async (writer) => {
    for (const each of paths) {
      for await (const chunk of createReadStream(each, { highWaterMark: 1 << 18 }))
        await writer.write(chunk as Buffer);
    }
  });
}
