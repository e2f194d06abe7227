// The view of a histogram result: bars of the chosen keys, keys to compare, a heat map of keys by buckets. Neighbours: bars.ts and heat-map.ts draw,
// ../histogram-model.ts computes, grid.ts is the table of keys.

import { escapeTerminal } from '../../escape.ts';
import type { HistogramShape } from '../../shape.ts';
import { formatAmount, formatCount, wordsOf } from '../../units.ts';
import { amount, exact } from '../amounts.ts';
import {
  addDistributions,
  bucketSpan,
  type Distribution,
  mean,
  percentileBucket,
} from '../histogram-model.ts';
import type { DataColumn } from '../report-data.ts';
import { bars, type Series, seriesColours } from './bars.ts';
import type { ColumnData, Data } from './data.ts';
import { button, checkbox, h, show } from './dom.ts';
import { grid } from './grid.ts';
import { heatMap } from './heat-map.ts';
import { ownerChoice } from './owners.ts';

/** "512 µs – 1.02 ms": a bucket's range in words. */
export function rangeText(shape: HistogramShape, bucket: number): string {
  if (bucket < 0) return '–';
  const [from, to] = bucketSpan(shape.scale, bucket);
  return `${amount(from, shape.value.unit)} – ${amount(to, shape.value.unit)}`;
}

const percentiles = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p99', 0.99],
  ['max', 1],
] as const;

/** The whole section. */
export function histogramView(data: Data, shape: HistogramShape): HTMLElement {
  const compared: number[] = [];
  let shares = false;
  const owners = ownerChoice(data.columns, data.rows, () => {
    keys.restrict((row) => owners.chosen(row));
  });
  let kept: Uint32Array = Uint32Array.from({ length: data.rows }, (_, row) => row);

  const chart = h('div', { class: 'chart' });
  const facts = h('div', { class: 'facts' });
  const chips = h('div', { class: 'chips' });
  const heat = h('div', { class: 'heat-box' });

  const rowName = (row: number) => {
    const parts = data.columns.map((column) => column.text(row)).filter((text) => text !== '');
    const differing = data.columns.filter((_, i) => !constant.has(i)).map((column) => column.text(row));
    const name = differing.filter((text) => text !== '').join(' · ') || parts.join(' · ') || 'all';
    return escapeTerminal(name, 160);
  };
  const constant = new Set(
    data.columns.flatMap((column, i) => {
      for (let row = 1; row < data.rows; row++) if (column.text(row) !== column.text(0)) return [];
      return data.rows > 1 ? [i] : [];
    }),
  );

  function draw(): void {
    const all = addDistributions([...kept].flatMap((row) => data.distributions[row] ?? []));
    const series =
      compared.length === 0
        ? [{ name: kept.length === 1 ? rowName(kept[0] ?? 0) : `all ${kept.length} keys`, distribution: all }]
        : compared.map((row) => ({ name: rowName(row), distribution: data.distributions[row] ?? all }));
    show(chart, bars(shape, series, shares, chart.clientWidth));
    show(facts, factsTable(series));
    const names = compared.map((row, i) => {
      const chip = button(`${rowName(row)}  ✕`, () => compare(row), { class: 'chip' });
      chip.style.borderColor = seriesColours[i] ?? '';
      return chip;
    });
    const clear = compared.length > 0 && button('Show all together', () => compare(-1));
    show(chips, ...names, clear);
    const map =
      data.rows > 1
        ? heatMap(shape, [...kept], data.distributions, {
            name: rowName,
            press: compare,
            width: chart.clientWidth,
          })
        : undefined;
    show(heat, map !== undefined && h('h3', {}, 'Heat map'), map);
  }

  function factsTable(series: Series[]): HTMLElement {
    const titles = ['', 'count', 'mean', ...percentiles.map(([title]) => title)];
    const rows = series.map(({ name, distribution }, i) => {
      const swatch = h('i', { class: 'swatch' });
      swatch.style.background = seriesColours[i] ?? '';
      const average = mean(distribution);
      const how = `${exact(average, shape.value.unit)}: exact, ${exact(distribution.total, shape.value.unit)} / ${distribution.count}`;
      return h(
        'tr',
        {},
        h('th', { scope: 'row' }, swatch, name),
        h('td', { class: 'number' }, formatCount(distribution.count)),
        h('td', { class: 'number', title: how }, amount(average, shape.value.unit)),
        ...percentiles.map(([, share]) =>
          h(
            'td',
            { class: 'number', title: 'Known to the bucket in which it lies' },
            rangeText(shape, percentileBucket(distribution, share)),
          ),
        ),
      );
    });
    const head = titles.map((title) => h('th', { scope: 'col', class: title === '' ? '' : 'number' }, title));
    return h('table', { class: 'plain' }, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows));
  }

  function compare(row: number): void {
    const place = compared.indexOf(row);
    if (row < 0) compared.length = 0;
    else if (place >= 0) compared.splice(place, 1);
    else compared.push(row);
    if (compared.length > seriesColours.length) compared.shift();
    // Of what differs in count, shares compare better; whoever wants counts says so.
    if (compared.length === 2 && place < 0) setShares(true);
    if (compared.length === 0) setShares(false);
    keys.redraw();
    draw();
  }

  function setShares(on: boolean): void {
    shares = on;
    const box = toggle.querySelector('input');
    if (box !== null) box.checked = on;
  }

  const keys = grid(keyColumns(data, shape), data.rows, {
    noun: data.rows === 1 ? 'key' : 'keys',
    sort: data.columns.length,
    height: '380px',
    onRow: compare,
    marked: (row) => compared.includes(row),
    onRows(rows) {
      kept = rows;
      queueMicrotask(draw);
    },
    ...(data.foot.embedded < data.foot.rows && {
      note: `${formatCount(data.foot.rows - data.foot.embedded)} keys with fewer counts are left out here; ${data.head.complete} has all`,
    }),
  });
  const toggle = checkbox('shares instead of counts', false, (on) => {
    shares = on;
    draw();
  });
  let width = 0;
  new ResizeObserver(() => {
    if (chart.clientWidth !== width) draw();
    width = chart.clientWidth;
  }).observe(chart);
  const title = wordsOf(shape.value);
  return h(
    'section',
    { class: 'panel', 'aria-label': 'Distribution' },
    h('h2', {}, `Distribution of ${title}`),
    h('p', { class: 'muted' }, shape.value.description),
    owners.element,
    h('div', { class: 'toolbar' }, chips, h('span', { class: 'grow' }), toggle),
    chart,
    facts,
    heat,
    data.rows > 1 && h('h3', {}, 'Keys'),
    data.rows > 1 && h('p', { class: 'muted' }, 'Click keys to compare them.'),
    data.rows > 1 && keys.element,
  );
}

