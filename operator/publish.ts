// Runs → one result → the store: merged, written to files, uploaded. When it is done the result is durable, and only then may agents forget their runs.
// Any step may be done again, by this operator or another. Neighbours: operator/collect.ts (the runs), operator/composer.ts (files), operator/stores/.

import { rm } from 'node:fs/promises';
import type { JobObject } from './cluster.ts';
import { folderOf, turnsOf } from './collect.ts';
import type { Composed } from './compose.ts';
import { compose } from './composer.ts';
import { PublishError } from './hands.ts';
import type { FetchedRun, PublishedResult } from './observed.ts';
import { putResult } from './put-result.ts';
import { type Store, StoreError } from './stores/store.ts';

export type OpenStore = (
  namespace: string | null,
  name: string,
  signal: AbortSignal,
) => Promise<{ store: Store; prefix: string }>;

export interface Publisher {
  publish(job: JobObject, store: string, runs: FetchedRun[], signal: AbortSignal): Promise<PublishedResult>;
  discard(uid: string): Promise<void>;
}

/** Merging is the disk's and one CPU's: more at once would only take more memory. */
const mostAtOnce = 2;
export function publisher(scratch: string, openStore: OpenStore): Publisher {
  const turns = turnsOf(mostAtOnce);
  /** Results that are written and wait for a store that does not answer. */
  const written = new Map<string, Composed>();
  return {
    publish: (job, store, runs, signal) =>
      turns(async () => {
        const { uid } = job.metadata;
        try {
          const result = written.get(uid) ?? (await compose(folderOf(scratch, uid), runs, signal));
          written.set(uid, result);
          const artifacts = await upload(job, store, result, openStore, signal);
          const { meta, headline: line, summary } = result;
          return { artifacts, meta, headline: line, summary };
        } catch (error) {
          throw asPublishError(error);
        }
      }),
    async discard(uid) {
      written.delete(uid);
      await rm(folderOf(scratch, uid), { recursive: true, force: true });
    },
  };
}

async function upload(
  job: JobObject,
  name: string,
  result: Composed,
  openStore: OpenStore,
  signal: AbortSignal,
): Promise<PublishedResult['artifacts']> {
  const opened = await openStore(job.metadata.namespace ?? null, name, signal);
  try {
    return await putResult(job, result, opened, signal);
  } finally {
    opened.store.close();
  }
}

/** Errors of stores and of the scratch disk, as what becomes of the job. */
export function asPublishError(error: unknown): PublishError {
  if (error instanceof StoreError) {
    const again = error.reason === 'StoreUnreachable' || error.reason === 'StoreFull';
    return new PublishError({ reason: error.reason, message: error.message }, again, { cause: error });
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const full = code === 'ENOSPC' || code === 'EDQUOT' || code === 'DiskFull';
  if (full)
    return new PublishError(
      { reason: 'ScratchFull', message: "the operator's scratch volume is full" },
      false,
      { cause: error },
    );
  const message = error instanceof Error ? error.message : String(error);
  return new PublishError({ reason: 'ResultUnwritable', message }, false, { cause: error });
}
