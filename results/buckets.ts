// What a histogram's bucket numbers stand for, and the quantiles that can be told from them. Neighbours: results/shape.ts (HistogramShape), encoders, renderers.

import type { HistogramShape } from './shape.ts';

/** Half-open: from ≤ value < to. Values outside a linear scale lie in its end buckets. */
export interface BucketRange {
  from: bigint;
  to: bigint;
}

export function bucketRange(scale: HistogramShape['scale'], index: number): BucketRange {
  if (scale.kind === 'log2') return { from: index === 0 ? 0n : 1n << BigInt(index), to: 2n << BigInt(index) };
  const from = BigInt(Math.round(scale.min + index * scale.step));
  return { from, to: BigInt(Math.round(scale.min + (index + 1) * scale.step)) };
}

type Buckets = readonly (readonly [index: number, count: bigint])[];

export function countOf(buckets: Buckets): bigint {
  return buckets.reduce((sum, [, count]) => sum + count, 0n);
}

/** The bucket in which the value lies below which `percent` of all are (nearest rank); undefined for no values. */
export function quantileBucket(buckets: Buckets, percent: number): number | undefined {
  const rank = (countOf(buckets) * BigInt(Math.round(percent * 100)) + 9999n) / 10_000n;
  let below = 0n;
  for (const [index, count] of buckets) {
    below += count;
    if (count > 0n && below >= rank) return index;
  }
  return undefined;
}
