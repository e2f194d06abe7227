// A result in one line, and its first rows in at most 8 KiB: what a job's status shows. Pure.
// Neighbours: results/digest.ts (what it is made of), results/public.ts (what it may not say).

import { bucketRange, countOf, quantileBucket } from './buckets.ts';
import { allColumns, keyColumns, tellingKeys } from './columns.ts';
import { type Digest, type FunctionWeight, sortIndex } from './digest.ts';
import { escapeTerminal, shorten } from './escape.ts';
import { isPublic, publicFunction, publicText } from './public.ts';
import { jsonText } from './row-json.ts';
import type { Column, ResultMeta, Row } from './shape.ts';
import { formatAmount, formatCount, formatShare, wordsOf } from './units.ts';

/** One line of at most 200 characters, safe in a terminal. */
export function headline(meta: ResultMeta, digest: Digest): string {
  const { lost, recorded } = meta.events;
  const missing = lost > 0n ? ` (${formatShare(lost, recorded + lost)} lost)` : '';
  return `${shorten(escapeTerminal(sentence(meta, digest)), 200 - missing.length)}${missing}`;
}

function sentence(meta: ResultMeta, digest: Digest): string {
  if (digest.kind === 'events') return eventsLine(meta, digest);
  if (digest.rows === 0) return 'Nothing was seen';
  if (digest.kind === 'table') return tableLine(meta, digest);
  return digest.kind === 'histogram' ? histogramLine(meta, digest) : stacksLine(meta, digest);
}

function tableLine(meta: ResultMeta, digest: Digest & { kind: 'table' }): string {
  const [first] = digest.top;
  const at = sortIndex(meta);
  const column = meta.shape.kind === 'table' ? meta.shape.values[at] : undefined;
  if (!first || !column) return `${formatCount(digest.rows)} rows`;
  const own = ownKeys(meta, first).map(([, text]) => text);
  const who = own.filter((text) => text !== '').join(' ') || publicText(first.key[3] ?? first.key[0] ?? null);
  const amount = formatAmount(first.value[at] ?? 0n, column.unit);
  const what = nounOf(column);
  if (column.fold !== 'sum')
    return `${column.fold === 'max' ? 'Highest' : 'Lowest'} ${what} ${amount}: ${who}`;
  return `${formatShare(first.value[at] ?? 0n, digest.totals[at] ?? 0n)} of ${what} in ${who} (${amount})`;
}

function histogramLine(meta: ResultMeta, digest: Digest & { kind: 'histogram' }): string {
  if (meta.shape.kind !== 'histogram') return '';
  const { scale, value } = meta.shape;
  const { buckets } = digest.all;
  const middle = quantileBucket(buckets, 50);
  const high = quantileBucket(buckets, 99);
  if (middle === undefined || high === undefined) return 'Nothing was seen';
  const below = (index: number) => formatAmount(bucketRange(scale, index).to, value.unit);
  const what = nounOf(value);
  return `${what}: half below ${below(middle)}, 99% below ${below(high)}, of ${formatCount(countOf(buckets))}`;
}

function stacksLine(meta: ResultMeta, digest: Digest & { kind: 'stacks' }): string {
  const weight = meta.shape.kind === 'stacks' ? meta.shape.weights[0] : undefined;
  const [first] = digest.blamed;
  if (!weight || !first) return `${formatCount(digest.rows)} stacks`;
  return `${formatShare(first.self, digest.total)} of ${nounOf(weight)} in ${publicFunction(first.frame)}`;
}

function eventsLine(meta: ResultMeta, digest: Digest & { kind: 'events' }): string {
  const { recorded } = meta.events;
  const [first] = digest.groups;
  const noun = meta.shape.kind === 'packets' ? 'packet' : 'event';
  const what = recorded === 1n ? `1 ${noun}` : `${formatCount(recorded)} ${noun}s`;
  if (!first) return what;
  const of = digest.complete ? '' : ` of the first ${formatCount(digest.rows)}`;
  const who = first.process ?? first.owner;
  return `${what}, ${formatShare(first.count, BigInt(digest.rows))}${of} by ${publicText(who)}`;
}

/** What a sentence calls a column's amounts. */
export function nounOf(column: Column): string {
  return column.noun ?? wordsOf(column);
}

/** The row's keys besides whose it is, as far as anyone may read them. */
function ownKeys(meta: ResultMeta, row: Row): [Column, string][] {
  return tellingKeys(meta.shape, row)
    .filter(([column]) => isPublic(column))
    .map(([column, value]) => [column, publicText(value)]);
}

export type SummaryRow = Record<string, string | number | bigint | boolean | null>;

/** The first rows by the same rule, as many as fit into `limit` bytes of JSON. Column names are the shape's; stacks give functions, events who made how many. */
export function summaryRows(meta: ResultMeta, digest: Digest, limit = 8192): SummaryRow[] {
  const rows: SummaryRow[] = [];
  let bytes = 2;
  for (const row of candidates(meta, digest)) {
    bytes += Buffer.byteLength(jsonText(row)) + 1;
    if (bytes > limit) break;
    rows.push(row);
  }
  return rows;
}

function candidates(meta: ResultMeta, digest: Digest): SummaryRow[] {
  if (digest.kind === 'table') return digest.top.map((row) => tableSummary(meta, row));
  if (digest.kind === 'histogram') return digest.top.map((row) => histogramSummary(meta, row));
  if (digest.kind === 'events')
    return digest.groups.map(({ owner, process, count }) => ({
      owner: safe(owner),
      process: process === null ? null : safe(process),
      events: count,
    }));
  const name = meta.shape.kind === 'stacks' ? (meta.shape.weights[0]?.name ?? 'weight') : 'weight';
  return digest.functions.map((each) => functionSummary(name, each));
}

function safe(text: string): string {
  return escapeTerminal(text, 128);
}

function keysOf(meta: ResultMeta, row: Row): SummaryRow {
  const members: SummaryRow = {};
  keyColumns(meta.shape).forEach((column, i) => {
    const value = row.key[i] ?? null;
    if (!isPublic(column) || value === null || Array.isArray(value)) return;
    members[column.name] = typeof value === 'string' ? safe(value) : value;
  });
  return members;
}

function tableSummary(meta: ResultMeta, row: Row & { kind: 'table' }): SummaryRow {
  const members = keysOf(meta, row);
  const columns = allColumns(meta.shape).slice(-row.value.length);
  row.value.forEach((value, i) => {
    const column = columns[i];
    if (column && isPublic(column)) members[column.name] = value;
  });
  return members;
}

function histogramSummary(meta: ResultMeta, row: Row & { kind: 'histogram' }): SummaryRow {
  const members = keysOf(meta, row);
  if (meta.shape.kind !== 'histogram') return members;
  const { scale } = meta.shape;
  members.count = countOf(row.value.buckets);
  for (const percent of [50, 99]) {
    const bucket = quantileBucket(row.value.buckets, percent);
    members[`p${percent}Below`] = bucket === undefined ? null : bucketRange(scale, bucket).to;
  }
  return members;
}

function functionSummary(weight: string, { frame, self, total }: FunctionWeight): SummaryRow {
  return {
    function: safe(publicFunction(frame)),
    kind: frame.kind,
    [`${weight}Self`]: self,
    [weight]: total,
  };
}
