// Brings agents' runs to the scratch disk: from where an earlier attempt ended, checked by size and digest. Neighbours: operator/execute.ts (asks for
// it), operator/publish.ts (merges what is there), agent/api.ts (fetch).

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type AgentApi, AgentCallError, type RunHead } from '../agent/api.ts';
import { type Clock, within } from './clock.ts';
import { RunError } from './hands.ts';
import type { FetchedRun } from './observed.ts';

const mostAtOnce = 8;
/** An agent that sends nothing for so long is asked again. */
const silenceMs = 10_000;

export type Collect = (
  agent: AgentApi,
  uid: string,
  node: string,
  signal: AbortSignal,
  progress: () => void,
) => Promise<FetchedRun>;

export function collector(scratch: string, clock: Clock): Collect {
  const turns = turnsOf(mostAtOnce);
  return (agent, uid, node, signal, progress) =>
    turns(async () => {
      signal.throwIfAborted();
      const folder = folderOf(scratch, uid);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const path = join(folder, `${createHash('sha1').update(node).digest('hex')}.rows`);
      try {
        return await fetchTo(path, agent, { uid, signal, progress, clock });
      } catch (error) {
        throw diskError(error) ?? error;
      }
    });
}

/** Uids come from the API server and are safe names; checked all the same. */
export function folderOf(scratch: string, uid: string): string {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(uid)) throw new TypeError(`${JSON.stringify(uid)} is no uid`);
  return join(scratch, uid);
}

interface Fetching {
  uid: string;
  signal: AbortSignal;
  progress: () => void;
  clock: Clock;
}

async function fetchTo(path: string, agent: AgentApi, fetching: Fetching): Promise<FetchedRun> {
  const part = `${path}.part`;
  const from = await stat(part).then(
    ({ size }) => size,
    () => 0,
  );
  const { head, digest } = await append(part, from, agent, fetching);
  const { size } = await stat(part);
  // Only what came in one go was digested on the way.
  if (BigInt(size) !== head.bytes || (digest ?? (await digestOf(part))) !== head.sha256) {
    await rm(part, { force: true });
    const message = `a run of ${head.bytes} bytes did not arrive as its agent sent it`;
    throw new RunError({ reason: 'RunDamaged', message }, true);
  }
  await rename(part, path);
  return { meta: head.meta, path, ...(head.files === undefined ? {} : { files: head.files }) };
}

async function append(
  part: string,
  from: number,
  agent: AgentApi,
  { uid, signal, progress, clock }: Fetching,
): Promise<{ head: RunHead; digest: string | undefined }> {
  const hash = createHash('sha256');
  const stream = new AbortController();
  const file = await open(part, 'a', 0o600);
  try {
    const ended = AbortSignal.any([signal, stream.signal]);
    const silent = () => new AgentCallError('Unreachable', `no bytes for ${silenceMs / 1000} s`);
    const { head, rows } = await within(clock, silenceMs, agent.fetch(uid, BigInt(from), ended), silent);
    let bytes = BigInt(from);
    const chunks = rows[Symbol.asyncIterator]();
    for (;;) {
      const next = await within(clock, silenceMs, chunks.next(), silent);
      if (next.done) break;
      progress();
      bytes += BigInt(next.value.length);
      // More than was said is wrong, however much of it comes.
      if (bytes > head.bytes) break;
      hash.update(next.value);
      await file.appendFile(next.value);
    }
    return { head, digest: from === 0 ? hash.digest('hex') : undefined };
  } finally {
    stream.abort();
    await file.close();
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function diskError(error: unknown): RunError | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return undefined;
  return new RunError({ reason: 'ScratchFull', message: "the operator's scratch volume is full" }, false, {
    cause: error,
  });
}

/** At most so many at once; the others wait their turn. */
export function turnsOf(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
