// The operator put together: caches, election, the loop while it leads, health, an orderly end. Neighbours: operator/main.ts (reads the environment and
// gives the certificates), operator/reconcile.ts (the loop).

import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import type { AgentApi } from '../agent/api.ts';
import type { Gadget } from '../bpf/gadget.ts';
import { agentPool } from './agents.ts';
import { assignerOf } from './assign.ts';
import { evenClock } from './clock.ts';
import { emptyCluster } from './cluster.ts';
import { collector } from './collect.ts';
import { deliverer } from './deliver.ts';
import type { Hands, Log } from './hands.ts';
import { serveHealth } from './health.ts';
import { jobApi } from './kubernetes.ts';
import { campaign, leasesOf } from './leader.ts';
import { listsOf } from './list.ts';
import { startMetrics } from './metrics.ts';
import { type OpenStore, publisher } from './publish.ts';
import { type Reconciler, startReconciler } from './reconcile.ts';
import { rosterOf, rosterWriter } from './roster.ts';
import { startWatching } from './watch.ts';

export interface OperatorOptions {
  kubeConfig: KubeConfig;
  /** The release's. */
  namespace: string;
  identity: string;
  /** A folder of this process's own; emptied at the start. */
  scratch: string;
  excluded: ReadonlySet<string>;
  stopEverything: boolean;
  healthPort: number;
  agentService: string;
  gadgets: readonly Gadget[];
  connect: (address: string) => AgentApi;
  openStore: OpenStore;
  partsAbove: number;
  log: Log;
}

export interface Operator {
  isLeader(): boolean;
  healthPort: number;
  /** Connections to agents are made anew: the certificates have changed. */
  renewConnections(): void;
  /** Resolves when it can't go on: it leads no longer. */
  ended: Promise<void>;
  close(): Promise<void>;
}

export const leaseName = 'sonde-operator';

export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { kubeConfig, namespace, identity, scratch, log } = options;
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  for (const name of await readdir(scratch)) await rm(join(scratch, name), { recursive: true, force: true });
  const clock = evenClock();
  const cluster = emptyCluster();
  let reconciler: Reconciler | undefined;
  const ledgers = () => reconciler?.ledgers.values() ?? [];
  const inUse = () => new Set([...ledgers()].flatMap((ledger) => [...ledger.nodes.keys()]));
  const agents = agentPool(cluster, clock, options.connect, inUse);
  const watching = startWatching({
    kubeConfig,
    lists: listsOf(kubeConfig),
    cluster,
    namespace,
    agentService: options.agentService,
    log,
    jobChanged: (uid) => reconciler?.wake(uid),
    worldChanged: (where) => {
      if (where === undefined) reconciler?.wakeAll();
      else wakeThose(cluster.jobs.values(), where, reconciler);
    },
  });
  const leadership = campaign(leasesOf(kubeConfig, namespace, leaseName), identity, clock, log);
  const metrics = startMetrics(cluster, ledgers, leadership.isLeader);
  const health = await serveHealth(options.healthPort, watching.isSynced, metrics);
  const roster = rosterOf(clock, cluster.agents, rosterWriter(kubeConfig, namespace), log);
  const collect = collector(scratch, clock);
  const hands: Hands = {
    clock,
    cluster,
    agentOn: (node) => agents.on(node),
    api: jobApi(kubeConfig, identity),
    results: {
      collect,
      deliver: deliverer({ collect, openStore: options.openStore, clock, log }),
      ...publisher(scratch, options.openStore),
    },
    partsAbove: options.partsAbove,
    described: roster.put,
    log,
    counts: metrics,
  };
  let closed = false;
  void Promise.all([watching.synced, leadership.gained]).then(() => {
    if (closed || !leadership.isLeader()) return;
    const { excluded, stopEverything, gadgets } = options;
    reconciler = startReconciler(hands, { assign: assignerOf(gadgets), excluded, stopEverything });
    reconciler.wakeAll();
  });
  return {
    isLeader: leadership.isLeader,
    healthPort: health.port,
    renewConnections: () => agents.renew(),
    ended: leadership.lost,
    async close() {
      closed = true;
      // First nothing more is decided, then another may: never two at once.
      reconciler?.close();
      roster.close();
      watching.close();
      agents.close();
      await leadership
        .release()
        .catch((error: unknown) => log.warn({ error: String(error) }, 'the Lease was not given back'));
      await health.close();
    },
  };
}

function wakeThose(
  jobs: Iterable<{ metadata: { uid: string; namespace?: string } }>,
  namespace: string,
  reconciler: Reconciler | undefined,
): void {
  for (const { metadata } of jobs)
    if (metadata.namespace === undefined || metadata.namespace === namespace) reconciler?.wake(metadata.uid);
}
