// Keeps a session's pods in the kernel's scope: tells it whom to follow, enters what is there already, takes note of what it let in by itself.
// Neighbours: bpf/include/scope_pods.bpf.h (scope_pods and its maps), agent/pods.ts (whose is what), agent/scope.ts (entering a group and all below it).

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BpfObject } from '../native/api.ts';
import type { PodTarget } from './api.ts';
import { integer, member } from './decode.ts';
import { podIdOf } from './group-names.ts';
import type { Pods } from './pods.ts';
import { enterGroup, processesInGroup, type ScopeMaps } from './scope.ts';

export const podMapEntries = { scope_pods: 8192, scope_pod_groups: 8192, scope_new_containers: 1024 };

export interface PodScope {
  /** Pods as they are now. Gives the processes that came into scope by it. */
  retarget(targets: readonly PodTarget[]): Promise<number[]>;
  /** Takes note of containers that came by themselves since the last time; costs a few system calls. */
  refresh(): void;
  /** Containers in scope now. */
  living(): number;
}

/** `mountPoint`: of cgroup2. The programs that follow mkdir must be attached. */
export function podScope(object: BpfObject, maps: ScopeMaps, pods: Pods, mountPoint: string): PodScope {
  const wantedPods = object.map('scope_pods');
  const podGroups = object.map('scope_pod_groups');
  const newContainers = object.map('scope_new_containers');

  /** A pod's own group: its containers' are made in it. */
  const enterPod = async (path: string, number: bigint): Promise<number[]> => {
    const group = await idOf(path);
    if (group === undefined) return [];
    // First the pod, then what is in it: a container made meanwhile is followed by the kernel.
    podGroups.set(group, number);
    const processes: number[] = [];
    for (const name of await childNames(path)) {
      const child = join(path, name);
      const id = await idOf(child);
      if (id === undefined) continue;
      const scopeId = pods.found(number, id, name);
      if (pods.unwanted().includes(id)) continue;
      await enterGroup(child, scopeId, maps.cgroups).catch(() => undefined);
      processes.push(...(await processesInGroup(child)));
    }
    return processes;
  };

  const refresh = (): void => {
    for (const { key, value } of newContainers.entries({ drain: true })) {
      const name = member(value, 'name');
      pods.found(integer(member(value, 'pod')), integer(key), typeof name === 'string' ? name : '');
    }
  };

  return {
    async retarget(targets) {
      const fresh = pods.name(targets);
      for (const { number, target } of fresh) {
        wantedPods.set({ id: target.uid }, number);
        if (target.configHash !== undefined) wantedPods.set({ id: target.configHash }, number);
      }
      const processes: number[] = [];
      if (fresh.length > 0) {
        const numbers = new Set(fresh.map(({ number }) => number));
        for (const { path, podId } of await podGroupsBelow(mountPoint)) {
          const number = pods.numberOf(podId);
          if (number !== undefined && numbers.has(number)) processes.push(...(await enterPod(path, number)));
        }
      }
      refresh();
      for (const group of pods.unwanted()) maps.cgroups.remove(group);
      return processes;
    },
    refresh,
    living: () => maps.cgroups.scopeIds().size,
  };
}

/** Deeper than any kubelet's cgroupRoot. */
const deepest = 12;

/** Every pod's own group below a folder, whoever's pod it is; nothing in them is looked at. */
export async function podGroupsBelow(folder: string, depth = 0): Promise<{ path: string; podId: string }[]> {
  const found: { path: string; podId: string }[] = [];
  for (const name of await childNames(folder)) {
    const path = join(folder, name);
    const podId = podIdOf(name);
    if (podId !== undefined) found.push({ path, podId });
    else if (depth < deepest) found.push(...(await podGroupsBelow(path, depth + 1)));
  }
  return found;
}

/** None where the group is gone. */
async function childNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

async function idOf(path: string): Promise<bigint | undefined> {
  return await stat(path, { bigint: true }).then(
    ({ ino }) => ino,
    () => undefined,
  );
}
