// The cgroup2 hierarchy: where it is mounted, where this process is in it, what groups there are. Neighbours: cli/targets.ts, cli/command.ts, cli/doctor.ts.
// Nothing here knows a path beforehand: machines mount cgroup2 at /sys/fs/cgroup, or beside v1 anywhere else.

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type CgroupMount, cgroup2Mounts, unescapeMount } from '../agent/cgroups.ts';

export type { CgroupMount } from '../agent/cgroups.ts';

/** The first cgroup2 mount of a mountinfo text; undefined where there is none. */
export function findCgroup2(mountinfo: string): CgroupMount | undefined {
  return cgroup2Mounts(mountinfo)[0];
}

/** Mount points of cgroup v1 controllers, for telling somebody that a path is the wrong hierarchy's. */
export function findCgroup1(mountinfo: string): string[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const mountPoint = before.split(' ')[4];
    return after.startsWith('cgroup ') && mountPoint !== undefined ? [unescapeMount(mountPoint)] : [];
  });
}

/** A process's group by its /proc/PID/cgroup text, as a directory below the mount; undefined where it lies outside of what is mounted. */
export function groupOf(cgroupText: string, mount: CgroupMount): string | undefined {
  const line = cgroupText.split('\n').find((entry) => entry.startsWith('0::'));
  if (line === undefined) return undefined;
  // A group that was removed while a process lives on in it is shown with this behind its name.
  const path = line.slice(3).replace(/ \(deleted\)$/, '');
  if (path.startsWith('/..')) return undefined;
  const root = mount.root === '/' ? '' : mount.root;
  if (root !== '' && path !== root && !path.startsWith(`${root}/`)) return undefined;
  return posix.join(mount.mountPoint, path.slice(root.length));
}

/** One group: its directory, and its path below the mount ("/system.slice/nginx.service"). */
export interface Group {
  directory: string;
  path: string;
}

/** More groups than any machine has; an end for a tree that grows while it is read. */
const mostGroups = 100_000;

/** All groups below a mount, parents before children. What vanishes while it is read is left out. */
export function listGroups(mount: CgroupMount): Group[] {
  const groups: Group[] = [{ directory: mount.mountPoint, path: '/' }];
  for (let at = 0; at < groups.length && groups.length < mostGroups; at++) {
    const parent = groups[at];
    if (parent === undefined) break;
    for (const name of childNames(parent.directory)) {
      groups.push({ directory: join(parent.directory, name), path: posix.join(parent.path, name) });
    }
  }
  return groups;
}

/** The names of a group's children; none where it can't be read. */
export function childNames(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
  } catch {
    return [];
  }
}

/** The processes of a group itself, not of its children. */
export function processesOf(directory: string): number[] {
  try {
    return readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Whether anything lives in a group or below it. */
export function isPopulated(directory: string): boolean {
  try {
    return /^populated 1$/m.test(readFileSync(join(directory, 'cgroup.events'), 'utf8'));
  } catch {
    // The hierarchy's root has no such file, and is never empty; any other group without it is gone.
    return processesOf(directory).length > 0;
  }
}

/** This machine's mounts. */
export function readMountinfo(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}
