// Who made the first events of a run, without their rows: owner and process stand at the start of a line, and few of them differ.
// Neighbours: results/view.ts (groups), results/digest.ts (what they are for), results/times.ts (does the same for times).

import { readBlocks } from './blocks.ts';
import { valueColumns } from './columns.ts';
import { eventDecoder } from './row-json.ts';
import { decodeLine } from './run.ts';
import type { Row, TimedShape } from './shape.ts';

const newline = 10;
const quote = 34;
const backslash = 92;
/** A line begins `{"time":"2026-11-24T00:45:24.496115424Z","node":"…"`: what tells groups apart begins here. */
const groupStart = '{"time":"2026-11-24T00:45:24.496115424Z",'.length;
/** No text of a traced process can hold these: its quotation marks are escaped. */
const owner = Buffer.from('"node":');
const process = Buffer.from('"process":"');

/** The first rows of a result by owner and process. Two groups may be of the same, written differently. */
export interface EventsAlike {
  /** How many rows were read, and whether that is all of them. */
  rows: number;
  complete: boolean;
  /** `row`: the first of a group. */
  groups: { row: Row & { kind: 'events' }; count: number }[];
}

/** Whether the process stands directly behind whose the row is, so that lines of one group begin alike. */
export function hasGroups(shape: TimedShape): boolean {
  const [first] = valueColumns(shape);
  return first?.name === 'process' && first.type === 'text';
}

/** Of the first `mostRows` rows of a file that readRun reads; what would be one group too many is left out. */
export async function readGroups(
  path: string,
  shape: TimedShape,
  mostRows: number,
  mostGroups: number,
): Promise<EventsAlike> {
  const decodeText = eventDecoder(shape);
  const decode = (line: Buffer) => decodeText(line.toString());
  const groups = new Map<string, EventsAlike['groups'][number]>();
  let rows = 0;
  for await (const { bytes, keep } of readBlocks(path)) {
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      if (rows === mostRows) return { rows, complete: false, groups: [...groups.values()] };
      rows++;
      const line = bytes.subarray(start, end);
      const look = line.toString('latin1', groupStart, groupEnd(line));
      const known = groups.get(look);
      if (known) known.count++;
      else if (groups.size < mostGroups) {
        const row = decodeLine(path, rows, shape, line, decode);
        if (row?.kind === 'events') groups.set(look, { row, count: 1 });
      }
      start = end + 1;
    }
    keep(bytes.length - start);
  }
  return { rows, complete: true, groups: [...groups.values()] };
}

/** Behind the process's name; the end of a line that has none, or that does not begin as ours do. */
function groupEnd(line: Buffer): number {
  const found = line.indexOf(process);
  if (found < 0 || line.indexOf(owner) !== groupStart) return line.length;
  let at = found + process.length;
  while (at < line.length && line[at] !== quote) at += line[at] === backslash ? 2 : 1;
  return at;
}
