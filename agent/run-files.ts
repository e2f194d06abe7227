// A finished session's rows become a run: measured, safely on the disk, and where they are very many events, cut in two: the first of them are the run's rows,
// which operators merge, and all of them a file of the run, which goes to the store as it is. Neighbours: agent/job.ts, agent/interrupted.ts, agent/jobs.ts.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ResultMeta } from '../results/shape.ts';
import type { RunFile, RunHead } from './api.ts';

/** A run on the disk. `rows` and `paths`: names in the job's folder of the run. */
export interface StoredRun {
  head: RunHead;
  rows: string;
  /** Where the files of the run lie, by their names. */
  paths: Record<string, string>;
}

const newline = 10;
const firstName = 'first.jsonl';
const eventsFile = { name: 'events.jsonl', mediaType: 'application/x-ndjson' };

/** The run whose rows are in this file, which is on the disk for good after it. */
export async function storedRun(
  rows: string,
  meta: ResultMeta,
  node: string,
  partsAbove = Number.POSITIVE_INFINITY,
): Promise<StoredRun> {
  const whole = await measure(rows);
  if (meta.shape.kind !== 'events' || whole.bytes <= BigInt(Math.floor(Math.min(partsAbove, 2 ** 52))))
    return { head: { meta, ...whole }, rows: basename(rows), paths: {} };
  const first = join(rows, '..', firstName);
  const lines = await copyLines(rows, first, partsAbove);
  const file: RunFile = { ...eventsFile, ...whole };
  const warning = {
    node,
    reason: 'InParts',
    message: `the merged files hold the first ${lines} of ${meta.events.recorded} events of this node: all of them are in ${partName(file.name, node)}`,
  };
  const told: ResultMeta = { ...meta, warnings: [...meta.warnings, warning] };
  return {
    head: { meta: told, ...(await measure(first)), files: [file] },
    rows: firstName,
    paths: { [file.name]: basename(rows) },
  };
}

/** A node's file of a result: events.jsonl of node-1 is events.node-1.jsonl. */
export function partName(file: string, node: string): string {
  const dot = file.lastIndexOf('.');
  return dot <= 0 ? `${file}.${node}` : `${file.slice(0, dot)}.${node}${file.slice(dot)}`;
}

async function measure(path: string): Promise<{ bytes: bigint; sha256: string }> {
  const file = await open(path, 'r');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
  const hash = createHash('sha256');
  let bytes = 0n;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += BigInt(chunk.length);
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Copies the whole lines that fit into so many bytes; gives how many. */
async function copyLines(from: string, to: string, most: number): Promise<number> {
  const file = await open(to, 'w', 0o600);
  let lines = 0;
  try {
    let held = Buffer.alloc(0);
    const end = Math.max(0, Math.floor(most) - 1);
    for await (const chunk of createReadStream(from, {
      end,
      highWaterMark: 1 << 20,
    }) as AsyncIterable<Buffer>) {
      const all = Buffer.concat([held, chunk]);
      const cut = all.lastIndexOf(newline) + 1;
      for (let at = all.indexOf(newline); at >= 0 && at < cut; at = all.indexOf(newline, at + 1)) lines++;
      await file.appendFile(all.subarray(0, cut));
      held = all.subarray(cut);
    }
  } finally {
    await file.close();
  }
  return lines;
}
