// Connections to agents, made when they are first needed and closed when nothing has used them for a while. Neighbours: operator/cluster.ts (which
// agents there are), agent/client.ts (a connection).

import type { AgentApi } from '../agent/api.ts';
import type { Clock } from './clock.ts';
import type { Cluster } from './cluster.ts';

const idleMs = 120_000;

export interface Agents {
  on(node: string): AgentApi | undefined;
  /** The certificates have changed: connections are made anew when they are next needed; streams that are open go on. */
  renew(): void;
  close(): void;
}

interface Connection {
  address: string;
  api: AgentApi;
  usedAt: number;
}

/** `inUse`: nodes with jobs that are followed. */
export function agentPool(
  cluster: Cluster,
  clock: Clock,
  connect: (address: string) => AgentApi,
  inUse: () => ReadonlySet<string>,
): Agents {
  const connections = new Map<string, Connection>();
  let callOff = clock.after(idleMs, look);

  function drop(node: string): void {
    connections.get(node)?.api.close();
    connections.delete(node);
  }

  function look(): void {
    const used = inUse();
    for (const [node, { address, usedAt }] of connections) {
      const moved = cluster.agents.get(node) !== address;
      if (moved || (!used.has(node) && clock.now() - usedAt > idleMs)) drop(node);
    }
    callOff = clock.after(idleMs, look);
  }

  return {
    on(node) {
      const address = cluster.agents.get(node);
      const known = connections.get(node);
      if (address === undefined) return undefined;
      if (known?.address === address) {
        known.usedAt = clock.now();
        return known.api;
      }
      drop(node);
      const api = connect(address);
      connections.set(node, { address, api, usedAt: clock.now() });
      return api;
    },
    renew() {
      // Closing would break streams: they are left to their users and the garbage collector's next look.
      const stale = [...connections.values()];
      connections.clear();
      clock.after(idleMs, () => {
        for (const { api } of stale) api.close();
      });
    },
    close() {
      callOff();
      for (const node of [...connections.keys()]) drop(node);
    },
  };
}
