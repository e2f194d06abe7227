// Pieces of a grid: widths, columns that say nothing, totals, CSV, the dialog with all fields of a row. Neighbours: grid.ts.

import { formatAmount } from '../../units.ts';
import { exact } from '../amounts.ts';
import type { ColumnData } from './data.ts';
import { heading } from './data.ts';
import { button, h } from './dom.ts';

/** Characters that a column needs, seen from a sample of its cells. */
export function columnWidth(data: ColumnData | undefined, rows: number): number {
  if (data === undefined) return 8;
  const step = Math.max(1, Math.floor(rows / 300));
  let width = heading(data.column).length + 5;
  for (let row = 0; row < rows; row += step) width = Math.max(width, data.text(row).length + 2);
  return Math.min(Math.max(width, 9), 44);
}

/** Owner columns with the same text in every row, and columns that are empty throughout. */
export function constantColumns(columns: ColumnData[], rows: number): number[] {
  if (rows < 2) return columns.flatMap((data, i) => (rows === 1 && data.text(0) === '' ? [i] : []));
  return columns.flatMap((data, i) => {
    const first = data.text(0);
    if (first !== '' && data.column.role !== 'owner') return [];
    for (let row = 1; row < rows; row++) if (data.text(row) !== first) return [];
    return [i];
  });
}

/** What the footer says under each column: sums, minima, maxima as the column folds; of events, sums of what has a unit. */
export function totalsOf(
  columns: ColumnData[],
  rows: Uint32Array,
): ({ text: string; exact: string } | undefined)[] {
  return columns.map((data) => {
    const { column } = data;
    const fold = column.fold ?? (column.unit === undefined ? undefined : 'sum');
    if (column.type !== 'integer' || column.role !== 'value' || fold === undefined) return undefined;
    let total: bigint | undefined;
    for (const row of rows) {
      const value = data.integer(row);
      if (value === null) continue;
      if (total === undefined) total = value;
      else if (fold === 'sum') total += value;
      else if (fold === 'min' ? value < total : value > total) total = value;
    }
    if (total === undefined) return { text: '', exact: '' };
    const name = fold === 'sum' ? '' : `${fold} `;
    return {
      text: `${name}${formatAmount(total, column.unit)}`,
      exact: `${name}${exact(total, column.unit)}`,
    };
  });
}

/** A spreadsheet runs a cell that begins like a formula: such a text gets an apostrophe, which spreadsheets do not show. */
function csvCell(text: string, isText: boolean): string {
  const safe = isText && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** RFC 4180, plain digits, the columns' own names. */
export function toCsv(columns: ColumnData[], rows: Uint32Array): string {
  const lines = [columns.map((data) => csvCell(data.column.name, true)).join(',')];
  for (const row of rows)
    lines.push(columns.map((data) => csvCell(data.plain(row), data.column.type !== 'integer')).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

/** Copies, and says so on the button. */
export async function copyText(text: string, pressed: HTMLButtonElement): Promise<void> {
  const before = pressed.textContent;
  const done = await writeClipboard(text);
  pressed.textContent = done ? 'Copied' : 'The browser refused';
  setTimeout(() => {
    pressed.textContent = before;
  }, 1500);
}

async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A file opened from disk has no clipboard interface in some browsers; the old command works in all.
    const area = h('textarea', { class: 'offscreen' });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

/** Opens a dialog with every field of a row, exact. */
export function rowDialog(columns: ColumnData[], row: number): void {
  const fields = columns.flatMap((data) => [
    h('dt', { title: data.column.description }, heading(data.column)),
    h('dd', {}, data.exact(row) || '–'),
  ]);
  const dialog = h('dialog', {
    class: 'row-dialog',
    'aria-label': 'All fields of the row',
    close: () => dialog.remove(),
  });
  dialog.append(
    h('dl', {}, ...fields),
    h(
      'p',
      { class: 'dialog-end' },
      button('Close', () => dialog.close(), { autofocus: true }),
    ),
  );
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}
