// What is known of the cluster: jobs, pods, nodes, denied namespaces, agents; only the fields that are needed, so that it stays small. Neighbours:
// operator/watch.ts (fills it from informers), operator/observe.ts (reads it), operator/simulation.test.ts (plays it).

import type { TraceJobStatus } from '../crds/status.ts';
import type { Kind } from '../crds/trace-job.ts';

export interface JobObject {
  kind: Kind;
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    generation: number;
    deletionTimestamp?: string;
    finalizers: string[];
    resourceVersion: string;
  };
  spec: unknown;
  status: TraceJobStatus;
}

export interface PodObject {
  uid: string;
  name: string;
  namespace: string;
  labels: Record<string, string>;
  /** Absent until it is scheduled. */
  node?: string;
  ended: boolean;
  hostNetwork: boolean;
  hostPid: boolean;
  configHash?: string;
  scheduledAt: number;
  /** Every container id that a status has named, ended ones too. */
  containers: { name: string; id: string }[];
}

export interface NodeObject {
  name: string;
  labels: Record<string, string>;
  arch: 'x86' | 'arm64';
}

/** Ids kept of one pod: of a container that crashes without end, the last ones. */
const mostContainers = 200;

export interface Cluster {
  jobs: ReadonlyMap<string, JobObject>;
  nodes: ReadonlyMap<string, NodeObject>;
  /** Namespaces labelled sonde.dev/tracing: deny. */
  denied: ReadonlySet<string>;
  /** Node → ip:port of its agent, where that is ready. */
  agents: ReadonlyMap<string, string>;
  pods(namespace: string | null): Iterable<PodObject>;
  /** Raised at every change to pods, nodes, namespaces and agents. */
  revision(): number;
  putJob(job: JobObject): void;
  removeJob(uid: string): void;
  putPod(pod: PodObject): void;
  removePod(pod: Pick<PodObject, 'uid' | 'namespace'>): void;
  putNode(node: NodeObject): void;
  removeNode(name: string): void;
  setDenied(namespace: string, denied: boolean): void;
  setAgents(agents: ReadonlyMap<string, string>): void;
}

export function emptyCluster(): Cluster {
  const jobs = new Map<string, JobObject>();
  const nodes = new Map<string, NodeObject>();
  const denied = new Set<string>();
  const agents = new Map<string, string>();
  const namespaces = new Map<string, Map<string, PodObject>>();
  let revision = 0;
  return {
    jobs,
    nodes,
    denied,
    agents,
    *pods(namespace) {
      if (namespace !== null) yield* namespaces.get(namespace)?.values() ?? [];
      else for (const pods of namespaces.values()) yield* pods.values();
    },
    revision: () => revision,
    putJob(job) {
      jobs.set(job.metadata.uid, job);
    },
    removeJob(uid) {
      jobs.delete(uid);
    },
    putPod(pod) {
      const pods = namespaces.get(pod.namespace) ?? new Map<string, PodObject>();
      namespaces.set(pod.namespace, pods);
      const known = pods.get(pod.uid);
      pods.set(pod.uid, known ? { ...pod, containers: joined(known.containers, pod.containers) } : pod);
      revision++;
    },
    removePod({ namespace, uid }) {
      const pods = namespaces.get(namespace);
      pods?.delete(uid);
      if (pods?.size === 0) namespaces.delete(namespace);
      revision++;
    },
    putNode(node) {
      nodes.set(node.name, node);
      revision++;
    },
    removeNode(name) {
      nodes.delete(name);
      revision++;
    },
    setDenied(namespace, is) {
      if (is) denied.add(namespace);
      else denied.delete(namespace);
      revision++;
    },
    setAgents(now) {
      agents.clear();
      for (const [node, address] of now) agents.set(node, address);
      revision++;
    },
  };
}

/** Ids that were seen before stay: rows of a container that has ended still get its name. */
function joined(before: PodObject['containers'], now: PodObject['containers']): PodObject['containers'] {
  const kept = before.filter(({ id }) => !now.some((each) => each.id === id));
  return kept.length === 0 ? now : [...kept, ...now].slice(-mostContainers);
}
