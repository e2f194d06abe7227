// Which cgroup is which container: the names that container engines and systemd give their groups, and the engines' own lists of names. Pure but for readEngineNames.
// Neighbours: cli/targets.ts (asks), cli/cri.ts (Kubernetes' runtimes, by their socket).

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { containerOf } from '../agent/group-names.ts';
import type { Group } from './cgroups.ts';

/** What is known of one container or unit. */
export interface Container {
  /** 64 hexadecimal digits; for systemd's units their name. */
  id: string;
  names: string[];
  engine: 'docker' | 'podman' | 'kubernetes' | 'systemd';
  group: Group;
  namespace?: string;
  pod?: string;
}

const fullId = /^[0-9a-f]{64}$/;
const unit = /\.(service|scope|slice)$/;

const engineOf: Record<string, Container['engine']> = {
  docker: 'docker',
  libpod: 'podman',
  'cri-containerd': 'kubernetes',
  crio: 'kubernetes',
  'cri-o': 'kubernetes',
};

/** The containers and units among groups. A container's nested groups (systemd within it, crun's "container") count as the container. */
export function containersOf(groups: readonly Group[]): Container[] {
  const found: Container[] = [];
  const inside: string[] = [];
  for (const group of groups) {
    if (inside.some((path) => group.path.startsWith(`${path}/`))) continue;
    const container = recognise(group);
    if (container === undefined) continue;
    found.push(container);
    if (container.engine !== 'systemd') inside.push(group.path);
  }
  return found;
}

function recognise(group: Group): Container | undefined {
  const name = posix.basename(group.path);
  const container = containerOf(name);
  if (container !== undefined) {
    const { id, prefix } = container;
    const engine = prefix === undefined ? engineByParents(group.path) : (engineOf[prefix] ?? 'docker');
    return { id, names: [], engine, group };
  }
  if (!unit.test(name)) return undefined;
  const short = unescapeUnit(name.replace(unit, ''));
  // machine-web.scope is systemd-nspawn's or libvirt's machine "web".
  const machine = short.startsWith('machine-') ? [short.slice('machine-'.length)] : [];
  return { id: name, names: [short, ...machine], engine: 'systemd', group };
}

/** With the cgroupfs driver the group is the bare id; its parents say whose it is. */
function engineByParents(path: string): Container['engine'] {
  if (/\/kubepods/.test(path)) return 'kubernetes';
  return /\/libpod/.test(path) ? 'podman' : 'docker';
}

function unescapeUnit(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** What an engine itself calls its containers: by id. */
export type EngineNames = ReadonlyMap<string, { names: string[]; namespace?: string; pod?: string }>;

/** Containers with their engines' names. */
export function withNames(containers: readonly Container[], names: EngineNames): Container[] {
  return containers.map((container) => {
    const known = names.get(container.id);
    if (known === undefined) return container;
    const { namespace, pod } = known;
    return {
      ...container,
      names: [...container.names, ...known.names],
      ...(namespace === undefined ? {} : { namespace }),
      ...(pod === undefined ? {} : { pod }),
    };
  });
}

export type Found =
  | { kind: 'One'; container: Container }
  | { kind: 'Several'; containers: Container[] }
  | { kind: 'None' };

/** The container that a person means: an exact name or id, else the beginning of an id (at least 3 digits). */
export function findContainer(wanted: string, containers: readonly Container[]): Found {
  const exact = containers.filter(({ id, names }) => id === wanted || names.includes(wanted));
  const begins =
    exact.length > 0 || !/^[0-9a-f]{3,63}$/.test(wanted)
      ? []
      : containers.filter(({ id, engine }) => engine !== 'systemd' && id.startsWith(wanted));
  const matches = exact.length > 0 ? preferContainers(exact) : begins;
  const [first] = matches;
  if (first === undefined) return { kind: 'None' };
  return matches.length === 1 ? { kind: 'One', container: first } : { kind: 'Several', containers: matches };
}

/** A unit and a container of the same name: `--container` means the container. */
function preferContainers(matches: Container[]): Container[] {
  const engines = matches.filter(({ engine }) => engine !== 'systemd');
  return engines.length > 0 ? engines : matches;
}

/** Docker's and Podman's names, from their state on disk: neither needs its daemon for it. */
export function readEngineNames(root = '/'): EngineNames {
  const names = new Map<string, { names: string[] }>();
  const docker = join(root, 'var/lib/docker/containers');
  for (const id of folderNames(docker)) {
    if (!fullId.test(id)) continue;
    const config = readJson(join(docker, id, 'config.v2.json'));
    const name = member(config, 'Name');
    if (typeof name === 'string') names.set(id, { names: [name.replace(/^\//, '')] });
  }
  const podman = readJson(join(root, 'var/lib/containers/storage/overlay-containers/containers.json'));
  for (const entry of Array.isArray(podman) ? podman : []) {
    const [id, list] = [member(entry, 'id'), member(entry, 'names')];
    if (typeof id !== 'string' || !Array.isArray(list)) continue;
    names.set(id, { names: list.filter((name) => typeof name === 'string') });
  }
  return names;
}

function folderNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
