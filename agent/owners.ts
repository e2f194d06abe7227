// Whose a row is: the scope ids that kernel keys carry, and the owner each stands for. Neighbours: agent/scope.ts puts them into the kernel.

import type { Owner } from '../results/shape.ts';
import type { SessionRequest, Target } from './plan.ts';

/** The owners of a session's rows by scope id. Ids start at 1; 0 means "not in scope" in the kernel. */
export interface Owners {
  readonly scoped: readonly { id: bigint; target: Target }[];
  /** The owner of a row; for an id that is not known, the node alone: absent rather than wrong. */
  of(scopeId: bigint): Owner;
  all(): Owner[];
  /** Ready-made JSON members for native's encoder, by scope id. */
  members(): Map<bigint, string>;
}

export function ownersOf(request: Pick<SessionRequest, 'node' | 'targets'>): Owners {
  const scoped = request.targets.map((target, index) => ({ id: BigInt(index + 1), target }));
  const byId = new Map(
    scoped.map(({ id, target }): [bigint, Owner] => [id, { node: request.node, ...target.owner }]),
  );
  const nobody: Owner = { node: request.node, namespace: null, pod: null, container: null };
  return {
    scoped,
    of: (scopeId) => byId.get(scopeId) ?? nobody,
    all: () => [...byId.values()],
    members: () => new Map([...byId].map(([id, owner]) => [id, jsonMembers(owner)])),
  };
}

function jsonMembers(owner: Owner): string {
  return JSON.stringify(owner).slice(1, -1);
}
