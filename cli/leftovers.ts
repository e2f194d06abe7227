// Commands' cgroups that a crash of `sonde` left behind: found by their names, killed and removed. Neighbour: cli/command.ts, which makes them.
// A name says who owns the group: sonde-<pid namespace>-<pid>-<start time>. Only a group whose owner is dead, seen from the same pid namespace, is touched.

import { readFileSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { childNames, isPopulated, processesOf } from './cgroups.ts';

/** A process as it can't be confused with a later one of the same pid. */
export interface Owner {
  /** Inode of its pid namespace. */
  namespace: string;
  pid: number;
  /** Ticks since boot. */
  startTime: string;
}

const form = /^sonde-([0-9]+)-([0-9]+)-([0-9]+)(-[0-9]+)?$/;

export function groupName(owner: Owner): string {
  return `sonde-${owner.namespace}-${owner.pid}-${owner.startTime}`;
}

/** The owner that a group's name tells; undefined where the group is not one of ours. */
export function ownerIn(name: string): Owner | undefined {
  const [, namespace, pid, startTime] = form.exec(name) ?? [];
  if (namespace === undefined || pid === undefined || startTime === undefined) return undefined;
  return { namespace, pid: Number(pid), startTime };
}

/** This process. */
export function thisProcess(): Owner {
  return { namespace: pidNamespace(), pid: process.pid, startTime: startTimeOf(process.pid) ?? '0' };
}

function pidNamespace(): string {
  return /[0-9]+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
}

/** Field 22 of /proc/PID/stat; undefined for a process that is not there. */
function startTimeOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name is in parentheses and may hold anything, spaces and parentheses too: count from the last of them.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Kills and removes the left-over groups directly below a folder; gives their names. */
export async function sweepLeftovers(parent: string): Promise<string[]> {
  const swept: string[] = [];
  const own = pidNamespace();
  for (const name of childNames(parent)) {
    const owner = ownerIn(name);
    if (owner === undefined || owner.namespace !== own) continue;
    if (startTimeOf(owner.pid) === owner.startTime) continue;
    await killGroup(join(parent, name));
    swept.push(name);
  }
  return swept;
}

/** Kills everything in a group and removes it with its children; gives up, quietly, after 2 s (a process in the kernel's uninterruptible sleep). */
export async function killGroup(directory: string): Promise<void> {
  for (let round = 0; round < 100; round++) {
    killAll(directory);
    if (!isPopulated(directory) && removeGroup(directory)) return;
    await sleep(20);
  }
}

/** cgroup.kill (5.14) takes all at once, forks in flight too; before it, each one. */
export function killAll(directory: string): void {
  try {
    writeFileSync(join(directory, 'cgroup.kill'), '1');
  } catch {
    for (const pid of allProcesses(directory)) signal(pid, 'SIGKILL');
  }
}

/** The processes of a group and of all below it. */
export function allProcesses(directory: string): number[] {
  const below = childNames(directory).flatMap((name) => allProcesses(join(directory, name)));
  return [...processesOf(directory), ...below];
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

/** Removes an empty group with its empty children; false while somebody is in it. */
export function removeGroup(directory: string): boolean {
  for (const name of childNames(directory)) removeGroup(join(directory, name));
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
