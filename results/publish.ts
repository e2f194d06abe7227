// A run becomes a folder of files. Neighbours: results/encode/files.ts (which files), cli/run.ts and operator/publish.ts (who call it).

import { createHash } from 'node:crypto';
import { chmod, link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readBlocks } from './blocks.ts';
import { type CondenseLimits, condense } from './condense.ts';
import { type Digest, digest } from './digest.ts';
import { filesOf, type Published, type ResultFile, resultFiles } from './encode/files.ts';
import { ResultError } from './errors.ts';
import { writeFileThrough } from './lines.ts';
import type { ResultMeta } from './shape.ts';
import { type ResultView, viewOfRun } from './view.ts';

export interface Artifact {
  name: string;
  mediaType: string;
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
}

export interface PublishOptions {
  /** A folder that holds an earlier result of Sonde's is written over: its files are replaced, and those that the new result does not have are
   *  removed at the end; other files stay. Without it such a folder is refused like any other that is not empty: a result is never lost by accident. */
  replace?: boolean;
  /** How much the files show of very many stacks; tests ask for less than usual. */
  limits?: CondenseLimits;
}

export interface WrittenResult {
  artifacts: Artifact[];
  digest: Digest;
}

/** Makes the folder, or checks that it may be written to; call it before tracing. Throws ResultError FolderExists. */
export async function prepareFolder(folder: string, options: PublishOptions = {}): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw writeError(error, folder, `${folder} can't be made a folder for the result`);
  }
  const names = await readdir(folder);
  if (names.length === 0) return;
  const ours = names.includes('result.json');
  if (ours && options.replace) return;
  const what = ours ? 'holds an earlier result' : 'is not empty';
  throw new ResultError(
    'FolderExists',
    `${folder} ${what}: name another folder for the output, or remove this one`,
    {
      path: folder,
    },
  );
}

/** Writes all files of the result's shape. Each appears under its name only when it is whole and on disk; when one fails, those before it stay,
 *  and the error (ResultError DiskFull, WriteFailed, or what a bad run throws) says which are there and which are missing. The run's own file is not changed. */
export async function writeResult(
  run: { meta: ResultMeta; rows: string },
  folder: string,
  options: PublishOptions = {},
): Promise<WrittenResult> {
  await prepareFolder(folder, options);
  const fewer = join(folder, '.fewer.rows.partial');
  const written: Artifact[] = [];
  let files = filesOf(run.meta.shape);
  let next = '';
  try {
    const view = await viewOf(run, fewer, options.limits);
    files = filesOf(run.meta.shape, view.condensed !== undefined);
    const from: Published = { view, digest: view.condensed?.digest ?? (await digest(view)), rows: run.rows };
    for (const file of files) {
      next = file.name;
      written.push(await publishFile(file, from, folder));
    }
    await removeStale(folder, files);
    return { artifacts: written, digest: from.digest };
  } catch (error) {
    const missing = files.slice(written.length).map(({ name }) => name);
    const there = written.length === 0 ? 'nothing' : written.map(({ name }) => name).join(', ');
    throw writeError(
      error,
      join(folder, next),
      `The result could not be written whole to ${folder}. Written: ${there}. Missing: ${missing.join(', ')}`,
    );
  } finally {
    await rm(fewer, { force: true });
  }
}

/** What is shown of a run: all of it, or fewer rows that stand for it, in a file of their own. */
async function viewOf(
  { meta, rows }: { meta: ResultMeta; rows: string },
  fewer: string,
  limits: CondenseLimits | undefined,
): Promise<ResultView> {
  const condensed =
    meta.shape.kind === 'stacks' ? await condense(meta.shape, rows, fewer, limits) : undefined;
  return condensed ? { ...viewOfRun(meta, fewer), condensed } : viewOfRun(meta, rows);
}

async function publishFile(file: ResultFile, from: Published, folder: string): Promise<Artifact> {
  const path = join(folder, file.name);
  const draft = join(folder, `.${file.name}.partial`);
  try {
    await rm(draft, { force: true });
    const linked = file.link === true && (await linkFile(from.rows, draft));
    // A spool is its owner's alone; what is published has the mode of any file that is written.
    if (linked) await chmod(draft, 0o644 & ~process.umask());
    else await writeFileThrough(draft, (writer) => file.write(from, writer));
    const { bytes, sha256 } = await measure(draft);
    await rename(draft, path);
    return { name: file.name, mediaType: file.mediaType, bytes, sha256 };
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** False where the folder lies on another file system, or on one without hard links. */
async function linkFile(from: string, to: string): Promise<boolean> {
  return link(from, to).then(
    () => true,
    () => false,
  );
}

async function measure(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  for await (const { bytes } of readBlocks(path)) hash.update(bytes);
  return { bytes: (await stat(path)).size, sha256: hash.digest('hex') };
}

/** What an earlier result of another shape left. */
async function removeStale(folder: string, files: readonly ResultFile[]): Promise<void> {
  const stale = resultFiles.filter(({ name }) => !files.some((file) => file.name === name));
  for (const { name } of stale) await rm(join(folder, name), { force: true });
}

function writeError(error: unknown, path: string, message: string): Error {
  if (error instanceof ResultError)
    return new ResultError(error.code, `${message}. ${error.message}`, { path, cause: error });
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const reason = error instanceof Error ? error.message : String(error);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new ResultError(
      'DiskFull',
      `${message}. The disk is full (${reason}): make room, or write to another disk`,
      {
        path,
        cause: error,
      },
    );
  return new ResultError('WriteFailed', `${message}. ${reason}`, { path, cause: error });
}
