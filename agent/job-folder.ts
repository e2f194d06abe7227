// A job's folder in the spool: what is needed to go on with it after the agent was restarted. Written whole or not at all.
//   <uid>/order.json   what it was told, pods as they were last named     <uid>/run/      the session's own spool
//   <uid>/draft.json   the head of what an interrupted run has            <uid>/end.json  how it ended; with it, the run is complete
// Neighbours: agent/jobs.ts, agent/interrupted.ts.

import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResultMeta } from '../results/shape.ts';
import type { Report, RunOrder } from './api.ts';
import type { StoredRun } from './run-files.ts';
import { decodeTagged, encodeTagged } from './tagged-json.ts';

/** How a job ended. What `run` names lies in run/. */
export interface End {
  report: Report;
  run?: StoredRun;
  /** ms since the Unix epoch. */
  at: number;
}

export interface JobFolder {
  path: string;
  /** The session's. */
  run: string;
  writeOrder(order: RunOrder): Promise<void>;
  readOrder(): Promise<RunOrder>;
  writeDraft(meta: ResultMeta): Promise<void>;
  readDraft(): Promise<ResultMeta>;
  writeEnd(end: End): Promise<void>;
  readEnd(): Promise<End>;
  /** Of the run, everything; how it ended stays known. */
  removeRun(): Promise<void>;
  remove(): Promise<void>;
}

export function jobFolder(spool: string, uid: string): JobFolder {
  const path = join(spool, uid);
  const run = join(path, 'run');
  // Our own files, each written by the function beside the one that reads it.
  const read = async (name: string): Promise<unknown> => decodeTagged(await readFile(join(path, name)));
  return {
    path,
    run,
    async writeOrder(order) {
      await mkdir(run, { recursive: true, mode: 0o700 });
      await writeWhole(join(path, 'order.json'), encodeTagged(order));
    },
    readOrder: async () => (await read('order.json')) as RunOrder,
    writeDraft: (meta) => writeWhole(join(path, 'draft.json'), encodeTagged(meta)),
    readDraft: async () => (await read('draft.json')) as ResultMeta,
    writeEnd: (end) => writeWhole(join(path, 'end.json'), encodeTagged(end)),
    readEnd: async () => (await read('end.json')) as End,
    removeRun: () => rm(run, { recursive: true, force: true }),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.draft`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
