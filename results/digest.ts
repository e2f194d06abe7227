// One pass over a result's rows, and what a person wants to know first: the top rows, the hottest functions, who made the events.
// Neighbours: results/headline.ts says it in a line, results/render/summary.ts on a page. Memory: distinct functions and groups, not rows.

import { countOf } from './buckets.ts';
import { keyColumns, ownerName, ownerOf, processIndex } from './columns.ts';
import type { EventsAlike } from './event-groups.ts';
import { compareRows, foldBuckets, foldRows } from './order.ts';
import type { ResultMeta, Row, StackFrame } from './shape.ts';
import { topOf } from './top.ts';
import type { ResultView } from './view.ts';

type RowOf<K extends Row['kind']> = Row & { kind: K };

export interface FunctionWeight {
  frame: StackFrame;
  /** Weight of stacks that end in it, and of all that pass through it. */
  self: bigint;
  total: bigint;
}

/** Who made how many events: a process name in a container. */
export interface EventGroup {
  owner: string;
  process: string | null;
  count: bigint;
}

export type Digest =
  | { kind: 'table'; rows: number; top: RowOf<'table'>[]; totals: bigint[] }
  | { kind: 'histogram'; rows: number; top: RowOf<'histogram'>[]; all: RowOf<'histogram'>['value'] }
  | {
      kind: 'stacks';
      rows: number;
      total: bigint;
      /** By self, heaviest first. */
      functions: FunctionWeight[];
      hottest: RowOf<'stacks'>[];
      /** Weight by the innermost function that is not the kernel's: what the code was doing. */
      blamed: FunctionWeight[];
    }
  | {
      kind: 'events';
      /** How many rows the groups count; fewer than recorded where there are very many. */
      rows: number;
      complete: boolean;
      first: RowOf<'events'>[];
      groups: EventGroup[];
    };

/** Rows kept of a table or histogram, functions, stacks, first events. */
const kept = { rows: 50, functions: 50, stacks: 10, events: 100, groups: 50 };
/** Different stacks among which those alike are found; what comes after them stands for itself, so that memory stays bounded. */
const stacksAlike = 16_384;
/** Events that are read to tell who made them: reading all of millions would cost more CPU than recording them did. */
const eventsRead = 50_000;
const groupsTold = 10_000;

export function digest(view: ResultView): Promise<Digest> {
  const { kind } = view.meta.shape;
  if (kind === 'table') return digestTable(view);
  if (kind === 'histogram') return digestHistogram(view);
  return kind === 'stacks' ? digestStacks(view) : digestEvents(view);
}

async function digestTable({ meta, rows }: ResultView): Promise<Digest> {
  const { shape } = meta;
  const values = shape.kind === 'table' ? shape.values : [];
  const sort = sortIndex(meta);
  const top = topOf<RowOf<'table'>>(
    kept.rows,
    (a, b) => heavier(a.value[sort] ?? 0n, b.value[sort] ?? 0n) || compareRows(a, b),
  );
  const totals = values.map(() => 0n);
  let count = 0;
  for await (const row of rows()) {
    if (row.kind !== 'table') continue;
    count++;
    top.add(row);
    row.value.forEach((value, i) => {
      totals[i] = (totals[i] ?? 0n) + value;
    });
  }
  return { kind: 'table', rows: count, top: top.list(), totals };
}

/** Which value column a table is sorted by; the first where the shape names none that exists. */
export function sortIndex({ shape }: ResultMeta): number {
  if (shape.kind !== 'table') return 0;
  return Math.max(
    0,
    shape.values.findIndex((column) => column.name === shape.sort),
  );
}

async function digestHistogram({ rows }: ResultView): Promise<Digest> {
  const top = topOf<RowOf<'histogram'>>(
    kept.rows,
    (a, b) => heavier(countOf(a.value.buckets), countOf(b.value.buckets)) || compareRows(a, b),
  );
  let all: RowOf<'histogram'>['value'] = { buckets: [], total: 0n };
  let count = 0;
  for await (const row of rows()) {
    if (row.kind !== 'histogram') continue;
    count++;
    top.add(row);
    all = { buckets: foldBuckets(all.buckets, row.value.buckets), total: all.total + row.value.total };
  }
  return { kind: 'histogram', rows: count, top: top.list(), all };
}

const asStacks = (row: Row): RowOf<'stacks'> | undefined => (row.kind === 'stacks' ? row : undefined);

