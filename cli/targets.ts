// What `--cgroup`, `--pid` and `--container` name, as the plan's targets; what does not exist or is ambiguous is explained with the nearest names.
// Neighbours: cli/cgroups.ts (the hierarchy), cli/containers.ts (names of groups), cli/cri.ts (Kubernetes' runtimes), agent/scope.ts (enters them).

import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, posix, resolve } from 'node:path';
import type { Target } from '../agent/plan.ts';
import { nearestName } from '../bpf/nearest.ts';
import { escapeTerminal } from '../results/escape.ts';
import {
  type CgroupMount,
  findCgroup1,
  findCgroup2,
  isPopulated,
  listGroups,
  readMountinfo,
} from './cgroups.ts';
import {
  type Container,
  containersOf,
  type EngineNames,
  findContainer,
  readEngineNames,
  withNames,
} from './containers.ts';
import { CliError } from './errors.ts';

export interface Wanted {
  cgroups: readonly string[];
  pids: readonly number[];
  containers: readonly string[];
}

/** The cgroup2 mount, or CliError NoCgroup2. */
export function requireCgroup2(mountinfo = readMountinfo()): CgroupMount {
  const mount = findCgroup2(mountinfo);
  if (mount) return mount;
  throw new CliError(
    'NoCgroup2',
    'no cgroup2 hierarchy is mounted: tracing a cgroup, container or command needs one',
  );
}

/** All targets, in the order cgroups, processes, containers. `warn` is told of groups that are empty now. */
export async function resolveTargets(wanted: Wanted, warn: (message: string) => void): Promise<Target[]> {
  const targets: Target[] = [];
  if (wanted.cgroups.length > 0) {
    const mountinfo = readMountinfo();
    const mount = requireCgroup2(mountinfo);
    for (const given of wanted.cgroups) targets.push(cgroupTarget(given, mount, mountinfo));
  }
  for (const pid of wanted.pids) targets.push(processTarget(pid));
  if (wanted.containers.length > 0) {
    const mount = requireCgroup2();
    const containers = await allContainers(mount);
    for (const name of wanted.containers) targets.push(containerTarget(name, containers));
  }
  for (const target of targets) {
    if (target.kind === 'cgroup' && !isPopulated(target.path)) {
      warn(`no process is in ${target.owner.container} now; those that come will be traced`);
    }
  }
  return targets;
}

/** A path as the file system has it, or below the cgroup2 mount (as /proc/PID/cgroup and systemd-cgls write it). Throws CliError TargetNotFound. */
export function cgroupTarget(given: string, mount: CgroupMount, mountinfo: string): Target {
  const below = join(mount.mountPoint, given);
  const candidates = isAbsolute(given) ? [resolve(given), below] : [below, resolve(given)];
  for (const directory of candidates) {
    if (!within(directory, mount.mountPoint) || !isDirectory(directory)) continue;
    const path = directory.slice(mount.mountPoint.length) || '/';
    return { kind: 'cgroup', path: directory, owner: { namespace: null, pod: null, container: path } };
  }
  const shown = escapeTerminal(given, 300);
  const v1 = findCgroup1(mountinfo).find((point) => within(resolve(given), point));
  if (v1 !== undefined) {
    throw new CliError('TargetNotFound', `--cgroup ${shown} is in cgroup v1's hierarchy at ${v1}`, {
      advice: `Give a group of the cgroup2 hierarchy, mounted at ${mount.mountPoint}; /proc/PID/cgroup shows it behind "0::".`,
    });
  }
  const meant = nearestName(
    posix.join('/', given),
    listGroups(mount).map((group) => group.path),
  );
  throw new CliError('TargetNotFound', `no cgroup ${shown} below ${mount.mountPoint}${didYouMean(meant)}`);
}

/** A living process; its descendants come with it. Throws CliError TargetNotFound. */
export function processTarget(pid: number): Target {
  let comm: string;
  try {
    comm = readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
  } catch {
    throw new CliError('TargetNotFound', `no process ${pid}: it has ended, or never was`, {
      advice: '`ps -e` lists those that live; to trace a program from its start: -- COMMAND.',
    });
  }
  return { kind: 'process', pid, owner: { namespace: null, pod: null, container: `${comm} (pid ${pid})` } };
}

/** A container or unit by id or name. Throws CliError TargetNotFound, TargetAmbiguous. */
export function containerTarget(wanted: string, containers: readonly Container[]): Target {
  const found = findContainer(wanted, containers);
  const shown = escapeTerminal(wanted, 100);
  if (found.kind === 'Several') {
    const list = found.containers.slice(0, 8).map(describe).join('\n  ');
    throw new CliError(
      'TargetAmbiguous',
      `--container ${shown} means ${found.containers.length} containers:\n  ${list}`,
    );
  }
  if (found.kind === 'None') {
    const known = containers.flatMap(({ id, names }) => [id, ...names]);
    const count = containers.filter(({ engine }) => engine !== 'systemd').length;
    const there = count === 0 ? 'no container runs here' : `${count} containers run here`;
    throw new CliError(
      'TargetNotFound',
      `no container ${shown}${didYouMean(nearestName(wanted, known))} (${there})`,
    );
  }
  const { container } = found;
  return {
    kind: 'cgroup',
    path: container.group.directory,
    owner: {
      namespace: container.namespace ?? null,
      pod: container.pod ?? null,
      container: container.names[0] ?? container.id.slice(0, 12),
    },
  };
}

function describe({ id, names, engine, pod, namespace }: Container): string {
  const where = pod === undefined ? '' : `, pod ${namespace}/${pod}`;
  return escapeTerminal(`${id.slice(0, 16)}  ${names.join(', ') || '(no name)'}  ${engine}${where}`, 200);
}

async function allContainers(mount: CgroupMount): Promise<Container[]> {
  const containers = containersOf(listGroups(mount));
  const names = new Map(readEngineNames());
  const { findSockets, listCri } = await import('./cri.ts');
  for (const socket of findSockets()) {
    for (const [id, name] of await listCri(socket)) names.set(id, name);
  }
  return withNames(containers, names satisfies EngineNames);
}

function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function didYouMean(meant: string | undefined): string {
  return meant === undefined ? '' : `; did you mean ${escapeTerminal(meant, 300)}?`;
}
