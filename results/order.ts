// The order of rows and what happens where two with the same key meet: the algebra under every merge.
// Neighbours: results/merge.ts and results/sort.ts walk rows in this order.

import { ResultError } from './errors.ts';
import type { Row, Shape, StackFrame, Value, ValueColumn } from './shape.ts';

/** null first, then booleans, numbers (number and bigint by size), strings by code point, lists element by element. */
export function compareValues(a: Value, b: Value): number {
  if (a === b) return 0;
  const rank = rankOf(a) - rankOf(b);
  if (rank !== 0) return rank;
  if (typeof a === 'string') return compareText(a, b as string);
  if (Array.isArray(a)) return compareKeys(a, b as string[]);
  // Number and bigint compare exactly with each other; both sides have the same rank here.
  const left = a as number | bigint | boolean;
  const right = b as number | bigint | boolean;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Keys value by value; a shorter key that begins a longer one comes first. */
export function compareKeys(a: readonly Value[], b: readonly Value[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareValues(a[i] as Value, b[i] as Value);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function rankOf(value: Value): number {
  if (value === null) return 0;
  if (typeof value === 'boolean') return 1;
  if (typeof value === 'string') return 3;
  return Array.isArray(value) ? 4 : 2;
}

/** By code point: JavaScript's own `<` puts surrogates (U+10000 and above) before U+E000. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left === right) continue;
    if (left < 0xd800 || right < 0xd800) return left - right;
    return (
      (left >= 0xe000 ? left - 0x2000 : left + 0x2000) - (right >= 0xe000 ? right - 0x2000 : right + 0x2000)
    );
  }
  return a.length - b.length;
}

/** The order of a run: by key, for stacks then by frames. Rows that compare equal fold. Events: by key, then by what they say, so that a tie in time has one order. */
export function compareRows(a: Row, b: Row): number {
  const order = compareKeys(a.key, b.key);
  if (order !== 0) return order;
  if (a.kind === 'stacks' && b.kind === 'stacks') return compareFrames(a.frames, b.frames);
  if (a.kind === 'events' && b.kind === 'events') return compareKeys(a.value, b.value);
  return 0;
}

function compareFrames(a: readonly StackFrame[], b: readonly StackFrame[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareFrame(a[i] as StackFrame, b[i] as StackFrame);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareFrame(a: StackFrame, b: StackFrame): number {
  if (a === b) return 0;
  return (
    compareText(a.name, b.name) ||
    compareText(a.kind, b.kind) ||
    compareValues(a.module ?? null, b.module ?? null) ||
    compareValues(a.file ?? null, b.file ?? null) ||
    compareValues(a.line ?? null, b.line ?? null)
  );
}

/** Two rows with the same key as one; neither is changed. Events never fold. */
export function foldRows(shape: Shape, a: Row, b: Row): Row {
  if (a.kind === 'table' && b.kind === 'table' && shape.kind === 'table')
    return { ...a, value: foldValues(shape.values, a.value, b.value) };
  if (a.kind === 'stacks' && b.kind === 'stacks' && shape.kind === 'stacks')
    return { ...a, value: foldValues(shape.weights, a.value, b.value) };
  if (a.kind === 'histogram' && b.kind === 'histogram')
    return {
      ...a,
      value: {
        buckets: foldBuckets(a.value.buckets, b.value.buckets),
        total: a.value.total + b.value.total,
      },
    };
  throw new ResultError(
    'Mismatch',
    `Rows of kinds ${a.kind} and ${b.kind} can't fold in a ${shape.kind} result`,
  );
}

function foldValues(columns: readonly ValueColumn[], a: readonly bigint[], b: readonly bigint[]): bigint[] {
  return columns.map((column, i) => foldValue(column.fold, a[i] ?? 0n, b[i] ?? 0n));
}

function foldValue(fold: ValueColumn['fold'], a: bigint, b: bigint): bigint {
  if (fold === 'sum') return a + b;
  return a < b === (fold === 'min') ? a : b;
}

type Buckets = [index: number, count: bigint][];

/** Sparse buckets by ascending index, added. */
export function foldBuckets(a: Buckets, b: Buckets): Buckets {
  const sums = new Map<number, bigint>(a);
  for (const [index, count] of b) sums.set(index, (sums.get(index) ?? 0n) + count);
  return [...sums].sort(([left], [right]) => left - right);
}
