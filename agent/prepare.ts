// What a session holds, how it comes to be in the right order, and how all of it is let go. Neighbours: agent/session.ts runs it, agent/collect.ts reads it.

import type { BpfObject, Link, Mappings, Native } from '../native/api.ts';
import { NativeError } from '../native/errors.ts';
import type { ResultMeta } from '../results/shape.ts';
import { type AttachedHook, attachPrograms, choosePrograms, loadPrograms } from './attach.ts';
import { type Drain, drainRing } from './drain.ts';
import { arch } from './objects.ts';
import type { Owners } from './owners.ts';
import { checkFilter, type Packets, startPackets } from './packets.ts';
import type { SessionRequest } from './plan.ts';
import { type PodScope, podScope } from './pod-scope.ts';
import type { Pods } from './pods.ts';
import { type EnteredGroups, enterScope, processesInScope, type ScopeMaps, scopeMaps } from './scope.ts';
import { followingPrograms, scopeKinds, sizeScope } from './scope-programs.ts';
import { openSpool, type Spool } from './spool.ts';

/** What a session holds; released together, whatever went wrong. */
export interface Parts {
  request: SessionRequest;
  native: Native;
  object: BpfObject;
  owners: Owners;
  /** The same as owners, where the scope is pods. */
  pods?: Pods;
  podScope?: PodScope;
  links: Link[];
  warnings: ResultMeta['warnings'];
  scope?: ScopeMaps;
  entered?: EnteredGroups;
  mappings?: Mappings;
  spool?: Spool;
  drain?: Drain;
  /** Where the source is packets: their sockets. */
  packets?: Packets;
  /** Wall clock when the last program was attached, ns. */
  startTime?: bigint;
}

/** Detaches and frees everything; the kernel holds nothing of the session after it. */
export async function release(parts: Parts): Promise<void> {
  for (const link of parts.links.splice(0)) link.close();
  parts.mappings?.close();
  await parts.drain?.stop().catch(() => undefined);
  await parts.spool?.close().catch(() => undefined);
  parts.object.close();
}

/** Loads, fills the scope, starts the readers, attaches; in that order, so that nothing is seen before it can be recorded. */
export async function prepare(parts: Parts): Promise<AttachedHook[]> {
  const { request, native, object } = parts;
  const { plan, targets } = request;
  const sections = new Map(object.programs.map(({ name, section }) => [name, section]));
  if (plan.source.kind === 'packets') checkFilter(native, plan.source);
  const uses = choosePrograms(plan, sections, native.supports);
  const { pods } = request;
  const kinds = scopeKinds(targets, pods !== undefined);
  const following = followingPrograms(kinds);

  for (const [name, value] of Object.entries(plan.variables)) object.setVariable(name, value);
  for (const [map, entries] of Object.entries(plan.maxEntries)) object.setMaxEntries(map, entries);
  // An object has the ring by its includes; who does not use it shall not pay for it.
  if (plan.source.kind !== 'ring' && object.maps.some(({ name }) => name === 'events'))
    object.setMaxEntries('events', 4096);
  sizeScope(object, kinds, pods !== undefined);
  loadPrograms(object, [...following, ...uses], plan.trace);
  control(object, { sampleEvery: 1, containers: Math.max(1, targets.length) });

  parts.scope = scopeMaps(object);
  // Children made from here on are followed in the kernel; what is there already is entered by hand after it.
  parts.links.push(...attachPrograms(object, following, sections, plan.trace).links);
  parts.entered = await enterScope(targets, parts.scope);
  let processes = await processesInScope(targets);
  if (pods !== undefined && parts.pods !== undefined) {
    parts.podScope = podScope(object, parts.scope, parts.pods, pods.mountPoint);
    processes = [...processes, ...(await parts.podScope.retarget(pods.now))];
    control(object, { containers: Math.max(1, parts.podScope.living()) });
  }
  startReaders(parts, processes);
  const { links, hooks } = attachPrograms(object, uses, sections, plan.trace);
  parts.links.push(...links);
  if (plan.source.kind === 'packets') {
    parts.packets = await startPackets(parts, plan.source);
    hooks.push(parts.packets.hook);
  }
  parts.startTime = native.clocks().realtime;
  return hooks;
}

function startReaders(parts: Parts, processes: readonly number[]): void {
  const { request, native, object, owners, pods } = parts;
  const { source } = request.plan;
  if (source.kind === 'stacks') {
    parts.mappings = native.openMappings();
    addProcesses(parts.mappings, processes);
  }
  if (source.kind === 'ring') {
    const { monotonic, realtime } = native.clocks();
    parts.spool = openSpool(request.spool);
    parts.drain = drainRing(native, object, source, parts.spool, {
      owners,
      ...(pods === undefined
        ? {}
        : { late: { refresh: () => parts.podScope?.refresh(), provisional: () => pods.provisional() } }),
      redact: request.redact,
      ...(request.budget.events === undefined ? {} : { mostEvents: request.budget.events }),
      arch,
      clockOffset: realtime - monotonic,
    });
  }
}

/** What is mapped already in processes that came into scope while they ran. */
export function addProcesses(mappings: Mappings, pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      mappings.addProcess(pid);
    } catch (error) {
      // It ended after it was listed.
      if (!(error instanceof NativeError && error.code === 'NotFound')) throw error;
    }
  }
}

/** Mapped memory: takes effect with the next event, no system call. */
export function control(
  object: BpfObject,
  set: { sampleEvery?: number; containers?: number; stopped?: boolean },
): void {
  if (set.sampleEvery !== undefined) object.setVariable('job_sample_every', set.sampleEvery);
  if (set.containers !== undefined) object.setVariable('job_containers', set.containers);
  if (set.stopped !== undefined) object.setVariable('job_stopped', set.stopped ? 1 : 0);
}