function keyColumns(data: Data, shape: HistogramShape): ColumnData[] {
  const column = (name: string, description: string, more: Partial<DataColumn> = {}): DataColumn => {
    return { name, type: 'integer', description, role: 'value', ...more };
  };
  const numeric = (
    of: DataColumn,
    read: (distribution: Distribution) => number,
    text: (distribution: Distribution) => string,
    full: (distribution: Distribution) => string = text,
  ): ColumnData => {
    const at = (row: number) => data.distributions[row] ?? { counts: [], count: 0, total: 0n };
    return {
      column: of,
      number: (row) => read(at(row)),
      text: (row) => text(at(row)),
      exact: (row) => full(at(row)),
      plain: (row) => String(read(at(row))),
      integer: (row) => BigInt(Math.round(read(at(row)))),
    };
  };
  const { unit } = shape.value;
  return [
    ...data.columns,
    numeric(
      column('count', 'How many values', { fold: 'sum' }),
      (d) => d.count,
      (d) => formatCount(d.count),
    ),
    numeric(
      column('mean', 'Exact: total / count'),
      (d) => mean(d),
      (d) => amount(mean(d), unit),
      (d) => exact(mean(d), unit),
    ),
    ...percentiles.map(([name, share]) =>
      numeric(
        column(name, 'The range of the bucket in which it lies'),
        (d) => bucketSpan(shape.scale, percentileBucket(d, share))[0],
        (d) => rangeText(shape, percentileBucket(d, share)),
      ),
    ),
    numeric(
      column('total', 'Exact sum of all values', unit === undefined ? {} : { unit }),
      (d) => Number(d.total),
      (d) => formatAmount(d.total, unit),
      (d) => exact(d.total, unit),
    ),
  ];
}
