// What a person types into a filter box, as a test of rows. Neighbours: grid.ts.

import { parseAmount } from '../amounts.ts';
import type { DataColumn } from '../report-data.ts';
import type { ColumnData } from './data.ts';

type RowTest = (row: number) => boolean;

function isNumeric(column: ColumnData): boolean {
  return column.column.type === 'integer' || column.column.type === 'time';
}

/** Rows that hold every word, each in some column. Undefined: nothing was asked. */
export function globalTest(columns: ColumnData[], text: string): RowTest | undefined {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return undefined;
  const texts = columns.filter((column) => !isNumeric(column));
  const numbers = columns.filter((column) => column.column.type === 'integer');
  // A number is found by its own digits ("443"), a text by any part of it.
  return (row) =>
    words.every(
      (word) =>
        texts.some((column) => column.text(row).toLowerCase().includes(word)) ||
        numbers.some((column) => column.plain(row) === word),
    );
}

/** A time without a unit is in seconds, as the column shows it. */
function typedNumber(column: ColumnData, text: string): number | undefined {
  const value = parseAmount(text.trim().replace(/^\+/, ''));
  const plain = column.column.type === 'time' && !/[a-zµ]\s*$/i.test(text);
  return value === undefined || !plain ? value : value * 1e9;
}

function numberTest(column: ColumnData, text: string): RowTest | undefined {
  const range = /^(.*)\.\.(.*)$/.exec(text);
  if (range !== null) {
    const from = range[1] === '' ? Number.NEGATIVE_INFINITY : typedNumber(column, range[1] ?? '');
    const to = range[2] === '' ? Number.POSITIVE_INFINITY : typedNumber(column, range[2] ?? '');
    if (from === undefined || to === undefined) return undefined;
    return (row) => column.number(row) >= from && column.number(row) <= to;
  }
  const match = /^\s*(<=|>=|<|>|!=|!|=)?(.*)$/.exec(text);
  const value = typedNumber(column, match?.[2] ?? '');
  if (value === undefined) return undefined;
  switch (match?.[1]) {
    case '<':
      return (row) => column.number(row) < value;
    case '<=':
      return (row) => column.number(row) <= value;
    case '>':
      return (row) => column.number(row) > value;
    case '>=':
      return (row) => column.number(row) >= value;
    case '!':
    case '!=':
      return (row) => column.number(row) !== value;
    default:
      return (row) => column.number(row) === value;
  }
}

/** The test of one column's box. Undefined: empty, or not understood. */
export function columnTest(column: ColumnData, text: string): RowTest | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  if (isNumeric(column)) return numberTest(column, trimmed);
  const lower = trimmed.toLowerCase();
  if (lower.startsWith('=')) return (row) => column.text(row).toLowerCase() === lower.slice(1);
  if (lower.startsWith('!')) return (row) => !column.text(row).toLowerCase().includes(lower.slice(1));
  return (row) => column.text(row).toLowerCase().includes(lower);
}

/** An example of what a filter box of numbers takes. */
export function filterHint(column: DataColumn): string {
  if (column.type === 'time') return '1s..2s';
  return column.unit === 'ns' ? '> 1ms' : column.unit === 'bytes' ? '> 4KiB' : '> 1, 5..9';
}
