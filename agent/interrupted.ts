// A job whose agent was killed: what its spool holds becomes a run that says that it is a part, or it has none. What maps in the kernel had aggregated went
// with the agent. Neighbours: agent/spool.ts (names of files), agent/job-folder.ts, agent/jobs.ts.

import { open, readdir, rename, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { mergeLineFiles } from '../results/merge.ts';
import type { ResultMeta } from '../results/shape.ts';
import type { Report } from './api.ts';
import { renameOwners } from './finish-events.ts';
import type { End, JobFolder } from './job-folder.ts';
import { namesOf } from './pods.ts';
import { emptyReport } from './report.ts';
import { storedRun } from './run-files.ts';

const newline = 10;

/** Gives how the job is to be said to have ended. `now`: ms since the Unix epoch. */
export async function endInterrupted(folder: JobFolder, node: string, now: number): Promise<End> {
  const message =
    'the agent was restarted while the job ran on this node: run the job again for a whole result';
  const none: Report = { ...emptyReport, phase: 'Failed', reason: 'Interrupted', message };
  try {
    const files = await savedFiles(folder.run);
    if (files.length === 0) return { report: none, at: now };
    const draft = await folder.readDraft();
    const order = await folder.readOrder();
    const rows = join(folder.run, 'events.jsonl');
    const { mtimeMs } = await oneFile(files, rows);
    const { rows: recorded, owners } = await renameOwners(rows, namesOf(node, order.pods));
    if (recorded === 0n) return { report: none, at: now };
    const meta: ResultMeta = {
      ...draft,
      // When the last of them was written.
      completionTime: BigInt(Math.round(mtimeMs)) * 1_000_000n,
      ended: 'Failed',
      owners,
      events: { ...draft.events, seen: recorded, recorded },
      warnings: [
        ...draft.warnings,
        {
          node,
          reason: 'Interrupted',
          message: `${message}; what is there was saved until then, what was lost before is not known`,
        },
      ],
    };
    const report: Report = {
      ...none,
      phase: 'Finished',
      attachedAt: draft.startTime,
      podsTraced: new Set(owners.map(({ namespace, pod }) => `${namespace}/${pod}`)).size,
      events: { seen: recorded, recorded, lost: 0n, sampledBy: 1 },
    };
    return { report, run: await storedRun(rows, meta, node, order.partsAbove), at: now };
  } catch {
    // Whatever can't be read: there is no run then.
    return { report: none, at: now };
  }
}

/** A session's files of events that together hold every row once. */
async function savedFiles(run: string): Promise<string[]> {
  const names = await readdir(run);
  if (names.includes('events.jsonl')) return [join(run, 'events.jsonl')];
  const numbered = names.flatMap((name) => {
    const [, kind, number] = /^(events|merged)-(\d+)\.jsonl$/.exec(name) ?? [];
    return kind === undefined ? [] : [{ name, kind, number: Number(number) }];
  });
  // A merge stands for all that was before it.
  const from = Math.max(0, ...numbered.filter(({ kind }) => kind === 'merged').map(({ number }) => number));
  return numbered.filter(({ number }) => number >= from).map(({ name }) => join(run, name));
}

async function oneFile(files: string[], path: string): Promise<{ mtimeMs: number }> {
  let mtimeMs = 0;
  for (const file of files) {
    const found = await stat(file);
    mtimeMs = Math.max(mtimeMs, found.mtimeMs);
    await truncate(file, await wholeLines(file, found.size));
  }
  const [only] = files;
  if (files.length === 1 && only !== undefined) {
    if (only !== path) await rename(only, path);
  } else await mergeLineFiles(files, path);
  return { mtimeMs };
}

/** How many bytes the whole lines at the beginning of a file take. */
async function wholeLines(path: string, size: number): Promise<number> {
  const file = await open(path, 'r');
  try {
    const block = Buffer.alloc(1 << 16);
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - block.length);
      const { bytesRead } = await file.read(block, 0, end - start, start);
      const last = block.subarray(0, bytesRead).lastIndexOf(newline);
      if (last >= 0) return start + last + 1;
      end = start;
    }
    return 0;
  } finally {
    await file.close();
  }
}
