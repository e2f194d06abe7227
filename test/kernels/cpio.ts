// Writes the archive that a kernel unpacks as its first file system ("newc" cpio). Archives may be put end to end: the last file of a name wins.
// test/kernels/root.ts says what goes into it.

import { createReadStream } from 'node:fs';
import { type FileHandle, lstat, open, readlink } from 'node:fs/promises';

/** One entry: a file copied from the machine (with its time of change, or another in seconds), a text, a symbolic link, or a folder.
 *  Paths in the archive have no slash at the start. */
export type Entry =
  | { path: string; from: string; time?: number }
  | { path: string; text: string; mode?: number; time?: number }
  | { path: string; link: string }
  | { path: string; folder: true };

const folderMode = 0o040755;
const fileMode = 0o100000;
const linkMode = 0o120777;

/** Writes all entries, with the folders that they lie in, into a file. */
export async function writeArchive(file: string, entries: Iterable<Entry>): Promise<void> {
  const out = await open(file, 'w');
  try {
    const folders = new Set<string>();
    let inode = 1;
    for (const entry of entries) {
      for (const folder of parents(entry.path)) {
        if (folders.has(folder)) continue;
        folders.add(folder);
        await out.write(header(inode++, folder, folderMode, 0));
      }
      if ('folder' in entry) {
        if (folders.has(entry.path)) continue;
        folders.add(entry.path);
        await out.write(header(inode++, entry.path, folderMode, 0));
      } else {
        await writeEntry(out, inode++, entry);
      }
    }
    await out.write(header(0, 'TRAILER!!!', 0, 0));
  } finally {
    await out.close();
  }
}

async function writeEntry(out: FileHandle, inode: number, entry: Exclude<Entry, { folder: true }>) {
  if ('link' in entry) return writeBytes(out, inode, entry.path, linkMode, Buffer.from(entry.link));
  if ('text' in entry) {
    const { text, mode = 0o644, time } = entry;
    return writeBytes(out, inode, entry.path, fileMode | mode, Buffer.from(text), time);
  }
  const stat = await lstat(entry.from);
  if (stat.isSymbolicLink()) {
    return writeBytes(out, inode, entry.path, linkMode, Buffer.from(await readlink(entry.from)));
  }
  const time = entry.time ?? Math.floor(stat.mtimeMs / 1000);
  await out.write(header(inode, entry.path, fileMode | (stat.mode & 0o777), stat.size, time));
  let written = 0;
  for await (const chunk of createReadStream(entry.from, {
    end: Math.max(0, stat.size - 1),
    highWaterMark: 1 << 20,
  })) {
    await out.write(chunk);
    written += chunk.length;
  }
  if (written !== stat.size) throw new Error(`${entry.from} changed while it was copied into a guest`);
  await out.write(padding(stat.size));
}

async function writeBytes(
  out: FileHandle,
  inode: number,
  path: string,
  mode: number,
  bytes: Buffer,
  time = 0,
) {
  await out.write(
    Buffer.concat([header(inode, path, mode, bytes.length, time), bytes, padding(bytes.length)]),
  );
}

/** Thirteen numbers of eight hexadecimal digits, then the name; header with name, and data, each end at a multiple of four. */
function header(inode: number, path: string, mode: number, size: number, time = 0): Buffer {
  const name = Buffer.from(`${path}\0`);
  const numbers = [inode, mode, 0, 0, 1, time, size, 0, 0, 0, 0, name.length, 0];
  const head = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([Buffer.from(head), name, padding(head.length + name.length)]);
}

function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}

function parents(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}
