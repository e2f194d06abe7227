// A histogram for a terminal: a line per bucket with a bar of stars, as BCC's users know it. Neighbours: results/render/summary.ts, cli/.

import { bucketRange } from '../buckets.ts';
import type { HistogramShape } from '../shape.ts';
import { formatAmount, formatCount } from '../units.ts';

const title = 'from (included) to';
const barWidth = 40;
/** Empty buckets between others are drawn, so that gaps show, unless the scale is so fine that they would fill pages. */
const mostLines = 72;

/** From the first bucket that holds something to the last. */
export function barLines(
  shape: HistogramShape,
  buckets: readonly (readonly [index: number, count: bigint])[],
): string[] {
  const counts = new Map(buckets.filter(([, count]) => count > 0n));
  const indexes = [...counts.keys()];
  const first = indexes[0];
  const last = indexes.at(-1);
  if (first === undefined || last === undefined) return ['(empty)'];
  const all =
    last - first < mostLines ? Array.from({ length: last - first + 1 }, (_, i) => first + i) : indexes;
  const most = [...counts.values()].reduce((a, b) => (b > a ? b : a), 1n);
  const rows = all.map((index) => {
    const { from, to } = bucketRange(shape.scale, index);
    const count = counts.get(index) ?? 0n;
    return {
      range: `${formatAmount(from, shape.value.unit)} to ${formatAmount(to, shape.value.unit)}`,
      count: formatCount(count),
      bar: bar(count, most),
    };
  });
  const rangeWidth = Math.max(title.length, ...rows.map(({ range }) => range.length));
  const countWidth = Math.max(5, ...rows.map(({ count }) => count.length));
  return [
    `${title.padEnd(rangeWidth)}  ${'count'.padStart(countWidth)}  distribution`,
    ...rows.map(
      ({ range, count, bar: stars }) =>
        `${range.padEnd(rangeWidth)}  ${count.padStart(countWidth)}  |${stars}|`,
    ),
  ];
}

/** Something is never drawn as nothing. */
function bar(count: bigint, most: bigint): string {
  const length = count === 0n ? 0 : Math.max(1, Number((count * BigInt(barWidth)) / most));
  return '*'.repeat(length).padEnd(barWidth);
}
