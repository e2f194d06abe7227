// A result as encoders and renderers see it: its head, and its rows as often as they want to read them. Neighbours: results/run.ts opens one,
// results/encode/* and results/render/* read it.

import { readRun } from './run.ts';
import type { ResultMeta, Row } from './shape.ts';

export interface ResultView {
  meta: ResultMeta;
  /** A fresh pass over the rows, sorted by key; constant memory. Rows may not be changed by who reads them. */
  rows(): AsyncIterable<Row>;
}

/** A view of a run on disk. */
export function viewOfRun(meta: ResultMeta, path: string): ResultView {
  return { meta, rows: () => readRun(path, meta.shape) };
}

/** A view of rows in memory, sorted already: previews and tests. */
export function viewOfRows(meta: ResultMeta, rows: readonly Row[]): ResultView {
  return {
    meta,
    async *rows() {
      yield* rows;
    },
  };
}
