// The middle of summary.txt: each shape's first rows. Neighbours: results/render/summary.ts.

import { basename } from 'node:path/posix';
import { bucketRange, countOf, quantileBucket } from '../buckets.ts';
import { allColumns, allValues, ownerName, ownerOf, tellingKeys, valueColumns } from '../columns.ts';
import type { Digest } from '../digest.ts';
import { escapeTerminal } from '../escape.ts';
import { nounOf } from '../headline.ts';
import {
  type Column,
  type HistogramShape,
  ownerColumns,
  type ResultMeta,
  type Row,
  type Value,
} from '../shape.ts';
import { formatAmount, formatCount, formatShare, formatTime } from '../units.ts';
import { barLines } from './bars.ts';
import { type TextColumn, textTable } from './text-table.ts';

const shown = { rows: 20, histograms: 6, functions: 20, stacks: 3, frames: 24, events: 10, groups: 10 };

export function bodyLines(meta: ResultMeta, digest: Digest): string[] {
  if (digest.kind === 'table') return tableBody(meta, digest);
  if (digest.kind === 'histogram') return histogramBody(meta, digest);
  return digest.kind === 'stacks' ? stacksBody(meta, digest) : eventsBody(meta, digest);
}

/** Whose a row is takes one column, and none where all rows are one owner's. */
function whose(meta: ResultMeta): { columns: TextColumn[]; cells: (row: Row) => string[] } {
  const several = meta.owners.length > 1;
  const nodes = new Set(meta.owners.map((owner) => owner.node)).size > 1;
  return {
    columns: [...(several ? [{ title: 'CONTAINER' }] : []), ...(nodes ? [{ title: 'NODE' }] : [])],
    cells: (row) => {
      const owner = ownerOf(meta.shape, row);
      return [...(several ? [ownerName(owner)] : []), ...(nodes ? [owner.node] : [])];
    },
  };
}

function tableBody(meta: ResultMeta, digest: Digest & { kind: 'table' }): string[] {
  const owner = whose(meta);
  const own = allColumns(meta.shape).slice(ownerColumns.length);
  const rows = digest.top.slice(0, shown.rows);
  const lines = textTable(
    [...owner.columns, ...own.map(titled)],
    rows.map((row) => [
      ...owner.cells(row),
      ...allValues(row)
        .slice(ownerColumns.length)
        .map((value, i) => cell(value, own[i])),
    ]),
  );
  return [...lines, ...more(digest.rows, rows.length, 'rows')];
}

function titled(column: Column): TextColumn {
  const unitless =
    column.unit === 'ns' || column.unit === 'bytes'
      ? column.name.replace(/(?<=.)(Ns|Bytes)$/, '')
      : column.name;
  const title = unitless.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toUpperCase();
  if (column.type !== 'integer') return { title };
  return { title, right: true, ...(column.name === 'containerPid' ? { unlessAs: 'PID' } : {}) };
}

function cell(value: Value, column: Column | undefined): string {
  if (value === null) return '-';
  if (column?.unit && (typeof value === 'bigint' || typeof value === 'number'))
    return formatAmount(BigInt(value), column.unit);
  return Array.isArray(value) ? value.join(' ') : String(value);
}

function more(all: number, listed: number, what: string): string[] {
  return all > listed ? [`and ${formatCount(all - listed)} more ${what}`] : [];
}

function histogramBody(meta: ResultMeta, digest: Digest & { kind: 'histogram' }): string[] {
  const { shape } = meta;
  if (shape.kind !== 'histogram') return [];
  const all = [describe(shape, 'all', digest.all), ...barLines(shape, digest.all.buckets)];
  if (digest.rows < 2) return all;
  const owner = whose(meta);
  const rows = digest.top.slice(0, shown.histograms);
  const each = rows.flatMap((row) => {
    const keys = tellingKeys(meta.shape, row).map(([, value]) => cell(value, undefined));
    return [
      '',
      describe(shape, [...owner.cells(row), ...keys].join(' '), row.value),
      ...barLines(shape, row.value.buckets),
    ];
  });
  return [...all, ...each, ...more(digest.rows, rows.length, 'histograms')];
}

