// Whole maps, as bpftrace prints them: sorted, the largest last. Neighbours: fold.ts, text.ts, json.ts, histogram.ts, series.ts;
// agent/program-maps.ts reads the bytes.

import type { CompiledMap } from '../compiled.ts';
import type { Type } from '../types.ts';
import { averageOf, type Folded, foldSlots } from './fold.ts';
import { barsOf, histogramJson, histogramText } from './histogram.ts';
import { jsonKey, jsonObject, jsonOf, jsonText } from './json.ts';
import { latest, pointsOf, seriesJson, seriesText } from './series.ts';
import { keyText, textOf } from './text.ts';
import { type Names, readValue, type Shown } from './value.ts';

/** A map's bytes: keys end to end; values of `cpus` slots each, end to end. */
export interface MapBytes {
  count: number;
  keys: Uint8Array;
  values: Uint8Array;
  cpus: number;
}

/** A key with what it holds. keys: empty for a map without keys. */
export interface MapEntry {
  keys: Shown[];
  folded: Folded;
}

/** The same with whose it is (0: not known) and the key's bytes, for results. */
export interface OwnedEntry extends MapEntry {
  scope: bigint;
  key: DataView;
}

export interface MapNames extends Names {
  /** ns since the Unix epoch, of the clock that tseries counts by. */
  wall(ns: bigint): bigint;
}

const scopeIdBytes = 8;

/** Entries in no order; what several containers have under one key is folded. */
export function entriesOf(map: CompiledMap, bytes: MapBytes, names: Names): MapEntry[] {
  // A count that nobody has begun is 0; of others it is not known.
  if (bytes.count === 0 && map.key === null && map.value.kind === 'count')
    return [{ keys: [], folded: { kind: 'number', value: 0n } }];
  return grouped(map, bytes, names, map.byContainer ? scopeIdBytes : 0);
}

/** Each container's own. */
export function ownedEntries(map: CompiledMap, bytes: MapBytes, names: Names): OwnedEntry[] {
  return grouped(map, bytes, names, 0);
}

/** Entries whose keys are equal behind their first bytes are one. */
function grouped(map: CompiledMap, bytes: MapBytes, names: Names, first: number): OwnedEntry[] {
  if (bytes.count === 0) return [];
  const keySize = bytes.keys.length / bytes.count;
  const slotSize = bytes.values.length / bytes.count / bytes.cpus;
  const groups = new Map<string, { key: DataView; slots: DataView[] }>();
  for (let i = 0; i < bytes.count; i++) {
    const key = viewOf(bytes.keys, i * keySize, keySize);
    const text = Buffer.from(key.buffer, key.byteOffset, keySize).subarray(first).toString('latin1');
    const group = groups.get(text) ?? { key, slots: [] };
    groups.set(text, group);
    for (let cpu = 0; cpu < bytes.cpus; cpu++)
      group.slots.push(viewOf(bytes.values, (i * bytes.cpus + cpu) * slotSize, slotSize));
  }
  return [...groups.values()].map(({ key, slots }) => ({
    scope: map.byContainer ? key.getBigUint64(0, true) : 0n,
    key,
    keys: (map.key ?? []).map((field) => readValue(field.type, key, field.offset, names)),
    folded: foldSlots(map.value, slots, names.layouts),
  }));
}

function viewOf(bytes: Uint8Array, offset: number, length: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + offset, length);
}

/** print(@x, top, divisor), or a map at the program's end. */
export interface MapPrint {
  top: number | null;
  divisor: number | null;
}

interface Row {
  keys: Shown[];
  folded: Folded;
}

/** The lines of a map; '' where it is empty and JSON says nothing of it. */
export function mapText(
  map: CompiledMap,
  entries: readonly MapEntry[],
  print: MapPrint,
  names: MapNames,
): string {
  const rows = chosen(map, entries, print, names);
  const divisor = BigInt(print.divisor || 1);
  const last = lastInterval(rows);
  const text = rows
    .map(({ keys, folded }) => {
      const name = map.key === null ? map.name : `${map.name}[${keyText(keys)}]`;
      if (folded.kind === 'buckets' && (map.value.kind === 'hist' || map.value.kind === 'lhist'))
        return `${name}:\n${histogramText(barsOf(map.value, folded.counts, divisor))}\n`;
      if (folded.kind === 'series' && map.value.kind === 'tseries')
        return `${name}:\n${seriesText(map.value, pointsOf(map.value, folded.values, last, names.wall))}\n`;
      return `${name}: ${valueText(map.value, folded, divisor, names)}\n`;
    })
    .join('');
  // bpftrace ends these with an empty line, though not counts and sums.
  return text !== '' && (map.value.kind === 'avg' || map.value.kind === 'stats') ? `${text}\n` : text;
}

