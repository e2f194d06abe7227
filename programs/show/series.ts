// tseries as bpftrace draws them: time downwards, values from left to right. Neighbours: fold.ts, map.ts.

import type { Type } from '../types.ts';
import { pointValue } from './fold.ts';
import { jsonInteger } from './json.ts';
import { strftime } from './strftime.ts';

/** An interval's beginning (ns since the Unix epoch) and its value; null: nothing was seen in it. */
export interface Point {
  start: bigint;
  value: bigint | null;
}

export type SeriesType = Type & { kind: 'tseries' };

/** The intervals from the first that a key has, of those that end with the last of all keys.
 *  wall: what turns the clock of the intervals into the time of day. */
export function pointsOf(
  type: SeriesType,
  values: ReadonlyMap<bigint, { value: bigint; count: bigint }>,
  last: bigint,
  wall: (ns: bigint) => bigint,
): Point[] {
  const from = last - BigInt(type.intervals) + 1n;
  let first = last;
  for (const interval of values.keys()) if (interval >= from && interval < first) first = interval;
  const points: Point[] = [];
  for (let interval = first; interval <= last; interval++) {
    const point = values.get(interval);
    points.push({
      start: wall(interval * type.intervalNs),
      value: point === undefined ? null : pointValue(type.fold, point),
    });
  }
  return points;
}

export function latest(values: ReadonlyMap<bigint, unknown>): bigint {
  let most = 0n;
  for (const interval of values.keys()) if (interval > most) most = interval;
  return most;
}

const width = 53;
const headWidth = 21;

export function seriesText(type: SeriesType, points: readonly Point[]): string {
  const seen = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const [one] = seen;
  if (one === undefined) return '<no data>';
  let least = seen.reduce((a, b) => (b < a ? b : a), one);
  let most = seen.reduce((a, b) => (b > a ? b : a), one);
  if (least === most) {
    if (type.signed || least > 0n) least--;
    most++;
  }
  const { unit, digits } = unitOf(type.intervalNs);
  const timeWidth = 8 + (digits === 0 ? 0 : 1 + digits);
  const range = String(least).padEnd(headWidth) + String(most).padStart(width - headWidth);
  const margin = ' '.repeat(timeWidth + 1);
  const span = most - least;
  const zero = least < 0n && most > 0n ? Number((BigInt(width) * -least) / span) : 0;
  const lines = points.map(({ start, value }) => {
    const line = Array.from({ length: width }, () => ' ');
    line[0] = '|';
    line[width - 1] = '|';
    if (zero > 0) line[zero] = '.';
    if (value !== null) line[Number((BigInt(width - 1) * (value - least)) / span)] = '*';
    return `${timeOf(start, digits)} ${line.join('')} ${value ?? '-'}\n`;
  });
  return [
    `${margin}${range}\n`,
    `${`hh:mm:ss${unit}`.padEnd(timeWidth + 1)}|${'_'.repeat(width - 2)}|\n`,
    ...lines,
    `${margin}v${'_'.repeat(width - 2)}v\n`,
    `${margin}${range}\n`,
  ].join('');
}

function timeOf(start: bigint, digits: number): string {
  const time = strftime('%H:%M:%S', start);
  return digits === 0
    ? time
    : `${time}.${String(start % 1_000_000_000n)
        .padStart(9, '0')
        .slice(0, digits)}`;
}

/** The largest unit that the interval is whole in. */
function unitOf(intervalNs: bigint): { unit: string; digits: number } {
  if (intervalNs % 1_000_000_000n === 0n) return { unit: '', digits: 0 };
  if (intervalNs % 1_000_000n === 0n) return { unit: '.ms', digits: 3 };
  return intervalNs % 1000n === 0n ? { unit: '.us', digits: 6 } : { unit: '.ns', digits: 9 };
}

export function seriesJson(points: readonly Point[]): string {
  const objects = points.flatMap(({ start, value }) =>
    value === null
      ? []
      : [
          `{"interval_start":"${strftime('%Y-%m-%dT%H:%M:%S', start)}.${String(start % 1_000_000_000n).padStart(9, '0')}","value":${jsonInteger(value)}}`,
        ],
  );
  return `[${objects.join(',')}]`;
}
