// One row as one line of JSON and back, exact for integers of any size. Neighbours: results/run.ts reads and writes files of these lines;
// events lines have the form that native's encodeJsonLines writes.

import { keyColumns, valueColumns } from './columns.ts';
import { ResultError } from './errors.ts';
import {
  type Column,
  isTimed,
  type Row,
  type Shape,
  type StackFrame,
  type TimedShape,
  type Value,
} from './shape.ts';
import { formatTime, parseTime } from './units.ts';

declare global {
  interface JSON {
    /** A literal that JSON.stringify copies as it is; TypeScript's library does not have it yet. */
    rawJSON(text: string): unknown;
  }
}

/** What JSON.stringify takes: bigints are written digit by digit. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'bigint' ? JSON.rawJSON(member.toString()) : member,
  );
}

/** JSON with integers above 2^53 as bigint, all other numbers as number. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  // The reviver makes parsing several times slower; few texts hold such an integer.
  if (!holdsWide(parsed)) return parsed;
  return JSON.parse(text, function exact(_name, value: unknown, context?: { source?: string }) {
    if (!isWide(value)) return value;
    return context?.source && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
  });
}

/** An integer that a number may have rounded. */
function isWide(value: unknown): boolean {
  return typeof value === 'number' && !Number.isSafeInteger(value) && Number.isInteger(value);
}

/** Without recursion: a hostile text may nest deeper than the stack. */
function holdsWide(parsed: unknown): boolean {
  if (typeof parsed !== 'object' || parsed === null) return isWide(parsed);
  const pending: object[] = [parsed];
  for (let at = pending.pop(); at; at = pending.pop()) {
    for (const value of Array.isArray(at) ? (at as unknown[]) : Object.values(at)) {
      if (typeof value === 'object' && value !== null) pending.push(value);
      else if (isWide(value)) return true;
    }
  }
  return false;
}

/** A line without its newline. Throws ResultError Malformed where a value can't be written (NaN, Infinity). */
export function encodeRow(shape: Shape, row: Row): string {
  if (row.kind === 'events') return encodeEvent(shape, row);
  const key = row.key.map((value, i) => writable(value, keyColumns(shape)[i]));
  if (row.kind === 'table') return jsonText({ key, value: row.value });
  if (row.kind === 'histogram') return jsonText({ key, buckets: row.value.buckets, total: row.value.total });
  return jsonText({ key, frames: row.frames.map(encodeFrame), value: row.value });
}

function encodeEvent(shape: Shape, row: Row & { kind: 'events' }): string {
  const members: Record<string, unknown> = {};
  const add = (column: Column, value: Value) => {
    if (value !== null) members[column.name] = writable(value, column);
  };
  keyColumns(shape).forEach((column, i) => {
    add(column, row.key[i] ?? null);
  });
  valueColumns(shape).forEach((column, i) => {
    add(column, row.value[i] ?? null);
  });
  return jsonText(members);
}

/** A value as JSON has it: times as text. */
export function writable(value: Value, column: Column | undefined): unknown {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new ResultError('Malformed', `Column ${column?.name ?? '?'} holds ${value}, which is no number`);
  if (column?.type === 'time' && (typeof value === 'bigint' || typeof value === 'number'))
    return formatTime(BigInt(value));
  return value;
}

export function encodeFrame(frame: StackFrame): unknown[] {
  const parts = [frame.name, frame.kind, frame.module ?? null, frame.file ?? null, frame.line ?? null];
  while (parts.at(-1) === null) parts.pop();
  return parts;
}

/** The row of a line. Throws an Error that says what is wrong with it; the caller adds file and line. */
export function decodeRow(shape: Shape, line: string): Row {
  return isTimed(shape) ? eventDecoder(shape)(line) : decodeFolded(shape, line);
}

/** decodeRow for many lines of events, whose columns are looked up once. */
export function eventDecoder(shape: TimedShape): (line: string) => Row & { kind: 'events' } {
  const keys = keyColumns(shape);
  const values = valueColumns(shape);
  const rowOf = (parsed: unknown): Row & { kind: 'events' } => {
    if (!isObject(parsed)) throw new Error('a line must be a JSON object');
    const pick = (column: Column) => readable(own(parsed, column.name), column);
    return { kind: 'events', key: keys.map(pick), value: values.map(pick) };
  };
  return (line) => {
    const row = rowOf(JSON.parse(line));
    // What parseJson looks for in all members, for the price of those that are read.
    return row.value.some(isWide) ? rowOf(parseJson(line)) : row;
  };
}

function decodeFolded(shape: Exclude<Shape, TimedShape>, line: string): Row {
  const parsed = parseJson(line);
  if (!isObject(parsed)) throw new Error('a line must be a JSON object');
  const keys = keyColumns(shape);
  const list = asList(parsed.key, 'key');
  if (list.length !== keys.length) throw new Error(`key has ${list.length} values instead of ${keys.length}`);
  const key = keys.map((column, i) => readable(list[i], column));
  if (shape.kind === 'histogram')
    return {
      kind: 'histogram',
      key,
      value: { buckets: decodeBuckets(parsed.buckets), total: asInteger(parsed.total, 'total') },
    };
  const values = asList(parsed.value, 'value');
  const width = valueColumns(shape).length;
  if (values.length !== width) throw new Error(`value has ${values.length} numbers instead of ${width}`);
  const value = values.map((each) => asInteger(each, 'value'));
  if (shape.kind === 'table') return { kind: 'table', key, value };
  return { kind: 'stacks', key, frames: asList(parsed.frames, 'frames').map(decodeFrame), value };
}

function own(members: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asList(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw new Error(`${name} must be a list`);
  return value;
}

function asInteger(value: unknown, name: string): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw new Error(`${name} must hold integers`);
}

/** A value from JSON by its column. Throws an Error that says what is wrong. */
export function readable(value: unknown, column: Column): Value {
  if (value === null || value === undefined) return null;
  if (column.type === 'time') {
    const time = typeof value === 'string' ? parseTime(value) : undefined;
    if (time === undefined)
      throw new Error(`${column.name} must be a time like 2026-01-31T12:00:00.000000000Z`);
    return time;
  }
  if (Array.isArray(value)) {
    if (value.every((part) => typeof part === 'string')) return value;
    throw new Error(`${column.name} must hold text only`);
  }
  if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol')
    throw new Error(`${column.name} must not be an object`);
  return value as Value;
}

const frameKinds = new Set<unknown>(['user', 'kernel', 'jit', 'inlined'] satisfies StackFrame['kind'][]);

function isFrameKind(kind: unknown): kind is StackFrame['kind'] {
  return frameKinds.has(kind);
}

export function decodeFrame(value: unknown): StackFrame {
  const [name, kind, module, file, line] = asList(value, 'a frame');
  if (typeof name !== 'string' || !isFrameKind(kind))
    throw new Error('a frame must be a list of name, kind, module, file, line');
  const frame: StackFrame = { name, kind };
  if (typeof module === 'string') frame.module = module;
  if (typeof file === 'string') frame.file = file;
  if (typeof line === 'number') frame.line = line;
  return frame;
}

function decodeBuckets(value: unknown): [number, bigint][] {
  let last = -1;
  return asList(value, 'buckets').map((pair) => {
    const [index, count] = asList(pair, 'a bucket');
    if (typeof index !== 'number' || !Number.isSafeInteger(index) || index <= last)
      throw new Error('buckets must be pairs of index and count by ascending index');
    last = index;
    return [index, asInteger(count, 'a bucket')];
  });
}
