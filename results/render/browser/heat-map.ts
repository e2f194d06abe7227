// Keys by buckets, darker where more was counted (logarithmic, so that rare slow ones are seen beside many fast ones). Neighbours: histogram.ts.

import type { HistogramShape } from '../../shape.ts';
import { formatCount } from '../../units.ts';
import { amount, percent } from '../amounts.ts';
import { bucketSpan, type Distribution } from '../histogram-model.ts';
import { h, s } from './dom.ts';

const mostRows = 40;
const cell = 22;

export interface HeatMapOptions {
  name(row: number): string;
  press(row: number): void;
  /** px */
  width: number;
}

/** The map of the keys with most counts; a click on a row calls `press`. */
export function heatMap(
  shape: HistogramShape,
  rows: number[],
  distributions: Distribution[],
  options: HeatMapOptions,
): HTMLElement {
  const { name, press } = options;
  const width = Math.max(options.width, 480);
  const labelWidth = Math.min(300, width * 0.3);
  const count = (row: number) => distributions[row]?.count ?? 0;
  const shown = rows.toSorted((a, b) => count(b) - count(a)).slice(0, mostRows);
  let [first, last, most] = [Number.POSITIVE_INFINITY, 0, 1];
  for (const row of shown)
    distributions[row]?.counts.forEach((value, bucket) => {
      if (value === 0) return;
      first = Math.min(first, bucket);
      last = Math.max(last, bucket);
      most = Math.max(most, value);
    });
  if (first > last) return h('p', { class: 'muted' }, 'Nothing was counted.');
  const wide = (width - labelWidth) / (last - first + 1);
  const height = shown.length * cell + 26;
  const map = s('svg', {
    viewBox: `0 0 ${width} ${height}`,
    class: 'heat',
    role: 'img',
    'aria-label': 'Heat map of keys by buckets; the table below has the same figures',
  });
  shown.forEach((row, line) => {
    const title = name(row);
    const group = s('g', { class: 'heat-row', click: () => press(row) });
    const letters = Math.floor(labelWidth / 7.2);
    group.append(
      s('rect', { x: 0, y: line * cell, width, height: cell, fill: 'transparent' }),
      s(
        'text',
        { class: 'axis heat-label', x: labelWidth - 10, y: line * cell + 15, 'text-anchor': 'end' },
        title.length > letters ? `…${title.slice(1 - letters)}` : title,
        s('title', {}, title),
      ),
    );
    distributions[row]?.counts.forEach((value, bucket) => {
      if (value === 0) return;
      const [from, to] = bucketSpan(shape.scale, bucket);
      const range = `${amount(from, shape.value.unit)} – ${amount(to, shape.value.unit)}`;
      group.append(
        s(
          'rect',
          {
            class: 'heat-cell',
            x: labelWidth + (bucket - first) * wide,
            y: line * cell + 1,
            width: Math.max(wide - 1, 1),
            height: cell - 2,
            'fill-opacity': (0.1 + (0.9 * Math.log1p(value)) / Math.log1p(most)).toFixed(3),
          },
          s('title', {}, `${title} · ${range}: ${formatCount(value)} (${percent(value, count(row))})`),
        ),
      );
    });
    map.append(group);
  });
  const every = Math.ceil(80 / wide);
  for (let edge = first; edge <= last; edge += every) {
    const x = labelWidth + (edge - first) * wide;
    map.append(
      s(
        'text',
        { class: 'axis', x, y: height - 6, 'text-anchor': edge === first ? 'start' : 'middle' },
        amount(bucketSpan(shape.scale, edge)[0], shape.value.unit),
      ),
    );
  }
  const left = rows.length - shown.length;
  return h(
    'div',
    {},
    map,
    left > 0 &&
      h(
        'p',
        { class: 'muted' },
        `The ${mostRows} keys with most counts; ${formatCount(left)} more are in the table.`,
      ),
  );
}
