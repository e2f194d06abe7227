// A run: the rows of one shape, sorted by key, in a file of JSON lines. For events it is events.jsonl itself; stacks have lines of their own (stack-lines.ts),
// compressed (stack-file.ts).
// Neighbours: agent/decode.ts writes runs, results/merge.ts merges them, results/view.ts opens one for encoders.

import { ResultError } from './errors.ts';
import { readLines, writeFileThrough } from './lines.ts';
import { compareKeys } from './order.ts';
import { decodeRow, encodeRow, eventDecoder } from './row-json.ts';
import { isTimed, type Row, type Shape, type StacksShape } from './shape.ts';
import { type RunSummary, readStackBlocks, stackBlockWriter, summaryFrame } from './stack-file.ts';
import { stackLineReader, stackLineWriter } from './stack-lines.ts';

export { sortRows } from './sort.ts';

/** Writes rows in the order given, which must be compareRows' (results/sort.ts makes it so). Gives their number. */
export async function writeRun(
  path: string,
  shape: Shape,
  rows: AsyncIterable<Row> | Iterable<Row>,
): Promise<number> {
  if (shape.kind === 'stacks') return writeStacks(path, shape, rows);
  let count = 0;
  await writeFileThrough(path, async (writer) => {
    for await (const row of rows) {
      const flushed = writer.write(`${encodeRow(shape, row)}\n`);
      if (flushed) await flushed;
      count++;
    }
  });
  return count;
}

async function writeStacks(
  path: string,
  shape: StacksShape,
  rows: AsyncIterable<Row> | Iterable<Row>,
): Promise<number> {
  const lines = stackLineWriter(shape);
  let count = 0;
  let keys = 0;
  let range: RunSummary['range'];
  await writeFileThrough(path, async (writer) => {
    const blocks = stackBlockWriter(writer);
    for await (const row of rows) {
      if (row.kind !== 'stacks') throw new TypeError(`a row of ${row.kind} in a run of stacks`);
      const flushed = blocks.add(lines(row));
      if (flushed) await flushed;
      if (range === undefined || compareKeys(range.last, row.key) !== 0) keys++;
      range ??= { first: row.key, last: row.key };
      range.last = row.key;
      count++;
    }
    await blocks.end();
    await writer.write(summaryFrame(shape, { rows: count, keys, ...(range && { range }) }));
  });
  return count;
}

/** The rows of a run, one line in memory at a time. Throws ResultError Malformed with file and line where a line is not a row of the shape. */
export async function* readRun(path: string, shape: Shape): AsyncGenerator<Row> {
  let number = 0;
  const decode = shape.kind === 'stacks' ? stackLineReader(shape) : decodeWhole(shape);
  for await (const lines of shape.kind === 'stacks' ? stackLines(path) : readLines(path)) {
    for (const line of lines) {
      number++;
      const row = decodeLine(path, number, shape, line, decode);
      if (row) yield row;
    }
  }
}

async function* stackLines(path: string): AsyncGenerator<Buffer[]> {
  for await (const text of readStackBlocks(path)) {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10, start)) {
      lines.push(text.subarray(start, end));
      start = end + 1;
    }
    yield lines;
  }
}

function decodeWhole(shape: Shape): (line: Buffer) => Row {
  if (isTimed(shape)) {
    const decode = eventDecoder(shape);
    if (shape.kind === 'packets') return (line) => decode(packetHead(line));
    return (line) => decode(line.toString());
  }
  return (line) => decodeRow(shape, line.toString());
}

const packetMember = Buffer.from(',"packet":"');

/** A packet's bytes are the last member of its line, and by far the longest: who wants rows does not want them. */
export function packetHead(line: Buffer): string {
  const end = line.indexOf(packetMember);
  return end < 0 ? line.toString() : `${line.toString('utf8', 0, end)}}`;
}

/** The bytes themselves. */
export function packetBytes(line: Buffer): Buffer {
  const start = line.indexOf(packetMember);
  return start < 0
    ? Buffer.alloc(0)
    : Buffer.from(line.toString('latin1', start + packetMember.length, line.length - 2), 'base64');
}

/** One line as a row, with its place in the error. */
export function decodeLine(
  path: string,
  number: number,
  shape: Shape,
  line: Buffer,
  decode: (line: Buffer) => Row | undefined = decodeWhole(shape),
): Row | undefined {
  try {
    return decode(line);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ResultError('Malformed', `${path}:${number}: not a row of a ${shape.kind} result: ${reason}`, {
      path,
      line: number,
      cause: error,
    });
  }
}
