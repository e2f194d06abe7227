// What a program leaves as results: each of its maps one, what it prints by printf another. Pure. Neighbours: programs/compiled.ts,
// results/shape.ts (the shapes), programs/show/* (the same as text), agent/program-results.ts (reads the maps, writes the files).
//
//   count, sum, min, max, avg, stats, integers → table · stack keys with a count or sum → stacks · printf → events
//   hist, lhist → a table of buckets, tseries → a table of intervals: what bpftrace counts has no exact sum, which a histogram's shape promises
//   anything else → a table of keys whose values are texts

import type { Column, Row, Shape, StackFrame, Value, ValueColumn } from '../results/shape.ts';
import type { Compiled, CompiledMap, Field, Output } from './compiled.ts';
import { barsOf } from './show/histogram.ts';
import type { MapNames, OwnedEntry } from './show/map.ts';
import { latest, pointsOf } from './show/series.ts';
import { textOf } from './show/text.ts';
import { numberOf, readValue, type Shown } from './show/value.ts';
import type { Type } from './types.ts';

/** A result by the name of its folder. */
export interface Declared {
  name: string;
  map: CompiledMap | null;
  shape: Shape;
}

/** In the order of their names; printf's events first. */
export function declare(compiled: Compiled): Declared[] {
  const printed = printfs(compiled);
  const maps = compiled.maps
    .map((map) => ({ name: folderOf(map.name), map, shape: shapeOf(map) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (printed.length === 0) return maps;
  return [{ name: 'printf', map: null, shape: { kind: 'events', columns: eventColumns(printed) } }, ...maps];
}

/** `@` alone is called map. */
function folderOf(name: string): string {
  return name === '@' ? 'map' : name.slice(1);
}

type Printf = Output & { kind: 'printf' };

function printfs({ outputs }: Compiled): Printf[] {
  return outputs.flatMap((output) =>
    output.kind === 'printf' ? [{ ...output, kind: 'printf' as const }] : [],
  );
}

/** Time and owner come before these. */
function eventColumns(printed: readonly Printf[]): Column[] {
  const most = Math.max(...printed.map((output) => output.arguments.length));
  const columns: Column[] = [
    { name: 'time', type: 'time', description: 'When it was printed' },
    { name: 'process', type: 'text', description: "The process's name (comm)" },
    { name: 'pid', type: 'integer', description: 'The process id, as the host sees it' },
    { name: 'text', type: 'text', description: 'What was printed', sensitive: 'arguments' },
  ];
  for (let i = 0; i < most; i++)
    columns.push({
      name: `arg${i + 1}`,
      type: argumentType(printed, i),
      description: `The ${i + 1}. argument of printf`,
      sensitive: 'arguments',
      optional: true,
    });
  return columns;
}

/** What all places that have such an argument agree on; else text. */
function argumentType(printed: readonly Printf[], index: number): 'integer' | 'boolean' | 'text' {
  const types = new Set(
    printed.flatMap((output) => {
      const field = output.arguments[index];
      return field === undefined ? [] : [columnType(field.type)];
    }),
  );
  const [only] = types;
  return types.size === 1 && only !== undefined ? only : 'text';
}

/** The values of `columns` from text on, for one record. */
export function eventValues(columns: readonly Column[], text: string, values: readonly Shown[]): Value[] {
  const first = columns.findIndex(({ name }) => name === 'text');
  return columns.slice(first).map((column, i) => {
    if (i === 0) return text;
    const value = values[i - 1];
    return value === undefined ? null : columnValue(value, column.type);
  });
}

function columnType(type: Type): 'integer' | 'boolean' | 'text' {
  if (type.kind === 'integer') return type.enum === undefined ? 'integer' : 'text';
  return type.kind === 'boolean' ? 'boolean' : 'text';
}

function columnValue(value: Shown, type: Column['type']): Value {
  if (type === 'integer') return numberOf(value);
  if (type === 'boolean') return numberOf(value) !== 0n;
  return textOf(value);
}

function isStack(field: Field): field is Field & { type: Type & { kind: 'stack' } } {
  return field.type.kind === 'stack';
}

/** Stacks with a number that adds up. */
function isStacks(map: CompiledMap): boolean {
  return (map.key ?? []).some(isStack) && (map.value.kind === 'count' || map.value.kind === 'sum');
}

function shapeOf(map: CompiledMap): Shape {
  const keys = keyColumns(map, isStacks(map));
  const { value } = map;
  if (isStacks(map)) return { kind: 'stacks', keys, weights: numbers(value) };
  if (value.kind === 'hist' || value.kind === 'lhist') {
    const edges: Column[] = [
      {
        name: 'from',
        type: 'integer',
        description: 'The least value of the bucket; none: without end',
        optional: true,
      },
      {
        name: 'to',
        type: 'integer',
        description: 'What its values are less than; none: without end',
        optional: true,
      },
    ];
    return { kind: 'table', keys: [...keys, ...edges], values: [counted], sort: 'count' };
  }
  if (value.kind === 'tseries') {
    const start: Column = { name: 'start', type: 'time', description: 'When the interval began' };
    const fold = value.fold === 'min' || value.fold === 'max' ? value.fold : 'sum';
    return {
      kind: 'table',
      keys: [...keys, start],
      values: [column('value', 'The value', fold)],
      sort: 'value',
    };
  }
  if (!isNumeric(value)) {
    const text: Column = {
      name: 'value',
      type: 'text',
      description: 'What the map holds',
      sensitive: 'arguments',
    };
    return {
      kind: 'table',
      keys: [...keys, text],
      values: [column('keys', 'How many keys', 'sum')],
      sort: 'keys',
    };
  }
  const values = numbers(value);
  return { kind: 'table', keys, values, sort: values[0]?.name ?? 'value' };
}

function keyColumns({ key }: CompiledMap, withoutStacks: boolean): Column[] {
  const fields = key ?? [];
  return fields.flatMap((field, i): Column[] =>
    withoutStacks && isStack(field)
      ? []
      : [
          {
            name: fields.length === 1 ? 'key' : `key${i + 1}`,
            type: columnType(field.type),
            description: fields.length === 1 ? "The map's key" : `The ${i + 1}. part of the map's key`,
            ...(columnType(field.type) === 'text' ? { sensitive: 'arguments' as const } : {}),
          },
        ],
  );
}

function isNumeric({ kind }: Type): boolean {
  return ['integer', 'boolean', 'count', 'sum', 'min', 'max', 'avg', 'stats'].includes(kind);
}

function column(name: string, description: string, fold: ValueColumn['fold']): ValueColumn {
  return { name, type: 'integer', description, fold };
}

const counted = column('count', 'How many', 'sum');

/** avg and stats keep their parts: merged exactly. */
function numbers(type: Type): ValueColumn[] {
  switch (type.kind) {
    case 'count':
      return [counted];
    case 'sum':
      return [column('sum', 'The total of the values', 'sum')];
    case 'min':
      return [column('min', 'The least of the values', 'min')];
    case 'max':
      return [column('max', 'The greatest of the values', 'max')];
    case 'avg':
    case 'stats':
      return [column('total', 'The total of the values', 'sum'), column('count', 'How many values', 'sum')];
    default:
      return [column('value', 'The value', 'max')];
  }
}

/** What rows need of the node. */
export interface RowNames extends MapNames {
  /** Innermost first. */
  frames(id: bigint, space: 'kernel' | 'user'): StackFrame[];
}

/** The rows of a map; `owner` gives the columns of whose a scope id is, null: nobody's who is asked for. */
export function rowsOf(
  map: CompiledMap,
  entries: readonly OwnedEntry[],
  owner: (scope: bigint) => Value[] | null,
  names: RowNames,
): Row[] {
  const last = entries.reduce((most, { folded }) => {
    const own = folded.kind === 'series' ? latest(folded.values) : 0n;
    return own > most ? own : most;
  }, 0n);
  return entries.flatMap((entry) => {
    const whose = owner(entry.scope);
    return whose === null ? [] : entryRows(map, entry, whose, names, last);
  });
}

function entryRows(
  map: CompiledMap,
  entry: OwnedEntry,
  whose: Value[],
  names: RowNames,
  last: bigint,
): Row[] {
  const fields = map.key ?? [];
  const stacks = isStacks(map);
  const keys = fields.flatMap((field, i): Value[] =>
    stacks && isStack(field) ? [] : [columnValue(entry.keys[i] ?? null, columnType(field.type))],
  );
  const key = [...whose, ...keys];
  const { folded } = entry;
  if (stacks)
    return [
      {
        kind: 'stacks',
        key,
        frames: framesOf(fields, entry.key, names),
        value: parts(map.value, entry, names),
      },
    ];
  if (folded.kind === 'buckets' && (map.value.kind === 'hist' || map.value.kind === 'lhist'))
    return barsOf(map.value, folded.counts, 1n).flatMap((bar): Row[] =>
      bar.count === 0n
        ? []
        : [
            {
              kind: 'table',
              key: [...key, bar.from?.value ?? null, bar.to?.value ?? null],
              value: [bar.count],
            },
          ],
    );
  if (folded.kind === 'series' && map.value.kind === 'tseries')
    return pointsOf(map.value, folded.values, last, names.wall).flatMap(({ start, value }): Row[] =>
      value === null ? [] : [{ kind: 'table', key: [...key, start], value: [value] }],
    );
  if (!isNumeric(map.value) && folded.kind === 'value')
    return [
      { kind: 'table', key: [...key, textOf(readValue(map.value, folded.view, 0, names))], value: [1n] },
    ];
  return [{ kind: 'table', key, value: parts(map.value, entry, names) }];
}

function parts(type: Type, { folded }: OwnedEntry, names: RowNames): bigint[] {
  if (folded.kind === 'number') return [folded.value ?? 0n];
  if (folded.kind === 'average') return [folded.total, folded.count];
  return folded.kind === 'value' ? [numberOf(readValue(type, folded.view, 0, names))] : [];
}

/** Outermost first; kernel frames are called from the user's. */
function framesOf(fields: readonly Field[], key: DataView, names: RowNames): StackFrame[] {
  const of = (space: 'kernel' | 'user'): StackFrame[] =>
    fields
      .filter(isStack)
      .flatMap(({ offset, type }) =>
        type.space === space ? names.frames(key.getBigUint64(offset, true), space).slice(0) : [],
      );
  return [...of('kernel'), ...of('user')].reverse();
}