function describe(
  shape: HistogramShape,
  name: string,
  { buckets, total }: (Row & { kind: 'histogram' })['value'],
): string {
  const { unit } = shape.value;
  const count = countOf(buckets);
  const below = (percent: number) => {
    const bucket = quantileBucket(buckets, percent);
    if (bucket === undefined) return '';
    return `, ${percent}% below ${formatAmount(bucketRange(shape.scale, bucket).to, unit)}`;
  };
  const mean = count > 0n ? `, mean ${formatAmount(total / count, unit)}` : '';
  return `${escapeTerminal(name, 120)}: ${formatCount(count)}${mean}${below(50)}${below(99)}`;
}

function stacksBody(meta: ResultMeta, digest: Digest & { kind: 'stacks' }): string[] {
  const weight = meta.shape.kind === 'stacks' ? meta.shape.weights[0] : undefined;
  if (!weight || digest.rows === 0) return ['No stacks'];
  const functions = digest.functions.slice(0, shown.functions);
  const table = textTable(
    [
      { title: 'SELF', right: true },
      { title: nounOf(weight).toUpperCase(), right: true },
      { title: 'TOTAL', right: true },
      { title: 'FUNCTION', limit: 100 },
      { title: 'IN' },
    ],
    functions.map(({ frame, self, total }) => [
      formatShare(self, digest.total),
      formatAmount(self, weight.unit),
      formatShare(total, digest.total),
      frame.name,
      frame.kind === 'kernel' ? '[kernel]' : frame.module ? basename(frame.module) : `[${frame.kind}]`,
    ]),
  );
  const owner = whose(meta);
  const stacks = digest.hottest.slice(0, shown.stacks).flatMap((row) => {
    const keys = tellingKeys(meta.shape, row).map(([, value]) => cell(value, undefined));
    const title = [formatShare(row.value[0] ?? 0n, digest.total), ...owner.cells(row), ...keys].join(' ');
    const frames = row.frames.toReversed();
    const listed = frames.slice(0, shown.frames).map((frame) => `    ${escapeTerminal(frame.name, 120)}`);
    return [
      '',
      escapeTerminal(title, 200),
      ...listed,
      ...more(frames.length, listed.length, 'frames').map((line) => `    ${line}`),
    ];
  });
  return [
    ...table,
    '',
    `The heaviest of ${formatCount(digest.rows)} stacks, innermost function first`,
    ...stacks,
  ];
}

function eventsBody(meta: ResultMeta, digest: Digest & { kind: 'events' }): string[] {
  const noun = meta.shape.kind === 'packets' ? 'packets' : 'events';
  if (digest.rows === 0) return [`No ${noun}`];
  const owner = whose(meta);
  const groups = digest.groups.slice(0, shown.groups);
  const counts = textTable(
    [
      { title: noun.toUpperCase(), right: true },
      { title: 'SHARE', right: true },
      { title: 'PROCESS' },
      { title: 'CONTAINER', limit: 100 },
    ],
    groups.map((group) => [
      formatCount(group.count),
      formatShare(group.count, BigInt(digest.rows)),
      group.process ?? '-',
      group.owner,
    ]),
  );
  const note = digest.complete ? [] : [`(counted over the first ${formatCount(digest.rows)} ${noun})`];
  const own = valueColumns(meta.shape);
  const first = digest.first.slice(0, shown.events);
  const rows = textTable(
    [{ title: 'TIME' }, ...owner.columns, ...own.map(titled)],
    first.map((row) => [
      clock(row.key[0] ?? null),
      ...owner.cells(row),
      ...row.value.map((value, i) => cell(value, own[i])),
    ]),
  );
  return [...counts, ...note, '', `The first ${noun}`, ...rows];
}

function clock(time: Value): string {
  return typeof time === 'bigint' ? formatTime(time).slice(11, 26) : '-';
}
