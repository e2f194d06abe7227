// Columns aligned for a terminal, everything in them escaped. Neighbours: results/render/summary.ts, cli/.

import { escapeTerminal } from '../escape.ts';

export interface TextColumn {
  title: string;
  /** Numbers stand to the right. */
  right?: boolean;
  /** Longer cells are cut; 48 by default. */
  limit?: number;
}

/** Lines without trailing blanks; the last column is as wide as it needs to be. Cells are escaped here: hand them over as they were seen. */
export function textTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string[] {
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
