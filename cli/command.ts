// The traced command: a cgroup of its own, made before the session starts, so that it is in scope before its first instruction.
// Neighbours: cli/run.ts, cli/leftovers.ts (what a crash leaves), native.spawnInCgroup.

import { accessSync, constants, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Target } from '../agent/plan.ts';
import type { Native } from '../native/api.ts';
import { escapeTerminal } from '../results/escape.ts';
import { type CgroupMount, groupOf } from './cgroups.ts';
import { CliError } from './errors.ts';
import {
  allProcesses,
  groupName,
  killAll,
  killGroup,
  removeGroup,
  signal,
  sweepLeftovers,
  thisProcess,
} from './leftovers.ts';

/** How long a command may take to end by itself after SIGTERM. */
const graceMs = 5000;

export interface Exit {
  code: number | null;
  signal: string | null;
}

export interface Command {
  target: Target;
  /** Groups of earlier runs that crashed, removed now. */
  swept: string[];
  /** Starts it; resolves when it has ended. Throws CliError CommandNotStarted. */
  start(native: Pick<Native, 'spawnInCgroup'>): Promise<Exit>;
  /** Asks all its processes to end, and kills them 5 s later. */
  terminate(): void;
  /** Kills all its processes now, and removes the group if that is done at once. */
  kill(): void;
  /** Removes the group. What the command left running goes on, in the group that `sonde` runs in: it was the user's to start.
   *  After `terminate` it is killed. Gives the number of processes that were let go. */
  cleanUp(): Promise<number>;
}

/** Finds the executable and makes the group. Throws CliError CommandNotFound, NoCgroup2. */
export async function prepareCommand(argv: readonly string[], mount: CgroupMount): Promise<Command> {
  const [name = ''] = argv;
  findExecutable(name, process.env.PATH ?? '');
  const { parent, group, swept } = await makeGroup(mount);
  let started: { pid: number; exited: Promise<Exit> } | undefined;
  let ended = false;
  let forced = false;
  let killer: NodeJS.Timeout | undefined;
  return {
    target: {
      kind: 'cgroup',
      path: group,
      owner: { namespace: null, pod: null, container: basename(name) || name },
    },
    swept,
    async start(native) {
      try {
        started = native.spawnInCgroup(group, [...argv], definedOf(process.env), process.cwd());
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new CliError('CommandNotStarted', reason, { cause: error });
      }
      const exit = await started.exited;
      ended = true;
      return exit;
    },
    terminate() {
      if (started === undefined || forced || ended) return;
      forced = true;
      for (const pid of allProcesses(group)) signal(pid, 'SIGTERM');
      killer = setTimeout(() => killGroup(group), graceMs);
    },
    kill() {
      killAll(group);
      removeGroup(group);
    },
    async cleanUp() {
      if (forced && started !== undefined) {
        await Promise.race([started.exited.catch(() => undefined), delay(graceMs)]);
        clearTimeout(killer);
        await killGroup(group);
        return 0;
      }
      // Not forced: it has ended by itself, or never started; else sonde is going down with an error, and the command with it.
      if (!ended && started !== undefined) {
        await killGroup(group);
        return 0;
      }
      const left = letGo(group, parent);
      await removeEventually(group);
      return left;
    },
  };
}

/** Moves what still runs out of the group; gives how many processes. */
function letGo(group: string, parent: string): number {
  let moved = 0;
  // A process may fork between the look and the move.
  for (let round = 0; round < 20; round++) {
    const pids = allProcesses(group);
    if (pids.length === 0) break;
    for (const pid of pids) {
      try {
        writeFileSync(join(parent, 'cgroup.procs'), String(pid));
        moved++;
      } catch {
        // It has ended by itself.
      }
    }
  }
  return moved;
}

/** A group stays busy for a moment after its last process was reaped. */
async function removeEventually(group: string): Promise<void> {
  for (let round = 0; round < 50; round++) {
    if (removeGroup(group)) return;
    await delay(10);
  }
}

/** In this process's own group, so that its limits hold for the command too; else at the mount's root. */
async function makeGroup(mount: CgroupMount): Promise<{ parent: string; group: string; swept: string[] }> {
  const own = groupOf(readFileSync('/proc/self/cgroup', 'utf8'), mount);
  const reasons: string[] = [];
  for (const parent of new Set([own ?? mount.mountPoint, mount.mountPoint])) {
    const swept = await sweepLeftovers(parent).catch(() => []);
    const group = join(parent, groupName(thisProcess()));
    try {
      mkdirSync(group);
      if (readFileSync(join(group, 'cgroup.type'), 'utf8').trim() === 'domain')
        return { parent, group, swept };
      removeGroup(group);
      reasons.push(`${parent} is a threaded group`);
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new CliError('NoCgroup2', `no cgroup can be made for the command: ${reasons.join('; ')}`, {
    advice: 'Run as root, with the cgroup2 hierarchy mounted writable.',
  });
}

/** Looks the command up as a shell would. Throws CliError CommandNotFound. */
export function findExecutable(name: string, path: string): string {
  const shown = escapeTerminal(name, 200);
  if (name.includes('/')) {
    const problem = whyNotExecutable(resolve(name));
    if (problem === undefined) return resolve(name);
    throw new CliError('CommandNotFound', `${shown} ${problem}`);
  }
  for (const folder of path.split(':')) {
    const candidate = resolve(folder, name);
    if (name !== '' && whyNotExecutable(candidate) === undefined) return candidate;
  }
  throw new CliError('CommandNotFound', `no command ${shown} in $PATH`, {
    advice: 'Check its name, or give its path. For a shell’s own words: -- sh -c "…".',
  });
}

function whyNotExecutable(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return 'is not a file';
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EACCES' ? 'may not be executed (no permission)' : 'does not exist';
  }
}

function definedOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  const defined: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) defined[name] = value;
  return defined;
}

/** Does not keep the process alive. */
function delay(ms: number): Promise<void> {
  const { promise, resolve: done } = Promise.withResolvers<void>();
  setTimeout(done, ms).unref();
  return promise;
}
