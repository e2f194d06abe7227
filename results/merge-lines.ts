// Events merged by time as bytes: lines are compared, never parsed. Neighbours: results/merge.ts (which re-exports this), agent/spool.ts, `sonde fetch`.

import { ResultError } from './errors.ts';
import { type Heap, heapOf } from './heap.ts';
import { readLines, writeFileThrough } from './lines.ts';

/** Every line begins so, then 30 characters of time: comparing lines as bytes compares times first. */
const linePrefix = Buffer.from('{"time":"');
const timeEnd = linePrefix.length + 30;
const newline = Buffer.from('\n');

interface Cursor {
  path: string;
  batches: AsyncIterator<Buffer[]>;
  lines: Buffer[];
  at: number;
  /** Lines before this batch, for errors. */
  before: number;
  line: Buffer;
}

/** The lines of all files in time order, each with its newline, as chunks of bytes. Each file must be in time order (lines that are not are
 *  kept, and come as late as they lie in it). Lines of one moment come in the order of their bytes, so that no grouping of merges matters. */
export async function* mergeLines(paths: readonly string[]): AsyncGenerator<Buffer> {
  const heap = heapOf<Cursor>((a, b) => Buffer.compare(a.line, b.line));
  const open = paths.map((path) => ({ path, batches: readLines(path) }));
  try {
    for (const { path, batches } of open) {
      const cursor: Cursor = { path, batches, lines: [], at: -1, before: 0, line: linePrefix };
      if (await advance(cursor)) heap.push(cursor);
    }
    let parts: Buffer[] = [];
    let bytes = 0;
    for (let top = heap.top(); top; top = heap.top()) {
      const first = top.line;
      let moved = next(heap, top);
      if (moved instanceof Promise) await moved;
      const ties = [first];
      for (let tie = heap.top(); tie && sameTime(tie.line, first); tie = heap.top()) {
        ties.push(tie.line);
        moved = next(heap, tie);
        if (moved instanceof Promise) await moved;
      }
      if (ties.length > 1) ties.sort(Buffer.compare);
      for (const line of ties) {
        parts.push(line, newline);
        bytes += line.length + 1;
      }
      if (bytes < 1 << 17) continue;
      yield Buffer.concat(parts, bytes);
      parts = [];
      bytes = 0;
    }
    if (bytes > 0) yield Buffer.concat(parts, bytes);
  } finally {
    for (const { batches } of open) await batches.return(undefined);
  }
}

/** Merges files of events into a new one. */
export async function mergeLineFiles(paths: readonly string[], path: string): Promise<void> {
  await writeFileThrough(path, async (writer) => {
    for await (const chunk of mergeLines(paths)) await writer.write(chunk);
  });
}

function sameTime(a: Buffer, b: Buffer): boolean {
  return a.compare(b, linePrefix.length, timeEnd, linePrefix.length, timeEnd) === 0;
}

/** Moves the heap's top to its next line; only a new batch is awaited. */
function next(heap: Heap<Cursor>, top: Cursor): Promise<void> | undefined {
  if (top.at + 1 < top.lines.length) {
    take(top);
    heap.settleTop();
    return undefined;
  }
  return advance(top).then((more) => (more ? heap.settleTop() : heap.popTop()));
}

async function advance(cursor: Cursor): Promise<boolean> {
  for (;;) {
    if (cursor.at + 1 < cursor.lines.length) {
      take(cursor);
      return true;
    }
    const batch = await cursor.batches.next();
    if (batch.done) return false;
    cursor.before += cursor.lines.length;
    cursor.lines = batch.value;
    cursor.at = -1;
  }
}

function take(cursor: Cursor): void {
  cursor.at++;
  const line = cursor.lines[cursor.at] as Buffer;
  if (line.length <= timeEnd || line.compare(linePrefix, 0, linePrefix.length, 0, linePrefix.length) !== 0) {
    const number = cursor.before + cursor.at + 1;
    throw new ResultError(
      'Malformed',
      `${cursor.path}:${number}: an event's line must begin with {"time":"…", and this one does not`,
      { path: cursor.path, line: number },
    );
  }
  cursor.line = line;
}
