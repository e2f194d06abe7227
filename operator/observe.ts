// From the cluster and a job's ledger to what the plan sees: which pods, on which nodes. Pure but for the ledger's memory of pods it has chosen.
// Neighbours: operator/cluster.ts, operator/ledger.ts, operator/plan.ts.

import { createHash } from 'node:crypto';
import type { PodTarget } from '../agent/api.ts';
import type { Selector } from '../crds/fields.ts';
import type { Assigned, Assigner } from './assign.ts';
import type { Cluster, JobObject, PodObject } from './cluster.ts';
import type { Ledger } from './ledger.ts';
import { finalizer, type Observed, type ObservedNode } from './observed.ts';

export interface ObserveOptions {
  assign: Assigner;
  excluded: ReadonlySet<string>;
  stopEverything: boolean;
  /** Every agent that is there has said which jobs it has. */
  swept: boolean;
}

/** Of a pod that has gone, its containers' names are still wanted; agents take no more pods than this. */
const mostPods = 4096;

export function observe(
  cluster: Cluster,
  job: JobObject,
  ledger: Ledger,
  options: ObserveOptions,
  now: number,
): Observed {
  const { metadata } = job;
  const namespace = metadata.namespace ?? null;
  if (ledger.read?.generation !== metadata.generation) {
    ledger.read = { generation: metadata.generation, assigned: options.assign(job) };
    ledger.choice = undefined;
  }
  const { assigned } = ledger.read;
  if (metadata.deletionTimestamp !== undefined) ledger.deletedAt ??= now;
  const ends = options.stopEverything || ('assignment' in assigned && assigned.assignment.suspend);
  if (ends) ledger.endingAt ??= now;
  else ledger.endingAt = undefined;
  if ('assignment' in assigned && ledger.choice?.revision !== cluster.revision())
    choosePods(cluster, job, assigned, ledger, options.excluded, now);
  return {
    job: {
      kind: job.kind,
      namespace,
      name: metadata.name,
      uid: metadata.uid,
      generation: metadata.generation,
      knownSince: ledger.knownSince,
      ...(ledger.deletedAt === undefined ? {} : { deletedAt: ledger.deletedAt }),
      ...(ledger.endingAt === undefined ? {} : { endingAt: ledger.endingAt }),
      ...(ledger.inherited === undefined ? {} : { inherited: ledger.inherited }),
      finalizer: ledger.finalizer ?? metadata.finalizers.includes(finalizer),
      spec: 'assignment' in assigned ? { assignment: assigned.assignment } : assigned,
      status: ledger.status,
    },
    stopEverything: options.stopEverything,
    namespace: ledger.choice?.denied === true ? 'Denied' : standing(cluster, namespace, options.excluded),
    nodes: nodesOf(cluster, ledger),
    pods: { matched: ledger.choice?.matched ?? 0, notAllowed: ledger.choice?.notAllowed ?? 0 },
    swept: options.swept,
    publication: ledger.publication,
  };
}

function standing(
  cluster: Cluster,
  namespace: string | null,
  excluded: ReadonlySet<string>,
): Observed['namespace'] {
  if (namespace === null) return 'Allowed';
  if (excluded.has(namespace)) return 'Excluded';
  return cluster.denied.has(namespace) ? 'Denied' : 'Allowed';
}

/** The pods to trace as they are now, beside those chosen before, by node. */
function choosePods(
  cluster: Cluster,
  job: JobObject,
  assigned: Assigned,
  ledger: Ledger,
  excluded: ReadonlySet<string>,
  now: number,
): void {
  const { target, gadget } = assigned;
  const namespace = job.metadata.namespace ?? null;
  let notAllowed = 0;
  const matching: PodObject[] = [];
  for (const pod of cluster.pods(namespace)) {
    if (pod.node === undefined || (pod.ended && !ledger.chosen.has(pod.uid))) continue;
    if (excluded.has(pod.namespace) || cluster.denied.has(pod.namespace)) continue;
    if (!matches(target.selector, pod.labels)) continue;
    if (target.nodes !== undefined && !matches(target.nodes, cluster.nodes.get(pod.node)?.labels ?? {}))
      continue;
    // What such a pod does shows other pods' processes or traffic.
    const foreign = pod.hostPid || (pod.hostNetwork && gadget.subject === 'netns');
    if (job.kind === 'TraceJob' && foreign) notAllowed++;
    else matching.push(pod);
  }
  const sample = sampleOf(matching, target.maxPods, ledger.chosen);
  for (const pod of sample) {
    // By a clock that is ahead of this one it may be scheduled in the future: it is there now.
    const scheduledAt = Math.min(pod.scheduledAt, ledger.chosen.get(pod.uid)?.scheduledAt ?? now);
    ledger.chosen.delete(pod.uid);
    const told = targetOf(pod, target.containers);
    ledger.chosen.set(pod.uid, { node: pod.node as string, scheduledAt, target: told });
  }
  for (const uid of ledger.chosen.keys()) {
    if (ledger.chosen.size <= Math.max(mostPods, sample.length)) break;
    ledger.chosen.delete(uid);
  }
  // What was recorded of a namespace that is denied while a ClusterTraceJob traces it can't be told apart any more.
  const denied = [...ledger.chosen.values()].some((chosen) => cluster.denied.has(chosen.target.namespace));
  ledger.choice = {
    revision: cluster.revision(),
    denied,
    matched: matching.length,
    notAllowed,
    byNode: grouped(ledger),
  };
}

