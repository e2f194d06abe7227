// A session's events on disk while it runs: JSON lines in time order, in one file as long as they come in order, else in several
// that are merged at the end. Neighbours: agent/drain.ts fills it, results/merge.ts folds the files.

import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { mergeLineFiles } from '../results/merge.ts';

/** More files than this are merged into one while the job runs, so that no merge needs too many descriptors. */
const mostFiles = 64;

const newline = 10;

/** What a merge and its last block may take beyond the bytes that it merges. */
const mergeMargin = 64 << 10;

/** The disk took only some of the lines (`kept`, whole ones); `code` as the file system said. */
export class SpoolWriteError extends Error {
  override name = 'SpoolWriteError';
  readonly kept: number;
  readonly code: string | undefined;

  constructor(cause: unknown, kept: number) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.kept = kept;
    this.code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  }
}

function count(bytes: Uint8Array, byte: number): number {
  let found = 0;
  for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) found++;
  return found;
}

export interface Spool {
  /** Appends lines whose times begin at `first` and end at `last` (ns). Throws SpoolWriteError. */
  append(lines: Uint8Array, first: bigint, last: bigint): Promise<void>;
  readonly bytes: number;
  /** Merges what there is into one file and gives its path; the spool is closed after it. */
  finish(): Promise<string>;
  /** Lets go of its file; what was written stays in the folder, which is its owner's. */
  close(): Promise<void>;
}

export function openSpool(folder: string): Spool {
  const files: { path: string; last: bigint; bytes: number }[] = [];
  let current: FileHandle | undefined;
  let made = 0;
  let bytes = 0;

  const next = async (): Promise<FileHandle> => {
    await current?.close();
    current = undefined;
    if (files.length >= mostFiles) await mergeAll();
    const path = join(folder, `events-${made++}.jsonl`);
    current = await open(path, 'wx', 0o600);
    files.push({ path, last: 0n, bytes: 0 });
    return current;
  };

  const mergeAll = async (): Promise<void> => {
    const path = join(folder, `merged-${made++}.jsonl`);
    await mergeLineFiles(
      files.map((file) => file.path),
      `${path}.draft`,
    );
    // From here on it stands for all files with lower numbers, whether they are removed or not (agent/interrupted.ts).
    await rename(`${path}.draft`, path);
    let last = 0n;
    for (const file of files) if (file.last > last) last = file.last;
    for (const file of files.splice(0, files.length, { path, last, bytes: 0 })) await rm(file.path);
  };

  /** Files that must be merged need as much room again: a disk without it is full now, while all that was taken can still be given out. */
  const roomToMerge = async (more: number): Promise<void> => {
    const { bavail, bsize } = await statfs(folder, { bigint: true });
    if (bavail * bsize >= BigInt(bytes + 2 * more + mergeMargin)) return;
    const cause = Object.assign(new Error(`ENOSPC: no room left to merge what is in ${folder}`), {
      code: 'ENOSPC',
    });
    throw new SpoolWriteError(cause, 0);
  };

  return {
    get bytes() {
      return bytes;
    },
    async append(lines, first, last) {
      const tail = files.at(-1);
      const inOrder = current !== undefined && tail !== undefined && tail.last <= first;
      if (files.length > 1 || (files.length === 1 && !inOrder)) await roomToMerge(lines.length);
      const file = inOrder && current !== undefined ? current : await next();
      const end = files.at(-1);
      if (end === undefined) return;
      let written = 0;
      try {
        // A short write is how a disk that is nearly full answers; the next write then says ENOSPC.
        while (written < lines.length)
          written += (await file.write(lines, written, lines.length - written)).bytesWritten;
      } catch (cause) {
        // Half a line would make all lines before it unreadable.
        const whole = lines.lastIndexOf(newline, written - 1) + 1;
        await file.truncate(end.bytes + whole);
        end.bytes += whole;
        end.last = last;
        bytes += whole;
        throw new SpoolWriteError(cause, count(lines.subarray(0, whole), newline));
      }
      end.bytes += lines.length;
      end.last = last;
      bytes += lines.length;
    },
    async finish() {
      if (files.length === 0) await next();
      await current?.close();
      current = undefined;
      if (files.length > 1) await mergeAll();
      const path = join(folder, 'events.jsonl');
      for (const file of files.splice(0)) await rename(file.path, path);
      return path;
    },
    async close() {
      await current?.close();
      current = undefined;
    },
  };
}
