// Counting rows of a trace in tests.

/** How many rows have all of these values; a row's bigint equals the number, null is what the row does not have. */
export function count(rows: readonly Record<string, unknown>[], wanted: Record<string, unknown>): number {
  return rows.filter((row) => matches(row, wanted)).length;
}

/** The first row that has them. Throws when there is none. */
export function find(
  rows: readonly Record<string, unknown>[],
  wanted: Record<string, unknown>,
): Record<string, unknown> {
  const row = rows.find((row) => matches(row, wanted));
  if (row === undefined) throw new Error(`no row has ${JSON.stringify(wanted)}`);
  return row;
}

function matches(row: Record<string, unknown>, wanted: Record<string, unknown>): boolean {
  return Object.entries(wanted).every(([name, value]) => {
    const has = row[name] ?? null;
    return (typeof has === 'bigint' ? Number(has) : has) === value;
  });
}
