// The folder that a result goes to. Neighbours: cli/run.ts, results/publish.ts (fills it).

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { escapeTerminal } from '../results/escape.ts';
import { CliError } from './errors.ts';

export interface Output {
  folder: string;
  /** What is recorded while the job runs; on the same disk as the result. */
  spool: string;
  /** Lets discard leave everything as it is. */
  keepSpool(): void;
  /** Removes the spool, and the folder where nothing was written to it. */
  discard(): void;
}

/** `sonde-checkout-cpu-20261124-093015` in the current directory. */
export function defaultFolder(job: string, now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `sonde-${job}-${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}

/** Makes the folder, with parents. `given`: --output; an empty folder is taken, any other refused. Throws CliError OutputExists, OutputUnwritable. */
export function prepareOutput(given: string | undefined, job: string, now: Date): Output {
  if (given !== undefined) return makeOutput(resolve(given));
  const name = defaultFolder(job, now);
  // Two jobs within one second.
  for (let number = 1; ; number++) {
    const folder = resolve(number === 1 ? name : `${name}-${number}`);
    try {
      return makeOutput(folder);
    } catch (error) {
      if (!(error instanceof CliError && error.code === 'OutputExists') || number === 100) throw error;
    }
  }
}

function makeOutput(folder: string): Output {
  const shown = escapeTerminal(folder);
  try {
    const isNew = makeFolder(folder);
    if (!isNew && readdirSync(folder).length > 0) {
      throw new CliError('OutputExists', `${shown} exists and is not empty`);
    }
    // Beside the folder: on the same disk, so that the rows need not be copied, and not among the result's files.
    const spool = mkdtempSync(join(dirname(folder), `.${basename(folder).slice(0, 200)}.`));
    let keep = false;
    return {
      folder,
      spool,
      keepSpool() {
        keep = true;
      },
      discard() {
        if (keep) return;
        rmSync(spool, { recursive: true, force: true });
        if (isNew && readdirSync(folder).length === 0) rmdirSync(folder);
      },
    };
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new CliError('OutputExists', `${shown} is there and is no folder`, { cause: error });
    }
    const reason: Record<string, string> = {
      EACCES: 'no permission',
      EROFS: 'the file system is read-only',
      ENOSPC: 'the disk is full',
      ENAMETOOLONG: 'the name is too long',
    };
    const why = reason[code ?? ''] ?? (error instanceof Error ? error.message : String(error));
    throw new CliError('OutputUnwritable', `can't make ${shown}: ${why}`, { cause: error });
  }
}

/** Makes a folder with its parents; false where it is there already. Node's own `recursive` never returns where mkdir says ENOENT although
 *  the parent exists, as /proc does. */
function makeFolder(folder: string): boolean {
  if (existsSync(folder)) return false;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  mkdirSync(folder);
  return true;
}

/** For messages: the name alone where the folder lies in the current directory. */
export function shortPath(folder: string, cwd = process.cwd()): string {
  return escapeTerminal(resolve(cwd, basename(folder)) === folder ? basename(folder) : folder);
}
