// Exact sums of integers of any size, many of them, in typed arrays: two doubles each, so that no value is an object of its own. Neighbours:
// results/call-tree.ts (weights of nodes), results/hot-functions.ts.

import type { ValueColumn } from './shape.ts';

/** A value is high * 2^50 + low, 0 <= low < 2^50: two lows can be added exactly. */
const radix = 2 ** 50;
const bits = 50n;
const mask = (1n << bits) - 1n;

export class Sums {
  low: Float64Array;
  /** Made when the first value needs it. */
  high: Float64Array | undefined;

  constructor(size: number) {
    this.low = new Float64Array(size);
  }

  grow(size: number): void {
    this.low = grown(this.low, size);
    if (this.high) this.high = grown(this.high, size);
  }

  add(at: number, low: number, high: number): void {
    const sum = (this.low[at] as number) + low;
    if (sum < radix && high === 0) this.low[at] = sum;
    else this.#carry(at, sum, high);
  }

  #carry(at: number, sum: number, high: number): void {
    this.high ??= new Float64Array(this.low.length);
    const over = sum >= radix ? 1 : 0;
    this.low[at] = sum - over * radix;
    this.high[at] = (this.high[at] as number) + high + over;
  }

  /** As a column folds where `at` has a value already. */
  fold(how: ValueColumn['fold'], at: number, low: number, high: number): void {
    if (how === 'sum') {
      this.add(at, low, high);
      return;
    }
    const [ownLow, ownHigh] = [this.low[at] as number, this.high?.[at] ?? 0];
    const less = high < ownHigh || (high === ownHigh && low < ownLow);
    if (less === (how === 'min')) this.set(at, low, high);
  }

  set(at: number, low: number, high: number): void {
    this.low[at] = low;
    if (high !== 0) this.high ??= new Float64Array(this.low.length);
    if (this.high) this.high[at] = high;
  }

  highOf(at: number): number {
    return this.high === undefined ? 0 : (this.high[at] as number);
  }

  /** Rounded: for what only compares. */
  about(at: number): number {
    return (this.low[at] as number) + this.highOf(at) * radix;
  }

  exact(at: number): bigint {
    return (BigInt(this.highOf(at)) << bits) + BigInt(this.low[at] as number);
  }
}

export function parts(value: bigint): { low: number; high: number } {
  return { low: Number(value & mask), high: Number(value >> bits) };
}

export function grown<A extends Float64Array | Int32Array | Uint8Array>(array: A, size: number): A {
  const next = new (array.constructor as new (size: number) => A)(size);
  next.set(array);
  return next;
}
