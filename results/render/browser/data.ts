// Reads the data embedded in the page and unpacks it into columns that views can ask. Neighbours: ../report-data.ts is the format.

import { formatAmount, formatTime, wordsOf } from '../../units.ts';
import { exact } from '../amounts.ts';
import type { Distribution } from '../histogram-model.ts';
import type { Block, DataColumn, Packed, ReportFoot, ReportHead, StacksBlock } from '../report-data.ts';

/** A whole column. Numbers are for sorting, drawing and comparing; `exact` has every digit. */
export interface ColumnData {
  column: DataColumn;
  /** Cells as text for people; null as "". Times are seconds since the start. */
  text(row: number): string;
  /** NaN where null or a text; a time is in ns since the start. */
  number(row: number): number;
  /** All digits; for hover, details and copying. */
  exact(row: number): string;
  /** As it goes into CSV: plain digits, RFC 3339 times. */
  plain(row: number): string;
  /** For exact sums; null where there is none. */
  integer(row: number): bigint | null;
}

export interface Data {
  head: ReportHead;
  foot: ReportFoot;
  rows: number;
  columns: ColumnData[];
  /** Of a histogram: one for each row. */
  distributions: Distribution[];
  stacks: StacksBlock | undefined;
}

type Cell = string | number | bigint | null;

function unpack(packed: Packed): Cell[] {
  switch (packed.as) {
    case 'words':
      return packed.at.map((i) => (i < 0 ? null : (packed.words[i] ?? null)));
    case 'numbers':
      return packed.values;
    case 'exact':
      return packed.values.map((value) => (value === null ? null : BigInt(value)));
    case 'offsets': {
      const base = BigInt(packed.base);
      return packed.values.map((value) => (value === null ? null : base + BigInt(value)));
    }
  }
}

/** The numbers of a packed column, for drawing. */
export function packedNumbers(packed: Packed): Float64Array {
  return Float64Array.from(unpack(packed), Number);
}

function textColumn(column: DataColumn, cells: Cell[]): ColumnData {
  const text = (row: number) => {
    const cell = cells[row] ?? null;
    return cell === null ? '' : String(cell);
  };
  return { column, text, exact: text, plain: text, number: () => Number.NaN, integer: () => null };
}

function timeColumn(column: DataColumn, cells: Cell[], start: bigint): ColumnData {
  const at = (row: number) => {
    const cell = cells[row];
    return typeof cell === 'bigint' ? cell : null;
  };
  const number = (row: number) => {
    const cell = at(row);
    return cell === null ? Number.NaN : Number(cell - start);
  };
  const stamp = (row: number) => {
    const cell = at(row);
    return cell === null ? '' : formatTime(cell);
  };
  return {
    column,
    number,
    text: (row) => (at(row) === null ? '' : `+${(number(row) / 1e9).toFixed(6)} s`),
    exact: stamp,
    plain: stamp,
    integer: () => null,
  };
}

function integerColumn(column: DataColumn, cells: Cell[]): ColumnData {
  const at = (row: number) => {
    const cell = cells[row] ?? null;
    return typeof cell === 'string' ? null : cell;
  };
  // Ids, ports and exit codes are names written in digits: no separators.
  const measured = column.role === 'value' && (column.unit !== undefined || column.fold !== undefined);
  const plain = (row: number) => at(row)?.toString() ?? '';
  return {
    column,
    plain,
    number: (row) => {
      const cell = at(row);
      return cell === null ? Number.NaN : Number(cell);
    },
    text: (row) => {
      const cell = at(row);
      if (cell === null) return '';
      return measured ? formatAmount(BigInt(cell), column.unit) : plain(row);
    },
    exact: (row) => {
      const cell = at(row);
      if (cell === null) return '';
      return measured ? exact(cell, column.unit) : plain(row);
    },
    integer: (row) => {
      const cell = at(row);
      return cell === null ? null : BigInt(cell);
    },
  };
}

/** Columns from the packed columns of any number of blocks. */
export function joinColumns(head: ReportHead, blocks: Packed[][], columns = head.columns): ColumnData[] {
  const start = BigInt(head.startTime);
  return columns.map((column, i) => {
    const cells: Cell[] = [];
    for (const block of blocks) {
      const packed = block[i];
      if (packed !== undefined) for (const cell of unpack(packed)) cells.push(cell);
    }
    if (column.type === 'time') return timeColumn(column, cells, start);
    return column.type === 'integer' ? integerColumn(column, cells) : textColumn(column, cells);
  });
}

function parse<T>(element: Element | null): T {
  return JSON.parse(element?.textContent ?? 'null') as T;
}

/** Everything in the page. Throws SyntaxError where the file was cut off. */
export function readData(): Data {
  const head = parse<ReportHead>(document.querySelector('script.sonde-head'));
  const foot = parse<ReportFoot>(document.querySelector('script.sonde-foot'));
  const blocks = [...document.querySelectorAll('script.sonde-block')].map((script) => {
    const block = parse<Block>(script);
    script.remove(); // Its text would be kept in memory twice.
    return block;
  });
  const packed: Packed[][] = [];
  const distributions: Distribution[] = [];
  let stacks: StacksBlock | undefined;
  let rows = 0;
  for (const block of blocks) {
    if (block.kind === 'stacks') {
      stacks = block;
      continue;
    }
    packed.push(block.columns);
    rows += block.rows;
    if (block.kind !== 'histogram') continue;
    const counts = packedNumbers(block.counts);
    const totals = unpack(block.totals);
    let at = 0;
    block.lengths.forEach((length, row) => {
      const distribution: Distribution = { counts: [], count: 0, total: BigInt(totals[row] ?? 0) };
      for (const end = at + length; at < end; at++) {
        const index = block.index[at] ?? 0;
        while (distribution.counts.length <= index) distribution.counts.push(0);
        distribution.counts[index] = counts[at] ?? 0;
        distribution.count += counts[at] ?? 0;
      }
      distributions.push(distribution);
    });
  }
  return { head, foot, rows, columns: joinColumns(head, packed), distributions, stacks };
}

/** What stands over a column: its name in words. */
export function heading(column: DataColumn): string {
  return wordsOf(column);
}
