// A run: the rows of one shape, sorted by key, in a file of JSON lines. For events it is events.jsonl itself; stacks have lines of their own (stack-lines.ts).
// Neighbours: agent/decode.ts writes runs, results/merge.ts merges them, results/view.ts opens one for encoders.

import { ResultError } from './errors.ts';
import { readLines, writeFileThrough } from './lines.ts';
import { decodeRow, encodeRow } from './row-json.ts';
import type { Row, Shape } from './shape.ts';
import { stackLineReader, stackLineWriter } from './stack-lines.ts';

export { sortRows } from './sort.ts';

/** Writes rows in the order given, which must be compareRows' (results/sort.ts makes it so). Gives their number. */
export async function writeRun(
  path: string,
  shape: Shape,
  rows: AsyncIterable<Row> | Iterable<Row>,
): Promise<number> {
  let count = 0;
  const stackLines = shape.kind === 'stacks' ? stackLineWriter(shape) : undefined;
  await writeFileThrough(path, async (writer) => {
    for await (const row of rows) {
      const own = stackLines && row.kind === 'stacks';
      const flushed = writer.write(own ? stackLines(row) : `${encodeRow(shape, row)}\n`);
      if (flushed) await flushed;
      count++;
    }
  });
  return count;
}

/** The rows of a run, one line in memory at a time. Throws ResultError Malformed with file and line where a line is not a row of the shape. */
export async function* readRun(path: string, shape: Shape): AsyncGenerator<Row> {
  let number = 0;
  const decode = shape.kind === 'stacks' ? stackLineReader(shape) : decodeWhole(shape);
  for await (const lines of readLines(path)) {
    for (const line of lines) {
      number++;
      const row = decodeLine(path, number, shape, line, decode);
      if (row) yield row;
    }
  }
}

function decodeWhole(shape: Shape): (line: Buffer) => Row {
  return (line) => decodeRow(shape, line.toString());
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
