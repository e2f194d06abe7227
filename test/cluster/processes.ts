// The cluster's own programs: started in their group, logged, and written down with their start time, so that no other process is ever taken for one.
// Neighbours: control-plane.ts and node.ts say what to start; support/faults.ts ends and starts them again in tests.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { makeGroup } from './cgroups.ts';
import { cgroup, clusterFolder, logFolder } from './layout.ts';

const records = join(clusterFolder, 'processes');

export interface Program {
  name: string;
  argv: [string, ...string[]];
  env?: Record<string, string>;
  /** Runs in this process's network and mount namespaces: a node's. */
  inside?: string;
}

interface Running extends Program {
  pid: number;
  /** In clock ticks since the machine's start; with the pid it names one process for ever. */
  startTime: string;
}

/** A process's start time by the text of /proc/PID/stat; its name may hold spaces and brackets. */
export function startTimeOf(stat: string): string {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    return state === 'Z' ? undefined : startTimeOf(stat);
  } catch {
    return undefined;
  }
}

async function recordOf(name: string): Promise<Running | undefined> {
  const text = await readFile(join(records, `${name}.json`), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
}

/** The process's id, if it is the one that was started. */
export async function pidOf(name: string): Promise<number | undefined> {
  const record = await recordOf(name);
  return record && startTime(record.pid) === record.startTime ? record.pid : undefined;
}

/** The programs that were started and not ended by `end`, with what runs of them. */
export async function programs(): Promise<{ name: string; pid: number | undefined }[]> {
  const files = await readdir(records).catch(() => []);
  const names = files.map((file) => file.replace(/\.json$/, ''));
  return Promise.all(names.map(async (name) => ({ name, pid: await pidOf(name) })));
}

/** Starts a program that outlives this process. */
export async function start(program: Program): Promise<number> {
  await mkdir(records, { recursive: true });
  await mkdir(logFolder, { recursive: true });
  const groups = await makeGroup(`${cgroup}/daemons`);
  const enter = program.inside === undefined ? [] : await entering(program.inside);
  const log = await open(join(logFolder, `${program.name}.log`), 'a');
  // Joins its group before it becomes the program, so that nothing it starts is ever elsewhere.
  const script = `for group in ${groups.join(' ')}; do echo 0 > $group/cgroup.procs || exit 1; done; exec "$@"`;
  const child = spawn('/bin/sh', ['-c', script, 'sh', ...enter, ...program.argv], {
    cwd: '/',
    env: { PATH: process.env.PATH, HOME: clusterFolder, ...program.env },
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  child.unref();
  await log.close();
  const pid = child.pid ?? 0;
  const record: Running = { ...program, pid, startTime: startTime(pid) ?? '' };
  await writeFile(join(records, `${program.name}.json`), JSON.stringify(record));
  return pid;
}

/** argv that runs what follows in a node's namespaces. */
export async function entering(name: string): Promise<string[]> {
  const pid = await pidOf(name);
  if (pid === undefined) throw new Error(`${name} does not run: its namespaces are gone`);
  return ['nsenter', '--target', String(pid), '--mount', '--net', '--'];
}

/** Starts what was started before by this name, as it was. */
export async function startAgain(name: string): Promise<void> {
  const record = await recordOf(name);
  if (!record) throw new Error(`${name} was never started`);
  if ((await pidOf(name)) === undefined) await start(record);
}

/** Ends a program at once, and returns when it is gone. */
export async function kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  const pid = await pidOf(name);
  if (pid === undefined) return;
  process.kill(pid, signal);
  for (let tries = 0; (await pidOf(name)) !== undefined; tries++) {
    if (tries === 400) throw new Error(`${name} (process ${pid}) does not end on ${signal}`);
    await setTimeout(25);
  }
}

/** The end of what a program wrote. */
export async function lastWords(name: string): Promise<string> {
  const text = await readFile(join(logFolder, `${name}.log`), 'utf8').catch(() => '');
  return text.slice(-3000);
}
