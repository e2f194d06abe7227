// What of bpf/include/scope.bpf.h a session uses: the programs that follow new groups and processes, and room in the maps for what is in scope.
// Before load. Neighbours: agent/prepare.ts (gadgets), agent/program-session.ts (users' programs), agent/scope.ts fills the maps.

import type { BpfObject } from '../native/api.ts';
import type { Target } from './plan.ts';
import { podMapEntries } from './pod-scope.ts';

export type ScopeKinds = ReadonlySet<Target['kind']>;

/** Pods are cgroups, also when there are none yet. */
export function scopeKinds(targets: readonly Target[], pods: boolean): ScopeKinds {
  const kinds = new Set(targets.map((target) => target.kind));
  if (pods) kinds.add('cgroup');
  return kinds;
}

/** Children made after these are attached are followed in the kernel. */
export function followingPrograms(kinds: ScopeKinds): { program: string }[] {
  return [
    ...(kinds.has('cgroup') ? ['scope_cgroup_mkdir', 'scope_cgroup_rmdir'] : []),
    ...(kinds.has('process') ? ['scope_process_fork', 'scope_process_exit'] : []),
  ].map((program) => ({ program }));
}

export function sizeScope(object: BpfObject, kinds: ScopeKinds, pods: boolean): void {
  if (pods) for (const [map, entries] of Object.entries(podMapEntries)) object.setMaxEntries(map, entries);
  // Made with room for all their entries, which nobody will look at.
  const unused = [
    ...(kinds.has('cgroup') ? [] : ['scope']),
    ...(kinds.has('process') ? [] : ['scope_processes', 'scope_sockets']),
  ];
  for (const map of unused) object.setMaxEntries(map, 1);
  object.setVariable('scope_by_pod', pods);
  object.setVariable('scope_by_cgroup', kinds.has('cgroup'));
  object.setVariable('scope_by_process', kinds.has('process'));
}
