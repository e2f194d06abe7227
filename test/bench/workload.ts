// The C programs of test/bench/workloads as processes that run when told, in cgroups of their own. test/bench/rows measure them.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { command } from '../../build/step.ts';
import { root } from '../files.ts';
import { estimate } from './statistics.ts';

export type WorkloadName = 'open' | 'exec' | 'ping-pong' | 'beacon';

/** What one run of a workload's loop took. */
export interface Run {
  calls: number;
  ns: number;
}

/** A workload that has started and waits. */
export interface Workload {
  pid: number;
  /** Runs its loop once. */
  run(): Promise<Run>;
}

const folder = join(root, 'dist', 'bench');

/** Path of the compiled program; compiled where it is older than its source. */
export async function compiled(name: WorkloadName): Promise<string> {
  const source = join(import.meta.dirname, 'workloads', `${name}.c`);
  const program = join(folder, name);
  const time = (path: string) =>
    stat(path)
      .then((found) => found.mtimeMs)
      .catch(() => 0);
  if ((await time(program)) > (await time(source))) return program;
  await mkdir(folder, { recursive: true });
  await command(['clang-19', '-O2', '-Wall', '-static', '-o', program, source]);
  return program;
}

/** Starts a workload inside a cgroup, for the duration of a function. It waits for `run`. */
export async function withWorkload<T>(
  name: WorkloadName,
  args: (string | number)[],
  cgroup: string,
  use: (workload: Workload) => Promise<T>,
): Promise<T> {
  const program = await compiled(name);
  const child = spawn(program, args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
  const pid = await started(child, program);
  await writeFile(join(cgroup, 'cgroup.procs'), String(pid));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const run = async (): Promise<Run> => {
    child.stdin.write('\n');
    const line = await lines.next();
    if (line.done === true) throw new Error(`the workload ${name} ended before its loop did`);
    return JSON.parse(line.value);
  };
  try {
    return await use({ pid, run });
  } finally {
    child.stdin.end();
    child.kill('SIGKILL');
    await closed;
  }
}

/** The median of a few runs: something else on the machine may have disturbed one. */
export async function nsPerCall(workload: Workload): Promise<number> {
  const runs: number[] = [];
  for (let run = 0; run < 5; run++) {
    const { ns, calls: done } = await workload.run();
    runs.push(ns / done);
  }
  return estimate(runs).median;
}

/** The pid of a child, or why it could not be started. */
export async function started(child: ChildProcess, program: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.on('spawn', () => resolve(child.pid ?? 0));
  child.on('error', (error) => reject(new Error(`${program} did not start: ${error.message}`)));
  return promise;
}

/** Makes a cgroup2 group for the duration of a function. */
export async function inCgroup<T>(name: string, run: (path: string) => Promise<T>): Promise<T> {
  const path = join(await cgroupMount(), `sonde-bench-${process.pid}-${name}`);
  await mkdir(path);
  try {
    return await run(path);
  } finally {
    await removed(path);
  }
}

/** Processes that have ended may stand in a group for a moment longer. */
async function removed(path: string): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const gone = await rmdir(path)
      .then(() => true)
      .catch(() => false);
    if (gone) return;
    await sleep(20);
  }
  console.error(`the cgroup ${path} still has processes and was left`);
}

async function cgroupMount(): Promise<string> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  const line = mounts.split('\n').find((candidate) => / - cgroup2 /.test(candidate));
  const path = line?.split(' ')[4];
  if (path === undefined)
    throw new Error('no cgroup2 is mounted: mount one (mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified)');
  return path;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
