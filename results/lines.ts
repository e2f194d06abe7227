// Files of lines, as bytes: read in bounded memory and written through a buffer. Neighbours: results/run.ts parses the lines, results/merge-lines.ts merges them unparsed.

import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ResultError } from './errors.ts';

/** A line longer than this is no row of ours (arguments are bounded at 4 KiB, stacks at some hundred frames). */
const longestLine = 16 << 20;
const newline = 10;

/** Batches of whole lines without their newlines, as views into a buffer that is not used again. A last line without a newline was cut off: Malformed. */
export async function* readLines(path: string): AsyncGenerator<Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  let count = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
    if (!chunk.includes(newline)) {
      rest = Buffer.concat([rest, chunk]);
      if (rest.length > longestLine)
        throw new ResultError(
          'Malformed',
          `${path}:${count + 1}: the line is longer than ${longestLine} bytes`,
          {
            path,
            line: count + 1,
          },
        );
      continue;
    }
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      lines.push(bytes.subarray(start, end));
      start = end + 1;
    }
    rest = bytes.subarray(start);
    count += lines.length;
    yield lines;
  }
  if (rest.length > 0)
    throw new ResultError(
      'Malformed',
      `${path}:${count + 1}: the last line has no end: the file was cut off while it was written`,
      { path, line: count + 1 },
    );
}

export interface LineWriter {
  /** Takes text or bytes as they are; a promise only when the buffer went to the file. */
  write(part: string | Uint8Array): Promise<void> | undefined;
  /** Writes the rest, syncs, closes. */
  end(): Promise<void>;
  /** Closes without the rest; for failures. */
  abort(): Promise<void>;
}

/** A file written through a buffer of 256 KiB. Errors of the disk reject as they are (ENOSPC and so on). */
export async function openWriter(path: string): Promise<LineWriter> {
  const file: FileHandle = await open(path, 'w', 0o644);
  const buffer = Buffer.allocUnsafe(1 << 18);
  let used = 0;

  async function writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
  }

  async function flush(): Promise<void> {
    const length = used;
    used = 0;
    await writeAll(buffer.subarray(0, length));
  }

  async function flushThen(part: Uint8Array): Promise<void> {
    await flush();
    if (part.length > buffer.length) return writeAll(part);
    buffer.set(part);
    used = part.length;
  }

  return {
    write(part) {
      // A UTF-16 unit takes at most three bytes: then the text fits for certain and needs no buffer of its own.
      if (typeof part === 'string' && part.length * 3 <= buffer.length - used) {
        used += buffer.write(part, used);
        return undefined;
      }
      const bytes = typeof part === 'string' ? Buffer.from(part) : part;
      if (bytes.length > buffer.length - used) return flushThen(bytes);
      buffer.set(bytes, used);
      used += bytes.length;
      return undefined;
    },
    async end() {
      try {
        await flush();
        await file.datasync();
      } finally {
        await file.close();
      }
    },
    abort: () => file.close(),
  };
}

/** Runs `fill` with a writer for the file; ends it, or on failure closes it and passes the error on. */
export async function writeFileThrough(
  path: string,
  fill: (writer: LineWriter) => Promise<void>,
): Promise<void> {
  const writer = await openWriter(path);
  try {
    await fill(writer);
  } catch (error) {
    await writer.abort();
    throw error;
  }
  await writer.end();
}
