// Results on the operator's volume that are older than the chart's value are removed, so that it does not fill up. Buckets have rules of their own for this, which
// docs/install.md shows. Neighbours: operator/stores/filesystem.ts (what lies where), operator/main.ts.

import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from './hands.ts';

const sweepMs = 3_600_000;

/** Removes what was last written more than `keptMs` before `now` (ms since the Unix epoch), a job's result at a time; gives how many. */
export async function sweepResults(root: string, keptMs: number, now: number): Promise<number> {
  let removed = 0;
  for (const namespace of await foldersIn(root))
    for (const job of await foldersIn(namespace)) {
      let emptied = false;
      for (const result of await foldersIn(job)) {
        if (now - (await lastWrite(result)) <= keptMs) continue;
        await rm(result, { recursive: true, force: true });
        emptied = true;
        removed++;
      }
      // Only what is empty goes: another result may have come meanwhile.
      if (emptied) await rmdir(job).catch(() => undefined);
      if (emptied) await rmdir(namespace).catch(() => undefined);
    }
  return removed;
}

/** Sweeps now and every hour. What can't be removed is told to the log. */
export function keepResults(root: string, keptMs: number, log: Log): { close(): void } {
  const sweep = () =>
    sweepResults(root, keptMs, Date.now()).then(
      (removed) => {
        if (removed > 0) log.info({ removed }, 'results older than filesystem.retention were removed');
      },
      (error: unknown) => log.warn({ error: String(error) }, 'old results could not be removed'),
    );
  void sweep();
  const timer = setInterval(sweep, sweepMs);
  return { close: () => clearInterval(timer) };
}

async function foldersIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  // Links lead elsewhere, and none of ours are.
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name));
}

async function lastWrite(folder: string): Promise<number> {
  let last = (await stat(folder)).mtimeMs;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const written = entry.isDirectory() ? await lastWrite(path) : (await stat(path)).mtimeMs;
    last = Math.max(last, written);
  }
  return last;
}
