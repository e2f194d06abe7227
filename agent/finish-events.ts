// The last pass over a session's events where some were written before it was known whose they are: names come in, rows that are not the job's go.
// Neighbours: agent/pods.ts (who they are), agent/collect.ts (when), results/lines.ts.

import { rename } from 'node:fs/promises';
import { readLines, writeFileThrough } from '../results/lines.ts';
import type { Owner } from '../results/shape.ts';

const begin = Buffer.from('"node":');
const last = Buffer.from('"container":"');
const quote = '"'.charCodeAt(0);
const backslash = '\\'.charCodeAt(0);

/** Members as they were written → as they shall be; null: the row goes. */
export type Renaming = ReadonlyMap<string, string | null>;

/** Writes the file anew. Gives how many rows are in it, how many went, and whose it has. The members that say whose a row is come before all that a
 *  traced process had a say in. */
export async function renameOwners(
  path: string,
  renaming: Renaming,
): Promise<{ rows: bigint; dropped: bigint; owners: Owner[] }> {
  let rows = 0n;
  let dropped = 0n;
  const whose = new Set<string>();
  const fresh = `${path}.named`;
  await writeFileThrough(fresh, async (writer) => {
    for await (const lines of readLines(path))
      for (const line of lines) {
        const start = line.indexOf(begin);
        const end = ownersEnd(line, start);
        const members = line.toString('utf8', start, end);
        const now = renaming.get(members);
        if (now === null) {
          dropped++;
          continue;
        }
        const changed = now === undefined ? line : renamed(line, start, end, now);
        await writer.write(changed);
        await writer.write('\n');
        whose.add(now ?? members);
        rows++;
      }
  });
  await rename(fresh, path);
  return { rows, dropped, owners: [...whose].map((members): Owner => JSON.parse(`{${members}}`)) };
}

function renamed(line: Buffer, start: number, end: number, members: string): Buffer {
  return Buffer.concat([line.subarray(0, start), Buffer.from(members), line.subarray(end)]);
}

/** Behind the quote that ends the container's name. */
function ownersEnd(line: Buffer, start: number): number {
  let at = line.indexOf(last, start) + last.length;
  while (at < line.length && line[at] !== quote) at += line[at] === backslash ? 2 : 1;
  return at + 1;
}
