// The file of a run of stacks: its lines (stack-lines.ts) in blocks that zstd has compressed, each with its length before it, and at the end how many rows
// there are and between which keys. `zstd -dc` gives the lines; runs put one behind the other are a run. Neighbours: results/run.ts, operator/join.ts.

import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompressSync } from 'node:zlib';
import { readBlocks } from './blocks.ts';
import { keyColumns } from './columns.ts';
import { ResultError } from './errors.ts';
import type { LineWriter } from './lines.ts';
import { jsonText, parseJson, readable, writable } from './row-json.ts';
import type { StacksShape, Value } from './shape.ts';

/** What a file says of itself; of a file of several runs, the last that it says is of all of them. */
export interface RunSummary {
  rows: number;
  /** Different ones. */
  keys: number;
  /** Absent where there are no rows. */
  range?: { first: Value[]; last: Value[] };
}

/** Frames that every reader of zstd skips. */
const [lengthsMark, summaryMark] = [0x184d2a50, 0x184d2a51];
const headBytes = 8;
const lengthsBytes = headBytes + 8;
/** Text that becomes one block. */
const blockBytes = 1 << 20;
/** More is refused: a row has some hundred frames, of some KiB at most. */
const mostBlockBytes = 64 << 20;
const mostSummaryBytes = 1 << 20;

const compress = promisify(zstdCompress);

function skippable(mark: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(mark, 0);
  head.writeUInt32LE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

/** Takes the lines of whole rows; `end` writes what is left. */
export function stackBlockWriter(writer: LineWriter): {
  add(lines: string): Promise<void> | undefined;
  end(): Promise<void>;
} {
  let waiting: string[] = [];
  let length = 0;
  async function flush(): Promise<void> {
    const text = Buffer.from(waiting.join(''));
    [waiting, length] = [[], 0];
    const block = await compress(text);
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(block.length, 0);
    lengths.writeUInt32LE(text.length, 4);
    await writer.write(skippable(lengthsMark, lengths));
    await writer.write(block);
  }
  return {
    add(lines) {
      waiting.push(lines);
      length += lines.length;
      return length < blockBytes ? undefined : flush();
    },
    end: async () => (length > 0 ? flush() : undefined),
  };
}

/** Ends a file. Its own length stands last, so that it is found from the end. */
export function summaryFrame(shape: StacksShape, { rows, keys, range }: RunSummary): Buffer {
  const columns = keyColumns(shape);
  const written = (key: Value[]) => key.map((value, i) => writable(value, columns[i]));
  const text = Buffer.from(
    jsonText({ rows, keys, ...(range && { first: written(range.first), last: written(range.last) }) }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return skippable(summaryMark, Buffer.concat([text, length]));
}

export async function readSummary(path: string, shape: StacksShape): Promise<RunSummary> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const tail = async (length: number): Promise<Buffer> => {
      if (length > size) throw malformed(path, 'it is too short');
      return (await file.read(Buffer.alloc(length), 0, length, size - length)).buffer;
    };
    const length = (await tail(4)).readUInt32LE();
    if (length > mostSummaryBytes) throw malformed(path, 'it does not end as runs do');
    const frame = await tail(headBytes + length + 4);
    if (frame.readUInt32LE() !== summaryMark) throw malformed(path, 'it does not end as runs do');
    return parseSummary(shape, frame.toString('utf8', headBytes, headBytes + length));
  } catch (error) {
    throw error instanceof ResultError || (error instanceof Error && 'code' in error)
      ? error
      : malformed(path, String(error), error);
  } finally {
    await file.close();
  }
}

function parseSummary(shape: StacksShape, text: string): RunSummary {
  const columns = keyColumns(shape);
  const { rows, keys, first, last } = parseJson(text) as Record<string, unknown>;
  if (typeof rows !== 'number' || typeof keys !== 'number') throw new Error('rows and keys must be numbers');
  if (first === undefined) return { rows, keys };
  const key = (list: unknown): Value[] => {
    if (!Array.isArray(list)) throw new Error('a key must be a list');
    return columns.map((column, i) => readable(list[i], column));
  };
  return { rows, keys, range: { first: key(first), last: key(last) } };
}

/** The text of one block after another: whole lines. */
export async function* readStackBlocks(path: string): AsyncGenerator<Buffer> {
  let unread = 0;
  for await (const { bytes, keep } of readBlocks(path, 1 << 20)) {
    let at = 0;
    for (let next = frameAt(path, bytes, at); next !== undefined; next = frameAt(path, bytes, at)) {
      if (next.text > 0) yield inflate(path, bytes.subarray(at + lengthsBytes, next.end), next.text);
      at = next.end;
    }
    unread = bytes.length - at;
    keep(unread);
  }
  if (unread > 0) throw malformed(path, 'it was cut off while it was written');
}

/** The lengths with their block, or a summary; undefined where it is not all there yet. */
function frameAt(path: string, bytes: Buffer, at: number): { end: number; text: number } | undefined {
  if (bytes.length - at < lengthsBytes) return undefined;
  const mark = bytes.readUInt32LE(at);
  const size = bytes.readUInt32LE(at + 4);
  let [end, text] = [at + headBytes + size, 0];
  if (mark === lengthsMark && size === 8) {
    end = at + lengthsBytes + bytes.readUInt32LE(at + headBytes);
    text = bytes.readUInt32LE(at + headBytes + 4);
  } else if (mark !== summaryMark) throw malformed(path, 'it is no run of stacks');
  if (Math.max(text, end - at) > mostBlockBytes) throw malformed(path, 'it has a block that is too large');
  return end <= bytes.length ? { end, text } : undefined;
}

function inflate(path: string, block: Buffer, length: number): Buffer {
  try {
    const text = zstdDecompressSync(block, { maxOutputLength: length, chunkSize: Math.max(length, 64) });
    if (text.length === length) return text;
  } catch (error) {
    throw malformed(path, 'a block is damaged', error);
  }
  throw malformed(path, 'a block is shorter than it says');
}

function malformed(path: string, reason: string, cause?: unknown): ResultError {
  return new ResultError('Malformed', `${path}: not a run of stacks: ${reason}`, { path, cause });
}
