// table.csv and histogram.csv: RFC 4180, one header line with the units in the names. Neighbours: results/view.ts, results/publish.ts.

import { bucketRange } from '../buckets.ts';
import { allColumns, allValues, keyColumns } from '../columns.ts';
import type { LineWriter } from '../lines.ts';
import type { Column, Value } from '../shape.ts';
import { formatTime } from '../units.ts';
import type { ResultView } from '../view.ts';

/** Rows of a table (or events) in the run's order, a column each. Empty: not known. Text that a spreadsheet would run as a formula (it begins with
 *  = + - @ tab or return) has an apostrophe before it; result.json has it exact. */
export async function writeTable(view: ResultView, writer: LineWriter): Promise<void> {
  const columns = allColumns(view.meta.shape);
  await writer.write(record(columns.map((column) => column.name)));
  for await (const row of view.rows())
    await writer.write(record(allValues(row).map((value, i) => cell(value, columns[i]))));
}

/** One line per bucket that is not empty: keys, `<value>From` (inclusive), `<value>To` (exclusive), `count`. */
export async function writeHistogram(view: ResultView, writer: LineWriter): Promise<void> {
  const { shape } = view.meta;
  if (shape.kind !== 'histogram') return;
  const columns = keyColumns(shape);
  const { name } = shape.value;
  await writer.write(record([...columns.map((column) => column.name), `${name}From`, `${name}To`, 'count']));
  for await (const row of view.rows()) {
    if (row.kind !== 'histogram') continue;
    const keys = row.key.map((value, i) => cell(value, columns[i]));
    for (const [index, count] of row.value.buckets) {
      const { from, to } = bucketRange(shape.scale, index);
      await writer.write(record([...keys, `${from}`, `${to}`, `${count}`]));
    }
  }
}

function record(cells: string[]): string {
  return `${cells.map(quoted).join(',')}\r\n`;
}

function cell(value: Value, column: Column | undefined): string {
  if (value === null) return '';
  if (column?.type === 'time' && typeof value === 'bigint') return formatTime(value);
  if (typeof value === 'string') return harmless(value);
  return Array.isArray(value) ? harmless(value.join(' ')) : String(value);
}

/** NUL ends many readers' fields; a leading operator makes spreadsheets compute. */
function harmless(text: string): string {
  const whole = text.replaceAll('\0', '\ufffd').toWellFormed();
  return /^[=+\-@\t\r]/.test(whole) ? `'${whole}` : whole;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}
