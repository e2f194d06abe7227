// One value of what several CPUs (and, where a key is counted per container, several containers) hold of it.
// Neighbours: layout.ts (where the parts lie), map.ts, programs/declare.ts (the parts as a result's columns).

import { type Layouts, lhistSteps, sizeOf } from '../layout.ts';
import { isAggregate, type Type } from '../types.ts';

/** A map's value with the parts that it folds by; `value` where it is no aggregate: the bytes of the first. */
export type Folded =
  | { kind: 'value'; view: DataView }
  /** count, sum, min, max; null: nothing was seen. */
  | { kind: 'number'; value: bigint | null }
  | { kind: 'average'; total: bigint; count: bigint }
  /** By bucket. */
  | { kind: 'buckets'; counts: bigint[] }
  /** By the interval's number since boot. */
  | { kind: 'series'; values: Map<bigint, { value: bigint; count: bigint }> };

/** Of a number that each CPU has of its own (`let @a = percpuhash(1)`) the sum, of all else the first. */
function plainValue(type: Type, slots: readonly DataView[]): DataView {
  const first = slots[0] ?? new DataView(new ArrayBuffer(8));
  if (type.kind !== 'integer' || slots.length < 2) return first;
  const bytes = new Uint8Array(8);
  const sum = new DataView(bytes.buffer);
  for (const slot of slots) {
    const part = new Uint8Array(8);
    for (let at = 0; at < type.bits / 8; at++) part[at] = slot.getUint8(at);
    const value = new DataView(part.buffer).getBigUint64(0, true);
    sum.setBigUint64(0, BigInt.asUintN(64, sum.getBigUint64(0, true) + value), true);
  }
  return sum;
}

/** slots: each begins with one CPU's value. */
export function foldSlots(type: Type, slots: readonly DataView[], layouts: Layouts): Folded {
  if (!isAggregate(type)) return { kind: 'value', view: plainValue(type, slots) };
  switch (type.kind) {
    case 'count':
      return { kind: 'number', value: sumAt(slots, 0, false) };
    case 'sum':
      return { kind: 'number', value: sumAt(slots, 0, type.signed) };
    case 'min':
    case 'max':
      return { kind: 'number', value: extreme(type.kind, type.signed, slots) };
    case 'avg':
    case 'stats':
      return {
        kind: 'average',
        total: sumAt(slots, 0, type.signed),
        count: sumAt(slots, 8, false),
      };
    case 'hist':
    case 'lhist': {
      const length = type.kind === 'hist' ? sizeOf(type, layouts) / 8 : lhistSteps(type) + 2;
      return {
        kind: 'buckets',
        counts: Array.from({ length }, (_, bucket) => sumAt(slots, bucket * 8, false)),
      };
    }
    case 'tseries':
      return { kind: 'series', values: foldSeries(type, slots) };
  }
}

function sumAt(slots: readonly DataView[], offset: number, signed: boolean): bigint {
  let sum = 0n;
  for (const slot of slots) sum += slot.getBigUint64(offset, true);
  return signed ? BigInt.asIntN(64, sum) : BigInt.asUintN(64, sum);
}

function extreme(kind: 'min' | 'max', signed: boolean, slots: readonly DataView[]): bigint | null {
  let best: bigint | null = null;
  for (const slot of slots) {
    if (slot.getBigUint64(8, true) === 0n) continue;
    const value = signed ? slot.getBigInt64(0, true) : slot.getBigUint64(0, true);
    if (best === null || (kind === 'min' ? value < best : value > best)) best = value;
  }
  return best;
}

function foldSeries(
  type: Type & { kind: 'tseries' },
  slots: readonly DataView[],
): Map<bigint, { value: bigint; count: bigint }> {
  const values = new Map<bigint, { value: bigint; count: bigint }>();
  for (const slot of slots)
    for (let i = 0; i < type.intervals; i++) {
      const interval = slot.getBigUint64(i * 24, true);
      if (interval === 0n) continue;
      const raw = slot.getBigUint64(i * 24 + 8, true);
      const value = type.signed ? BigInt.asIntN(64, raw) : raw;
      const count = slot.getBigUint64(i * 24 + 16, true);
      const known = values.get(interval);
      values.set(interval, known === undefined ? { value, count } : both(type.fold, known, { value, count }));
    }
  return values;
}

type Point = { value: bigint; count: bigint };

function both(fold: (Type & { kind: 'tseries' })['fold'], one: Point, other: Point): Point {
  const count = one.count + other.count;
  if (fold === 'avg' || fold === 'sum') return { value: one.value + other.value, count };
  if (fold === 'min') return { value: one.value < other.value ? one.value : other.value, count };
  if (fold === 'max') return { value: one.value > other.value ? one.value : other.value, count };
  // Which of two CPUs' was the last is not known.
  return { value: other.value, count };
}

/** What a point shows. */
export function pointValue(fold: (Type & { kind: 'tseries' })['fold'], { value, count }: Point): bigint {
  return fold === 'avg' && count !== 0n ? value / count : value;
}

/** Rounded towards zero, as C does. */
export function averageOf({ total, count }: { total: bigint; count: bigint }): bigint {
  return count === 0n ? 0n : total / count;
}
