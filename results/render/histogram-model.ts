// Histograms as arithmetic over dense counts: sums over keys, percentiles. Neighbours: results/buckets.ts says what a bucket stands for,
// browser/histogram.ts draws them.
// A percentile of a histogram is known to a bucket, so a bucket's range is what is said; the mean is exact.

import { bucketRange, quantileBucket } from '../buckets.ts';
import type { HistogramShape } from '../shape.ts';

/** Counts by bucket index, dense from 0, and the exact sum of the measured values. */
export interface Distribution {
  counts: number[];
  count: number;
  total: bigint;
}

/** The values that bucket `index` holds, from included, to not; numbers, for drawing. */
export function bucketSpan(scale: HistogramShape['scale'], index: number): [from: number, to: number] {
  const { from, to } = bucketRange(scale, index);
  return [Number(from), Number(to)];
}

/** The sum of several. */
export function addDistributions(parts: Iterable<Distribution>): Distribution {
  const sum: Distribution = { counts: [], count: 0, total: 0n };
  for (const part of parts) {
    part.counts.forEach((count, i) => {
      sum.counts[i] = (sum.counts[i] ?? 0) + count;
    });
    sum.count += part.count;
    sum.total += part.total;
  }
  for (let i = 0; i < sum.counts.length; i++) sum.counts[i] ??= 0;
  return sum;
}

/** The bucket in which the value lies that `share` of all values do not exceed (nearest rank); −1 where there is none. */
export function percentileBucket(distribution: Distribution, share: number): number {
  const buckets = distribution.counts.map((count, i): [number, bigint] => [i, BigInt(count)]);
  return quantileBucket(buckets, share * 100) ?? -1;
}

/** The exact mean, as a number; 0 where nothing was counted. */
export function mean(distribution: Distribution): number {
  return distribution.count === 0 ? 0 : Number(distribution.total) / distribution.count;
}
