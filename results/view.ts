// A result as encoders and renderers see it: its head, and its rows as often as they want to read them. Neighbours: results/run.ts opens one,
// results/encode/* and results/render/* read it.

import type { Condensed } from './condensed.ts';
import { type EventsAlike, hasGroups, readGroups } from './event-groups.ts';
import { readRun } from './run.ts';
import { isTimed, type ResultMeta, type Row } from './shape.ts';
import { readTimes } from './times.ts';

export interface ResultView {
  meta: ResultMeta;
  /** A fresh pass over the rows, sorted by key; constant memory. Rows may not be changed by who reads them. */
  rows(): AsyncIterable<Row>;
  /** Events of a run on disk: the times of the rows after the first `skip` (results/times.ts), far cheaper than the rows. */
  laterTimes?(skip: number): AsyncIterable<number[]>;
  /** These rows stand for more. */
  condensed?: Condensed;
  /** Events of a run on disk, where their lines allow it: rows alike in owner and process (results/event-groups.ts), far cheaper than the rows. */
  groups?(mostRows: number, mostGroups: number): Promise<EventsAlike>;
}

/** A view of a run on disk. */
export function viewOfRun(meta: ResultMeta, path: string): ResultView {
  const { shape } = meta;
  const view: ResultView = { meta, rows: () => readRun(path, shape) };
  if (!isTimed(shape)) return view;
  view.laterTimes = (skip) => readTimes(path, skip);
  if (hasGroups(shape)) view.groups = (mostRows, mostGroups) => readGroups(path, shape, mostRows, mostGroups);
  return view;
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
