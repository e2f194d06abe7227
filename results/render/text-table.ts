// Columns aligned for a terminal, everything in them escaped. Neighbours: results/render/summary.ts, cli/.

import { escapeTerminal } from '../escape.ts';

export interface TextColumn {
  title: string;
  /** Numbers stand to the right. */
  right?: boolean;
  /** Longer cells are cut; 48 by default. */
  limit?: number;
  /** Left out where every row has the same as this other column (by title): the pid in a container that is not in one. */
  unlessAs?: string;
}

/** Columns that say nothing in any row are left out. Lines without trailing blanks; the last column is as wide as it needs to be. Cells are escaped here: hand them over as they were seen. */
export function textTable(all: readonly TextColumn[], allRows: readonly (readonly string[])[]): string[] {
  const telling = all.map((column, i) => tells(column, i, all, allRows));
  const columns = all.filter((_, i) => telling[i]);
  const rows = allRows.map((row) => row.filter((_, i) => telling[i]));
  const cells = rows.map((row) => columns.map(({ limit }, i) => escapeTerminal(row[i] ?? '', limit ?? 48)));
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    columns
      .map(({ right }, i) =>
        right ? (row[i] ?? '').padStart(widths[i] ?? 0) : (row[i] ?? '').padEnd(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...cells.map(line)];
}

function tells(
  column: TextColumn,
  at: number,
  all: readonly TextColumn[],
  rows: readonly (readonly string[])[],
): boolean {
  if (rows.length === 0) return true;
  if (rows.every((row) => row[at] === '' || row[at] === '-')) return false;
  const other = all.findIndex(({ title }) => title === column.unlessAs);
  return other < 0 || rows.some((row) => row[at] !== row[other]);
}
