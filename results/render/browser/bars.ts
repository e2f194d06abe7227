// Draws distributions as bars: one filled, or several side by side to compare. SVG, so that it prints and scales. Neighbours: histogram.ts.

import type { HistogramShape } from '../../shape.ts';
import { formatCount, wordsOf } from '../../units.ts';
import { amount, percent } from '../amounts.ts';
import { bucketSpan, type Distribution } from '../histogram-model.ts';
import { s } from './dom.ts';

/** Told apart by most colour-blind readers, and on both backgrounds. */
export const seriesColours = ['#3b82f6', '#e8710a', '#12a594', '#d6409f', '#8b6ff0', '#a3a310'];

const height = 330;
const margin = { left: 64, right: 36, top: 26, bottom: 58 };

export interface Series {
  name: string;
  distribution: Distribution;
}

/** First and last bucket that any of them uses. */
function used(series: Series[]): [number, number] {
  let first = Number.POSITIVE_INFINITY;
  let last = -1;
  for (const { distribution } of series)
    distribution.counts.forEach((count, i) => {
      if (count === 0) return;
      first = Math.min(first, i);
      last = Math.max(last, i);
    });
  return last < 0 ? [0, 0] : [first, last];
}

/** 1, 2 or 5 times a power of ten, so that about four lines fit under `most`. */
function niceStep(most: number): number {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  for (const factor of [1, 2, 5]) if (factor * power >= rough) return factor * power;
  return 10 * power;
}

/** The chart, `available` px wide; with `shares` each series is in percent of its own count. */
export function bars(
  shape: HistogramShape,
  series: Series[],
  shares: boolean,
  available: number,
): SVGElement {
  const width = Math.max(available, 480);
  const [first, last] = used(series);
  const buckets = last - first + 1;
  const value = ({ distribution }: Series, bucket: number) => {
    const count = distribution.counts[bucket] ?? 0;
    return shares ? (100 * count) / (distribution.count || 1) : count;
  };
  let most = 0;
  for (const each of series) for (let b = first; b <= last; b++) most = Math.max(most, value(each, b));
  const step = shares ? niceStep(most) : Math.max(1, niceStep(most));
  const slot = (width - margin.left - margin.right) / buckets;
  const inner = height - margin.top - margin.bottom;
  const y = (amount: number) => margin.top + inner * (1 - amount / (most || 1));
  const chart = s('svg', {
    viewBox: `0 0 ${width} ${height}`,
    class: 'bars',
    role: 'img',
    'aria-label': `Histogram of ${wordsOf(shape.value)}: ${series.map((each) => each.name).join(', ')}`,
  });
  for (let line = 0; line <= most * 1.001; line += step) {
    chart.append(
      s('line', { class: 'rule', x1: margin.left, x2: width - margin.right, y1: y(line), y2: y(line) }),
      s(
        'text',
        { class: 'axis', x: margin.left - 8, y: y(line) + 4, 'text-anchor': 'end' },
        shares ? `${line}%` : short(line),
      ),
    );
  }
  for (let b = first; b <= last; b++) {
    const x = margin.left + (b - first) * slot;
    series.forEach((each, i) => {
      chart.append(bar(shape, each, b, { x, slot, y, shares, value: value(each, b), i, of: series.length }));
    });
  }
  // Labels stand at the edges between buckets; where they would touch, only some are written.
  const every = Math.ceil(78 / slot);
  for (let edge = first; edge <= last + 1; edge++) {
    if ((edge - first) % every !== 0) continue;
    const x = margin.left + (edge - first) * slot;
    const from = bucketSpan(shape.scale, edge)[0];
    chart.append(
      s('line', { class: 'tick', x1: x, x2: x, y1: height - margin.bottom, y2: height - margin.bottom + 5 }),
      s(
        'text',
        { class: 'axis', x, y: height - margin.bottom + 20, 'text-anchor': 'middle' },
        amount(from, shape.value.unit),
      ),
    );
  }
  const scale =
    shape.scale.kind === 'log2' ? 'each bar is twice as wide as the one before' : 'bars are equally wide';
  chart.append(
    s(
      'text',
      { class: 'axis', x: (margin.left + width) / 2, y: height - 10, 'text-anchor': 'middle' },
      `${wordsOf(shape.value)} (${scale})`,
    ),
  );
  return chart;
}

interface Place {
  x: number;
  slot: number;
  y: (value: number) => number;
  shares: boolean;
  value: number;
  i: number;
  of: number;
}

function bar(shape: HistogramShape, series: Series, bucket: number, place: Place): SVGElement {
  const gap = Math.min(6, place.slot * 0.12);
  const wide = (place.slot - gap) / place.of;
  const x = place.x + gap / 2 + place.i * wide;
  const bottom = place.y(0);
  const top = place.value === 0 ? bottom : Math.min(place.y(place.value), bottom - 1);
  const count = series.distribution.counts[bucket] ?? 0;
  const [from, to] = bucketSpan(shape.scale, bucket);
  const share = percent(count, series.distribution.count);
  const words = `${amount(from, shape.value.unit)} – ${amount(to, shape.value.unit)}: ${formatCount(count)} (${share}) · ${series.name}`;
  const group = s('g', { class: 'bar' }, s('title', {}, words));
  group.append(
    // The whole column answers the mouse, however low its bar.
    s('rect', {
      x: place.x,
      y: margin.top,
      width: place.slot,
      height: bottom - margin.top,
      fill: 'transparent',
      'pointer-events': place.i === 0 ? 'all' : 'none',
    }),
    s('rect', {
      x,
      y: top,
      width: Math.max(wide - 1, 0.5),
      height: bottom - top,
      fill: seriesColours[place.i] ?? '#888',
      rx: Math.min(2, wide / 4),
    }),
  );
  if (count > 0 && place.of === 1 && place.slot > 36)
    group.append(
      s(
        'text',
        { class: 'count', x: x + wide / 2, y: top - 5, 'text-anchor': 'middle' },
        place.shares ? share : short(count),
      ),
    );
  return group;
}

const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

/** "12.3K" where all digits do not fit over a bar. */
function short(count: number): string {
  return count < 10_000 ? formatCount(count) : compact.format(count);
}
