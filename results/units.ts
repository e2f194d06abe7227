// Numbers as people read them: durations, sizes and counts with a scaled unit. Neighbours: results/headline.ts, results/render/*, cli/.

import type { Column, Unit } from './shape.ts';

const durations: [unit: string, ns: bigint][] = [
  ['s', 1_000_000_000n],
  ['ms', 1_000_000n],
  ['µs', 1_000n],
];
const sizes: [unit: string, bytes: bigint][] = [
  ['TiB', 1n << 40n],
  ['GiB', 1n << 30n],
  ['MiB', 1n << 20n],
  ['KiB', 1n << 10n],
];

/** Three significant digits and a unit: `1.23 ms`, `16 KiB`, `12,345`. Exact below 1,000 of the smallest unit. */
export function formatAmount(amount: bigint, unit: Unit | undefined): string {
  if (unit === 'ns') return scaled(amount, durations, 'ns');
  if (unit === 'bytes') return scaled(amount, sizes, 'B');
  return formatCount(amount);
}

/** `1234567` → `1,234,567`. */
export function formatCount(count: bigint | number): string {
  return count.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

function scaled(amount: bigint, scale: [string, bigint][], smallest: string): string {
  const size = amount < 0n ? -amount : amount;
  const found = scale.find(([, one]) => size >= one);
  if (!found) return `${amount} ${smallest}`;
  const [unit, one] = found;
  const value = Number((amount * 1000n) / one) / 1000;
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${formatFixed(value, digits)} ${unit}`;
}

function formatFixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  const trimmed = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return trimmed.replace(/^-?\d+/, (whole) => formatCount(Number(whole)));
}

/** `part` of `whole` as `41%`; `0.4%` below one percent; never 100% unless it is all. */
export function formatShare(part: bigint, whole: bigint): string {
  if (whole <= 0n || part === 0n) return '0%';
  if (part === whole) return '100%';
  const tenths = Number((part * 10000n) / whole) / 100;
  if (tenths < 1) return tenths < 0.1 ? '<0.1%' : `${tenths.toFixed(1)}%`;
  return `${Math.min(99, Math.round(tenths))}%`;
}

/** The last second that was written or read: rows come in time order, and dates are dear to compute. */
let lastText = '';
let lastSecond = -1n;

/** A moment (ns since the Unix epoch) as RFC 3339 in UTC with nine digits, so that text order is time order until the year 9999. */
export function formatTime(ns: bigint): string {
  const second = ns / 1_000_000_000n;
  if (second !== lastSecond || lastText === '') {
    lastText = new Date(Number(second) * 1000).toISOString().slice(0, 19);
    lastSecond = second;
  }
  return `${lastText}.${(ns % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}

const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/;
const restForm = /^\.\d{9}Z$/;

/** The moment that formatTime wrote; undefined for anything else. */
export function parseTime(text: string): bigint | undefined {
  const date = text.slice(0, 19);
  const rest = text.slice(19);
  if (!restForm.test(rest)) return undefined;
  if (date !== lastText) {
    const milliseconds = timeForm.test(date) ? Date.parse(`${date}Z`) : Number.NaN;
    // 30 February parses, as 2 March: it is no time that formatTime wrote.
    if (Number.isNaN(milliseconds) || !new Date(milliseconds).toISOString().startsWith(date))
      return undefined;
    lastText = date;
    lastSecond = BigInt(milliseconds) / 1000n;
  }
  return lastSecond * 1_000_000_000n + BigInt(rest.slice(1, 10));
}

/** A column's name in words, without its unit: `latencyNs` → `latency`. */
export function wordsOf(column: Column): string {
  const words = column.name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  const unit = column.unit;
  if (unit === 'ns' || unit === 'bytes') return words.replace(new RegExp(` ${unit}$`), '') || words;
  return words;
}
