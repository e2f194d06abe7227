// Puts a session's targets into the kernel's scope maps (bpf/include/scope.bpf.h), and tells which of them are still there.
// Order matters: the programs that follow mkdir and fork are attached first, then what is there already is walked; both may put the same id in.

import { opendir, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { BpfMap, BpfObject, BtfValue } from '../native/api.ts';
import { AgentError } from './errors.ts';
import { scopedTargets } from './owners.ts';
import type { Target } from './plan.ts';

/** Enters ids of one kind (cgroups or processes) into the scope, and says which are in it. */
interface Entrance {
  add(key: bigint, scopeId: bigint): void;
  remove(key: bigint): void;
  scopeIds(): Set<bigint>;
}

export interface ScopeMaps {
  cgroups: Entrance;
  processes: Entrance;
}

export function scopeMaps(object: BpfObject): ScopeMaps {
  return {
    cgroups: entrance(object.map('scope'), object.map('scope_filter'), slotOf),
    processes: entrance(object.map('scope_processes'), object.map('scope_process_filter'), () => 1),
  };
}

/** An id that no group has: SCOPE_NO_GROUP of bpf/include/scope.bpf.h. */
const noGroup = 2n ** 64n - 1n;

/** struct scope_slot of bpf/include/scope.bpf.h: it answers for this group without a look into the scope. */
function slotOf(group: bigint, container: bigint): BtfValue {
  return { container, check: group ^ BigInt.asUintN(64, container * 0x9e3779b97f4a7c15n) };
}

/** A slot that answers for an id does so only once the id is in, and no more before it is taken out. */
function entrance(ids: BpfMap, filter: BpfMap, markOf: (key: bigint, scopeId: bigint) => BtfValue): Entrance {
  const mark = (key: bigint, value: BtfValue) => filter.set(Number(key % BigInt(filterSlots)), value);
  return {
    add(key, scopeId) {
      ids.set(key, scopeId);
      mark(key, markOf(key, scopeId));
    },
    remove(key) {
      mark(key, markOf(noGroup, 1n));
      ids.delete(key);
    },
    scopeIds: () => new Set(ids.entries().map((entry) => BigInt(entry.value as bigint))),
  };
}

/** SCOPE_FILTER_SLOTS of bpf/include/scope.bpf.h. */
const filterSlots = 4096;

/** Scope id → the cgroup2 id that a target's path stood for when it was entered: the path may be another group's later. */
export type EnteredGroups = ReadonlyMap<bigint, bigint>;

/** Enters every target with all that is below it now. Throws AgentError TargetMissing. */
export async function enterScope(targets: readonly Target[], maps: ScopeMaps): Promise<EnteredGroups> {
  const entered = new Map<bigint, bigint>();
  for (const { id, target } of scopedTargets(targets)) {
    if (target.kind === 'cgroup') entered.set(id, await enterTarget(target.path, id, maps.cgroups));
    else await enterProcesses(target.pid, id, maps);
  }
  return entered;
}

/** CGROUP2_SUPER_MAGIC of linux/magic.h. */
const cgroup2Magic = 0x63677270;

/** A directory elsewhere, or in a v1 hierarchy, has an inode too; as a cgroup2 id that would be nobody's, or a stranger's. */
async function enterTarget(path: string, id: bigint, groups: Entrance): Promise<bigint> {
  const system = await statfs(path).catch(() => undefined);
  // One that is not there gets its words from the look at the group itself.
  if (system === undefined || system.type === cgroup2Magic) return await enterGroup(path, id, groups);
  throw new AgentError(
    'TargetMissing',
    `${path} is no cgroup2 group: name a directory below the cgroup2 mount (\`sonde doctor\` says where that is)`,
  );
}

/** A group and all below it, under one scope id. Throws AgentError TargetMissing. */
export async function enterGroup(path: string, id: bigint, groups: Entrance): Promise<bigint> {
  // The inode of a cgroup2 directory is its id (kernfs, 64 bits).
  const { ino } = await stat(path, { bigint: true }).catch((cause: unknown) => {
    const message = `cgroup ${path} is not there (any more): look for it below the cgroup2 mount`;
    throw new AgentError('TargetMissing', message, { cause });
  });
  groups.add(ino, id);
  for (const child of await childGroups(path)) await enterGroup(child, id, groups).catch(ignoreMissing);
  return ino;
}

async function childGroups(path: string): Promise<string[]> {
  const children: string[] = [];
  try {
    for await (const entry of await opendir(path))
      if (entry.isDirectory()) children.push(join(path, entry.name));
  } catch {
    // Removed while it was read: it has no children then.
  }
  return children;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof AgentError && error.reason === 'TargetMissing')) throw error;
}

