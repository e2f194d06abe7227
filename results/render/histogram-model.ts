// Histograms as arithmetic: bucket ranges, sums over keys, percentiles. Neighbours: report-data.ts, browser/histogram.ts draws them.
// A percentile of a histogram is known to a bucket, so a bucket's range is what is said; the mean is exact.

import type { HistogramShape } from '../shape.ts';

/** Counts by bucket index, dense from 0, and the exact sum of the measured values. */
export interface Distribution {
  counts: number[];
  count: number;
  total: bigint;
}

/** The values that bucket `index` holds, from included, to not. */
export function bucketRange(scale: HistogramShape['scale'], index: number): [from: number, to: number] {
  if (scale.kind === 'linear') return [scale.min + index * scale.step, scale.min + (index + 1) * scale.step];
  return [index === 0 ? 0 : 2 ** index, 2 ** (index + 1)];
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
  if (distribution.count === 0) return -1;
  const rank = Math.max(1, Math.ceil(share * distribution.count));
  let below = 0;
  for (const [i, count] of distribution.counts.entries()) {
    below += count;
    if (below >= rank) return i;
  }
  return distribution.counts.length - 1;
}

/** The exact mean, as a number; 0 where nothing was counted. */
export function mean(distribution: Distribution): number {
  return distribution.count === 0 ? 0 : Number(distribution.total) / distribution.count;
}