export function mapJson(
  map: CompiledMap,
  entries: readonly MapEntry[],
  print: MapPrint,
  names: MapNames,
): string {
  const rows = chosen(map, entries, print, names);
  if (rows.length === 0) return '';
  const divisor = BigInt(print.divisor || 1);
  const last = lastInterval(rows);
  const json = ({ folded }: Row): string => {
    if (folded.kind === 'buckets' && (map.value.kind === 'hist' || map.value.kind === 'lhist'))
      return histogramJson(barsOf(map.value, folded.counts, divisor));
    if (folded.kind === 'series' && map.value.kind === 'tseries')
      return seriesJson(pointsOf(map.value, folded.values, last, names.wall));
    return valueJson(map.value, folded, divisor, names);
  };
  const [only] = rows;
  const data =
    map.key === null && only !== undefined
      ? json(only)
      : jsonObject(rows.map((row) => [jsonKey(row.keys), json(row)]));
  return `{"type": "${jsonType(map.value)}", "data": {${jsonText(map.name)}: ${data}}}\n`;
}

function jsonType(type: Type): string {
  if (type.kind === 'hist' || type.kind === 'lhist') return 'hist';
  if (type.kind === 'avg' || type.kind === 'stats') return 'stats';
  return type.kind === 'tseries' ? 'tseries' : 'map';
}

/** One value of a map, as print(@x[key]) shows it. */
export function valueText(type: Type, folded: Folded, divisor: bigint, names: Names): string {
  if (folded.kind === 'average' && type.kind === 'stats')
    return `count ${folded.count}, average ${averageOf(folded) / divisor}, total ${folded.total}`;
  return textOf(shownOf(type, folded, divisor, names));
}

export function valueJson(type: Type, folded: Folded, divisor: bigint, names: Names): string {
  if (folded.kind === 'average' && type.kind === 'stats')
    return `{"count": ${folded.count}, "average": ${averageOf(folded) / divisor}, "total": ${folded.total}}`;
  return jsonOf(shownOf(type, folded, divisor, names));
}

function shownOf(type: Type, folded: Folded, divisor: bigint, names: Names): Shown {
  if (folded.kind === 'number') return (folded.value ?? 0n) / divisor;
  if (folded.kind === 'average') return averageOf(folded) / divisor;
  if (folded.kind !== 'value') return null;
  const value = readValue(type, folded.view, 0, names);
  return typeof value === 'bigint' ? value / divisor : value;
}

/** Sorted, and of them the last `top`. */
function chosen(
  map: CompiledMap,
  entries: readonly MapEntry[],
  { top }: MapPrint,
  names: Names,
): readonly MapEntry[] {
  const sorted = [...entries].sort(order(map.value, names));
  return top === null || top === 0 ? sorted : sorted.slice(-top);
}

type Order = (a: MapEntry, b: MapEntry) => number;

/** Numbers and aggregates by their value; of histograms by all that they count; others by their keys. */
function order(type: Type, names: Names): Order {
  const rank = (entry: MapEntry): bigint => {
    const { folded } = entry;
    if (folded.kind === 'number') return folded.value ?? 0n;
    if (folded.kind === 'average') return averageOf(folded);
    if (folded.kind === 'buckets') return folded.counts.reduce((sum, count) => sum + count, 0n);
    if (folded.kind === 'series') return latest(folded.values);
    const value = readValue(type, folded.view, 0, names);
    return typeof value === 'object' && value?.kind === 'symbolic' ? value.number : (value as bigint);
  };
  if (
    type.kind === 'integer' ||
    ['count', 'sum', 'min', 'max', 'avg', 'stats', 'hist', 'lhist', 'tseries'].includes(type.kind)
  )
    return (a, b) => compare(rank(a), rank(b)) || compareKeys(a.keys, b.keys);
  return (a, b) => compareKeys(a.keys, b.keys);
}

/** Equal values stand in the order of their keys: bpftrace leaves it to chance. */
function compareKeys(a: readonly Shown[], b: readonly Shown[]): number {
  for (const [i, one] of a.entries()) {
    const other = b[i] ?? null;
    const result = compareShown(one, other);
    if (result !== 0) return result;
  }
  return 0;
}

function compareShown(a: Shown, b: Shown): number {
  if (typeof a === 'bigint' && typeof b === 'bigint') return compare(a, b);
  if (a !== null && b !== null && typeof a === 'object' && typeof b === 'object') {
    if (a.kind === 'symbolic' && b.kind === 'symbolic') return compare(a.number, b.number);
    if (a.kind === 'tuple' && b.kind === 'tuple') return compareKeys(a.elements, b.elements);
  }
  return compare(textOf(a), textOf(b));
}

function compare<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function lastInterval(rows: readonly MapEntry[]): bigint {
  let last = 0n;
  for (const { folded } of rows)
    if (folded.kind === 'series') {
      const own = latest(folded.values);
      if (own > last) last = own;
    }
  return last;
}
