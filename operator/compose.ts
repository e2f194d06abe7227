// The files of a result from the runs of its nodes. A worker thread: joining, encoding and drawing keep a CPU busy for as long as the result is large,
// and the operator must renew its Lease and hear its agents meanwhile. Neighbours: operator/composer.ts (starts it), operator/join.ts, results/publish.ts.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { headline, summaryRows } from '../results/headline.ts';
import { mergeMetas } from '../results/meta.ts';
import { type Artifact, writeResult } from '../results/publish.ts';
import { jsonText } from '../results/row-json.ts';
import { shown } from './conditions.ts';
import { joinRuns } from './join.ts';
import type { FetchedRun, PublishedResult } from './observed.ts';

export interface ComposeTask {
  /** The job's own on the scratch disk; the files lie below it. */
  folder: string;
  runs: FetchedRun[];
}

/** A result on the scratch disk, not in a store yet. */
export interface Composed extends Omit<PublishedResult, 'artifacts'> {
  folder: string;
  artifacts: Artifact[];
}

/** Errors lose their class and their members between threads: what matters of them is said in words. */
export type ComposeAnswer = { composed: Composed } | { failed: { message: string; code?: string } };

/** Leaves room for the rest of a status of 16 KiB. */
const summaryBytes = 5_000;

async function composeFiles({ folder, runs }: ComposeTask): Promise<Composed> {
  const meta = mergeMetas(runs.map((run) => run.meta));
  if (meta === undefined) throw new TypeError('a result of no runs');
  const output = join(folder, 'result');
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true, mode: 0o700 });
  const paths = runs.map((run) => run.path);
  const rows = await joinRuns(meta.shape, paths, folder);
  const { artifacts, digest } = await writeResult({ meta, rows }, output);
  const top = summaryRows(meta, digest, summaryBytes);
  return {
    folder: output,
    artifacts,
    meta,
    headline: shown(headline(meta, digest), 256),
    summary: top.length === 0 ? '' : (jsonText(top) ?? ''),
  };
}

async function answer(task: ComposeTask): Promise<ComposeAnswer> {
  try {
    return { composed: await composeFiles(task) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    return { failed: { message, ...(code === undefined ? {} : { code }) } };
  }
}

if (!isMainThread && parentPort !== null) parentPort.postMessage(await answer(workerData));
