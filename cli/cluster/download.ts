// A result's files on disk: each is written beside its place, checked by size and digest, and only then gets its name. What is there already is not
// fetched again; what was begun goes on where it broke off, in this process or the next. Neighbour: cli/cluster/artifact.ts (opens them).

import { createHash, type Hash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { escapeTerminal } from '../../results/escape.ts';
import { CliError } from '../errors.ts';
import { isFileName, type Opener } from './artifact.ts';
import type { Artifact } from './job.ts';
import { ApiRefused } from './refused.ts';

export interface Fetched extends Artifact {
  path: string;
}

export interface DownloadOptions {
  signal: AbortSignal;
  /** A file has arrived, or lies there from before. */
  done?: (file: Fetched, fetched: boolean) => void;
}

/** So often in a row without one byte more: an API server that restarts is waited for, a quarter of a minute in all. */
const mostFailures = 6;

/** Fetches them all into the folder, which is made where it is missing. Throws CliError. */
export async function download(
  opener: Opener,
  artifacts: readonly Artifact[],
  folder: string,
  { signal, done }: DownloadOptions,
): Promise<Fetched[]> {
  const whole = resolve(folder);
  await onDisk(whole, mkdir(whole, { recursive: true }));
  const fetched: Fetched[] = [];
  for (const artifact of artifacts) {
    if (!isFileName(artifact.name) || !/^[0-9a-f]{64}$/.test(artifact.sha256)) {
      throw new CliError(
        'ArtifactRefused',
        `the job's status names a file ${artifact.name}, which can't be one`,
      );
    }
    const file = { ...artifact, path: join(whole, artifact.name) };
    const isNew = await fetchOne(opener, file, join(whole, partName(artifact)), signal);
    fetched.push(file);
    done?.(file, isNew);
  }
  return fetched;
}

/** The digest in it keeps the beginning of another file from being gone on with. */
function partName({ name, sha256 }: Artifact): string {
  return `.${name.slice(0, 200)}.${sha256.slice(0, 12)}.part`;
}

/** False where it was there. */
async function fetchOne(opener: Opener, file: Fetched, part: string, signal: AbortSignal): Promise<boolean> {
  if (existsSync(file.path)) {
    if ((await digestOf(file.path)) === file.sha256) return false;
    throw new CliError(
      'OutputExists',
      `${escapeTerminal(file.path)} is there and is another file; results are never mixed`,
    );
  }
  let failures = 0;
  let damaged = 0;
  for (;;) {
    const before = await sizeOf(part);
    try {
      await receive(opener, file, part, signal);
      await onDisk(file.path, rename(part, file.path));
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Damaged) {
        await rm(part, { force: true });
        damaged++;
        if (damaged > 1)
          throw new CliError('ArtifactDamaged', `${file.name}: ${error.message}`, { cause: error });
        continue;
      }
      if (!passes(error)) throw error;
      failures = (await sizeOf(part)) > before ? 0 : failures + 1;
      if (failures >= mostFailures) {
        const why = error instanceof Error ? error.message : String(error);
        throw new CliError('ArtifactUnreachable', `can't fetch ${file.name}: ${escapeTerminal(why, 600)}`, {
          cause: error,
        });
      }
      await pause(250 * 2 ** failures, undefined, { signal });
    }
  }
}

/** A connection that broke, a server that is not well, a grant that has expired. */
function passes(error: unknown): boolean {
  if (error instanceof ApiRefused) return error.code === 'ArtifactUnreachable' || error.code === 'ApiFailed';
  if (error instanceof CliError) return error.code === 'ClusterUnreachable';
  return true;
}

class Damaged extends Error {
  override name = 'Damaged';
}

/** Appends what is missing, and checks the whole. */
async function receive(opener: Opener, file: Fetched, part: string, signal: AbortSignal): Promise<void> {
  const handle = await onDisk(part, open(part, 'a+'));
  try {
    const { hash, bytes } = await resumed(handle, part, file.bytes);
    if (bytes < file.bytes || bytes === 0) {
      const response = await opener.open(file, bytes, signal);
      await append(handle, response, hash, bytes, file, signal);
    } else check(hash, bytes, file);
    await onDisk(part, handle.sync());
  } finally {
    await handle.close();
  }
}

async function resumed(
  handle: FileHandle,
  part: string,
  most: number,
): Promise<{ hash: Hash; bytes: number }> {
  const hash = createHash('sha256');
  const { size } = await handle.stat();
  if (size > most) {
    await handle.truncate(0);
    return { hash, bytes: 0 };
  }
  if (size > 0) for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer);
  return { hash, bytes: size };
}

async function append(
  handle: FileHandle,
  response: IncomingMessage,
  begun: Hash,
  from: number,
  file: Fetched,
  signal: AbortSignal,
): Promise<void> {
  let [hash, bytes] = [begun, from];
  if (from > 0 && !resumesAt(response, from)) {
    // The server has no ranges: the file comes whole, from its beginning.
    await handle.truncate(0);
    hash = createHash('sha256');
    bytes = 0;
  }
  const stop = () => response.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > file.bytes) throw new Damaged(`more than its ${file.bytes} bytes arrived`);
      hash.update(chunk);
      await onDisk(file.path, handle.write(chunk));
    }
  } finally {
    signal.removeEventListener('abort', stop);
    response.destroy();
  }
  check(hash, bytes, file);
}

function resumesAt({ statusCode, headers }: IncomingMessage, from: number): boolean {
  return statusCode === 206 && headers['content-range']?.startsWith(`bytes ${from}-`) === true;
}

function check(hash: Hash, bytes: number, file: Fetched): void {
  if (bytes < file.bytes) throw new Error(`the connection ended after ${bytes} of ${file.bytes} bytes`);
  const digest = hash.digest('hex');
  if (digest !== file.sha256) throw new Damaged(`its digest is ${digest}, not ${file.sha256}`);
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** A full disk or a folder without permission is no matter of the network. */
async function onDisk<T>(path: string, doing: Promise<T>): Promise<T> {
  try {
    return await doing;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    throw new CliError(
      full ? 'DiskFull' : 'OutputUnwritable',
      `can't write ${escapeTerminal(path)}: ${message}`,
      {
        cause: error,
        ...(full ? { advice: 'Free space, and fetch again: it goes on where it was.' } : {}),
      },
    );
  }
}
