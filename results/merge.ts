// Runs folded into one: a k-way merge that holds one row of each. Associative, commutative, with the empty run as identity.
// Neighbours: results/order.ts says what equal keys do, results/sort.ts makes runs of unsorted rows, results/merge-lines.ts merges events unparsed.

import { ResultError } from './errors.ts';
import { type Heap, heapOf } from './heap.ts';
import { compareRows, compareValues, foldRows } from './order.ts';
import { isTimed, type Row, type Shape } from './shape.ts';

export { mergeLineFiles, mergeLines } from './merge-lines.ts';

interface Cursor {
  rows: AsyncIterator<Row>;
  row: Row;
  /** From 1, for errors. */
  input: number;
  count: number;
}

/** Merges sorted inputs; rows with equal keys fold, events are all kept and come in time order. Throws ResultError OutOfOrder where an input
 *  is not sorted: its rows would silently not fold. Inputs are closed when the reader stops early. */
export async function* mergeRuns(shape: Shape, inputs: AsyncIterable<Row>[]): AsyncGenerator<Row> {
  const timed = isTimed(shape);
  const order = timed ? byTime : compareRows;
  const heap = heapOf<Cursor>((a, b) => order(a.row, b.row));
  const open = inputs.map((input) => input[Symbol.asyncIterator]());
  try {
    for (const [i, rows] of open.entries()) {
      const first = await rows.next();
      if (!first.done) heap.push({ rows, row: first.value, input: i + 1, count: 1 });
    }
    for (let top = heap.top(); top; top = heap.top()) {
      const first = top.row;
      let folded = first;
      const ties: Row[] = [];
      // All rows with this key, of whichever input: the heap's top as long as it compares equal.
      for (let next: Cursor | undefined = top; next && order(next.row, first) === 0; next = heap.top()) {
        if (timed) ties.push(next.row);
        else if (next.row !== first) folded = foldRows(shape, folded, next.row);
        await advance(heap, next, order);
      }
      if (!timed) yield folded;
      else yield* ties.length > 1 ? ties.sort(compareRows) : ties;
    }
  } finally {
    for (const rows of open) await rows.return?.();
  }
}

async function advance(heap: Heap<Cursor>, top: Cursor, order: typeof compareRows): Promise<void> {
  const next = await top.rows.next();
  if (next.done) return heap.popTop();
  if (order(next.value, top.row) < 0)
    throw new ResultError(
      'OutOfOrder',
      `Row ${top.count + 1} of input ${top.input} comes before the row above it: the run was not sorted when it was written`,
      { line: top.count + 1 },
    );
  top.row = next.value;
  top.count++;
  heap.settleTop();
}

function byTime(a: Row, b: Row): number {
  return compareValues(a.key[0] ?? null, b.key[0] ?? null);
}