async function enterProcesses(pid: number, id: bigint, maps: ScopeMaps): Promise<void> {
  if (!(await alive(pid)))
    throw new AgentError('TargetMissing', `no process ${pid}: it has ended, or never was`);
  const process = await processOf(pid);
  if (process !== pid)
    throw new AgentError('TargetMissing', `${pid} is a thread, not a process: its process is ${process}`);
  // A child forked between two looks is followed by the kernel once its parent is in; two quiet looks mean all are.
  const known = new Set<number>();
  for (let added = [pid]; added.length > 0; ) {
    for (const process of added) {
      known.add(process);
      maps.processes.add(BigInt(process), id);
    }
    added = (await descendants(pid)).filter((process) => !known.has(process));
  }
  // One that ended after it was entered, before the exit program saw it, must not stay: its pid may come again.
  for (const process of known) if (!(await alive(process))) maps.processes.remove(BigInt(process));
}

/** All descendants of a process now, by the children files of all its threads. */
async function descendants(pid: number): Promise<number[]> {
  const found: number[] = [];
  const waiting = [pid];
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    for (const thread of await readdir(`/proc/${parent}/task`).catch(() => [])) {
      const text = await readFile(`/proc/${parent}/task/${thread}/children`, 'utf8').catch(() => '');
      const children = text.split(' ').filter(Boolean).map(Number);
      found.push(...children);
      waiting.push(...children);
    }
  }
  return found;
}

/** The process that a thread belongs to: /proc answers for threads too, though it does not list them. */
async function processOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  return Number(/^Tgid:\s*(\d+)$/m.exec(text)?.[1] ?? pid);
}

/** True while a process is there and no zombie. */
async function alive(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  // The name is in parentheses and may hold anything: the state follows the last of them.
  const state = text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3);
  return text !== '' && state !== 'Z' && state !== 'X';
}

/** How many targets are still there: a cgroup that is the one which was entered, a process tree with a living member. */
export async function targetsLeft(
  targets: readonly Target[],
  entered: EnteredGroups,
  processes: Entrance,
): Promise<number> {
  let left = 0;
  // Descendants that were followed in the kernel keep a tree alive after its root has gone.
  const trees = processes.scopeIds();
  for (const [index, target] of targets.entries()) {
    const id = BigInt(index + 1);
    if (target.kind === 'cgroup' && (await groupAt(target.path)) === entered.get(id)) left++;
    if (target.kind === 'process' && (trees.has(id) || (await alive(target.pid)))) left++;
  }
  return left;
}

/** The id of the group that is at a path now; null where there is none. */
async function groupAt(path: string): Promise<bigint | null> {
  return await stat(path, { bigint: true }).then(
    ({ ino }) => ino,
    () => null,
  );
}

/** The processes that are in scope now, for what must be read from /proc at the start (mappings). */
export async function processesInScope(targets: readonly Target[]): Promise<number[]> {
  const pids: number[] = [];
  for (const target of targets) {
    if (target.kind === 'process') pids.push(target.pid, ...(await descendants(target.pid)));
    else pids.push(...(await processesInGroup(target.path)));
  }
  return pids;
}

/** The processes of a group and of all below it. */
export async function processesInGroup(path: string): Promise<number[]> {
  const text = await readFile(join(path, 'cgroup.procs'), 'utf8').catch(() => '');
  const own = text.split('\n').filter(Boolean).map(Number);
  const below = await Promise.all((await childGroups(path)).map(processesInGroup));
  return [...own, ...below.flat()];
}