/** At most `most`: those chosen before stay as long as they are there; others by a digest of their names, so that the sample has no order of its own. */
export function sampleOf<P extends Pick<PodObject, 'uid' | 'name' | 'namespace'>>(
  pods: readonly P[],
  most: number | undefined,
  chosen: ReadonlyMap<string, unknown>,
): P[] {
  if (most === undefined || pods.length <= most) return [...pods];
  const rank = (pod: P) =>
    `${chosen.has(pod.uid) ? 0 : 1}${createHash('sha1').update(`${pod.namespace}/${pod.name}`).digest('hex')}`;
  const ranked = pods.map((pod) => ({ pod, rank: rank(pod) })).sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return ranked.slice(0, most).map(({ pod }) => pod);
}

function targetOf(pod: PodObject, only: readonly string[] | undefined): PodTarget {
  const { uid, namespace, name, configHash, containers } = pod;
  return {
    uid,
    ...(configHash === undefined ? {} : { configHash }),
    namespace,
    name,
    containers,
    ...(only === undefined || only.length === 0 ? {} : { only: [...only] }),
  };
}

export interface NodePods {
  pods: PodTarget[];
  digest: string;
  scheduledAt: number;
}

function grouped(ledger: Ledger): Map<string, NodePods> {
  const byNode = new Map<string, { pods: PodTarget[]; scheduledAt: number }>();
  for (const { node, target, scheduledAt } of ledger.chosen.values()) {
    const known = byNode.get(node);
    if (known) {
      known.pods.push(target);
      known.scheduledAt = Math.min(known.scheduledAt, scheduledAt);
    } else byNode.set(node, { pods: [target], scheduledAt });
  }
  return new Map(
    [...byNode].map(([node, { pods, scheduledAt }]) => {
      pods.sort((a, b) => (a.uid < b.uid ? -1 : 1));
      const digest = createHash('sha1').update(JSON.stringify(pods)).digest('base64');
      return [node, { pods, digest, scheduledAt }];
    }),
  );
}

/** Nodes with pods, and nodes that have the job for pods that have gone. */
function nodesOf(cluster: Cluster, ledger: Ledger): ObservedNode[] {
  const byNode = ledger.choice?.byNode ?? new Map<string, NodePods>();
  const names = [...new Set([...byNode.keys(), ...ledger.nodes.keys()])].sort();
  return names.map((name) => {
    const { pods, digest, scheduledAt } = byNode.get(name) ?? { pods: [], digest: '', scheduledAt: 0 };
    const record = ledger.nodes.get(name);
    return {
      name,
      exists: cluster.nodes.has(name),
      agent: cluster.agents.has(name),
      pods,
      digest,
      scheduledAt,
      ...(record === undefined ? {} : { record }),
    };
  });
}

/** A label selector as Kubernetes means it; absent and empty ones take everything. */
export function matches(selector: Selector | undefined, labels: Readonly<Record<string, string>>): boolean {
  const has = (key: string) => Object.hasOwn(labels, key);
  const equal = Object.entries(selector?.matchLabels ?? {}).every(
    ([key, value]) => has(key) && labels[key] === value,
  );
  if (!equal) return false;
  return (selector?.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return has(key);
    if (operator === 'DoesNotExist') return !has(key);
    const within = has(key) && values.includes(labels[key] as string);
    return operator === 'In' ? within : !within;
  });
}