async function digestStacks({ meta, rows }: ResultView): Promise<Digest> {
  const functions = new Map<string, FunctionWeight>();
  const blamed = new Map<string, FunctionWeight>();
  const hottest = topOf<RowOf<'stacks'>>(
    kept.stacks,
    (a, b) => heavier(a.value[0] ?? 0n, b.value[0] ?? 0n) || compareRows(a, b),
  );
  // Stacks that differ by the place in their functions alone are one stack to a reader.
  const alike = new Map<string, RowOf<'stacks'>>();
  const looks = lookOf();
  let count = 0;
  let total = 0n;
  for await (const row of rows()) {
    if (row.kind !== 'stacks') continue;
    const weight = row.value[0] ?? 0n;
    total += weight;
    const look = looks(row);
    const known = alike.get(look);
    if (known) alike.set(look, asStacks(foldRows(meta.shape, known, row)) ?? known);
    else {
      count++;
      if (alike.size < stacksAlike) alike.set(look, row);
      else hottest.add(row);
    }
    // A recursive function passes once through a stack, however often it is on it.
    for (const each of new Set(row.frames.map((frame) => entry(functions, frame)))) each.total += weight;
    const leaf = row.frames.at(-1);
    if (!leaf) continue;
    entry(functions, leaf).self += weight;
    entry(blamed, row.frames.findLast((frame) => frame.kind !== 'kernel') ?? leaf).self += weight;
  }
  for (const row of alike.values()) hottest.add(row);
  return {
    kind: 'stacks',
    rows: count,
    total,
    functions: heaviest(functions.values()),
    hottest: hottest.list(),
    blamed: heaviest(blamed.values()),
  };
}

/** What a reader sees of a stack, as a short text: functions and keys by numbers. */
function lookOf(): (row: RowOf<'stacks'>) => string {
  const numbers = new Map<string, number>();
  const known = new WeakMap<object, number>();
  const numberOf = (part: object, text: () => string): number => {
    const seen = known.get(part);
    if (seen !== undefined) return seen;
    const look = text();
    const number = numbers.get(look) ?? numbers.size;
    numbers.set(look, number);
    known.set(part, number);
    return number;
  };
  return ({ key, frames }) => {
    let look = `${numberOf(key, () => `key ${key.join('\0')}`)}`;
    for (const frame of frames) look += `,${numberOf(frame, () => `${frame.kind} ${frame.name}`)}`;
    return look;
  };
}

/** Equal frames of a run are the same object (results/stack-lines.ts): what is made of one is made once. */
const functionKeys = new WeakMap<StackFrame, string>();

export function functionKey(frame: StackFrame): string {
  const known = functionKeys.get(frame);
  if (known !== undefined) return known;
  const key = `${frame.kind === 'kernel' ? 'k' : 'u'}${frame.module ?? ''}\0${frame.name}`;
  functionKeys.set(frame, key);
  return key;
}

function entry(map: Map<string, FunctionWeight>, frame: StackFrame): FunctionWeight {
  const key = functionKey(frame);
  const known = map.get(key);
  if (known) return known;
  const made = { frame, self: 0n, total: 0n };
  map.set(key, made);
  return made;
}

export function heaviest(all: Iterable<FunctionWeight>): FunctionWeight[] {
  const top = topOf<FunctionWeight>(
    kept.functions,
    (a, b) => heavier(a.self, b.self) || heavier(a.total, b.total) || (a.frame.name < b.frame.name ? -1 : 1),
  );
  for (const each of all) top.add(each);
  return top.list();
}

async function digestEvents(view: ResultView): Promise<Digest> {
  const { shape } = view.meta;
  const process = processIndex(shape) - keyColumns(shape).length;
  const groups = new Map<string, EventGroup>();
  const add = (row: Row, count: number): void => {
    const name = process < 0 || row.kind !== 'events' ? null : (row.value[process] ?? null);
    const owner = ownerName(ownerOf(shape, row));
    const key = JSON.stringify([owner, name]);
    const group = groups.get(key);
    if (group) group.count += BigInt(count);
    else if (groups.size < groupsTold)
      groups.set(key, { owner, process: typeof name === 'string' ? name : null, count: BigInt(count) });
  };
  const read = await (view.groups?.(eventsRead, groupsTold) ?? eachRow(view, (row) => add(row, 1)));
  for (const { row, count } of read.groups) add(row, count);
  const top = topOf<EventGroup>(
    kept.groups,
    (a, b) => heavier(a.count, b.count) || (a.owner + a.process < b.owner + b.process ? -1 : 1),
  );
  for (const group of groups.values()) top.add(group);
  const first: RowOf<'events'>[] = [];
  for await (const row of view.rows()) {
    if (row.kind === 'events') first.push(row);
    if (first.length === kept.events) break;
  }
  return { kind: 'events', rows: read.rows, complete: read.complete, first, groups: top.list() };
}

/** Where the lines can't be grouped as they are: row by row. */
async function eachRow(view: ResultView, see: (row: Row) => void): Promise<EventsAlike> {
  let rows = 0;
  for await (const row of view.rows()) {
    if (rows === eventsRead) return { rows, complete: false, groups: [] };
    rows++;
    see(row);
  }
  return { rows, complete: true, groups: [] };
}

function heavier(a: bigint, b: bigint): number {
  return a > b ? -1 : a < b ? 1 : 0;
}
