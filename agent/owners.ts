// Whose a row is: the scope ids that kernel keys carry, and the owner each stands for. Neighbours: agent/scope.ts puts targets' into the kernel,
// agent/pods.ts knows those of pods.

import type { Owner } from '../results/shape.ts';
import type { SessionRequest, Target } from './plan.ts';

/** The owners of a session's rows by scope id. Ids start at 1; 0 means "not in scope" in the kernel. */
export interface Owners {
  /** The owner of a row; null: the row is not the job's (a pod's sandbox, a container that nobody asked for). For an id that is not known, the node
   *  alone: absent rather than wrong. */
  of(scopeId: bigint): Owner | null;
  all(): Owner[];
  /** Ready-made JSON members for native's encoder, by scope id. */
  members(): Map<bigint, string>;
}

/** A target's scope id is its place in the request, from 1 on. */
export function scopedTargets(targets: readonly Target[]): { id: bigint; target: Target }[] {
  return targets.map((target, index) => ({ id: BigInt(index + 1), target }));
}

export function ownersOf(request: Pick<SessionRequest, 'node' | 'targets'>): Owners {
  const byId = new Map(
    scopedTargets(request.targets).map(({ id, target }): [bigint, Owner] => [
      id,
      { node: request.node, ...target.owner },
    ]),
  );
  const nobody = nobodyOn(request.node);
  return {
    of: (scopeId) => byId.get(scopeId) ?? nobody,
    all: () => [...byId.values()],
    members: () => new Map([...byId].map(([id, owner]) => [id, jsonMembers(owner)])),
  };
}

/** Whose a network namespace is: ids are given as they are found. */
export interface NetworkOwners extends Owners {
  add(owner: Owner): bigint;
}

export function networkOwners(node: string): NetworkOwners {
  const owners: Owner[] = [];
  return {
    add: (owner) => BigInt(owners.push(owner)),
    of: (id) => owners[Number(id) - 1] ?? nobodyOn(node),
    all: () => [...owners],
    members: () => new Map(owners.map((owner, index) => [BigInt(index + 1), jsonMembers(owner)])),
  };
}

export function nobodyOn(node: string): Owner {
  return { node, namespace: null, pod: null, container: null };
}

/** An owner as it stands in a line of events. */
export function jsonMembers({ node, namespace, pod, container }: Owner): string {
  return JSON.stringify({ node, namespace, pod, container }).slice(1, -1);
}
