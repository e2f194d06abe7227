// Turns columns of values into the compact JSON of a report and makes JSON safe to stand in HTML. Neighbours: report-data.ts is the format,
// browser/data.ts reads it, report.ts and report-stacks.ts write with it.

import type { Column, Value } from '../shape.ts';
import type { Packed } from './report-data.ts';

// What the HTML parser acts on, and what reorders or hides text for who reads the file's source.
const unfit = /[<>&\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]/g;

/** JSON for inside a <script>: no markup, nothing invisible. */
export function scriptJson(value: unknown): string {
  return stringified(value).replace(unfit, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function stringified(value: unknown): string {
  try {
    // Four times as fast as with a replacer; blocks, which are nearly all of it, never hold a bigint.
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, (_name, member: unknown) =>
      typeof member === 'bigint' ? member.toString() : member,
    );
  }
}

function packIntegers(values: (number | bigint | null)[]): Packed {
  const fits = values.every((value) => value === null || Number.isSafeInteger(Number(value)));
  if (fits) return { as: 'numbers', values: values.map((value) => (value === null ? null : Number(value))) };
  return { as: 'exact', values: values.map((value) => (value === null ? null : value.toString())) };
}

function packTimes(values: (bigint | null)[]): Packed {
  let base: bigint | undefined;
  for (const value of values) if (value !== null && (base === undefined || value < base)) base = value;
  const from = base ?? 0n;
  return {
    as: 'offsets',
    base: from.toString(),
    values: values.map((value) => (value === null ? null : Number(value - from))),
  };
}

function packWords(values: (string | null)[]): Packed {
  const places = new Map<string, number>();
  const at = values.map((value) => {
    if (value === null) return -1;
    const place = places.get(value) ?? places.size;
    places.set(value, place);
    return place;
  });
  return { as: 'words', words: [...places.keys()], at };
}

function text(value: Value): string | null {
  if (value === null) return null;
  return Array.isArray(value) ? value.join(' ') : String(value);
}

function integer(value: Value): number | bigint | null {
  return typeof value === 'number' || typeof value === 'bigint' ? value : null;
}

/** One column of a block. A value that is not of its column's type becomes null or its text: nothing is thrown for it. */
export function packColumn(column: Pick<Column, 'type'>, values: readonly Value[]): Packed {
  if (column.type === 'integer') return packIntegers(values.map(integer));
  if (column.type === 'time') {
    return packTimes(
      values.map((value) => {
        const time = integer(value);
        return time === null ? null : BigInt(time);
      }),
    );
  }
  return packWords(values.map(text));
}

/** Columns from rows. */
export function packRows(
  columns: readonly Pick<Column, 'type'>[],
  rows: readonly (readonly Value[])[],
): Packed[] {
  return columns.map((column, i) =>
    packColumn(
      column,
      rows.map((row) => row[i] ?? null),
    ),
  );
}
