// A cluster that a seed makes and breaks: nodes with agents, pods, an API server that is slow and forgets answers, an operator that is killed and comes
// back with another clock. The operator's own loop, plan and hands' users are the real ones. Neighbour: operator/simulation.test.ts (what must hold).

import type { TraceJobStatus } from '../../crds/status.ts';
import type { Assigner } from '../assign.ts';
import { type Cluster, emptyCluster, type JobObject, type PodObject } from '../cluster.ts';
import { callOf } from '../follow.ts';
import type { Hands, JobApi } from '../hands.ts';
import { PublishError } from '../hands.ts';
import { finalizer, type PublishedResult } from '../observed.ts';
import { type Reconciler, startReconciler } from '../reconcile.ts';
import { type SimulatedAgent, simulatedAgent } from './agent.ts';
import { calm, type Line, lineTo, type Weather } from './network.ts';
import { type Chance, offset, type SimulatedTime } from './time.ts';

export interface SimulatedNode {
  name: string;
  agent: SimulatedAgent;
  /** ip:port; another after each restart. Undefined while it is down. */
  address: string | undefined;
  gone: boolean;
}

/** What really became of a job's results. */
export interface Published {
  uid: string;
  result: PublishedResult;
  /** By node, for how long each was traced, ms. */
  traced: [node: string, ms: number][];
}

export interface World {
  nodes: Map<string, SimulatedNode>;
  /** The API server's own. */
  jobs: Map<string, JobObject>;
  published: Published[];
  /** A rule of the world that was broken, seen as it happened. */
  broken: string[];
  addPod(name: string, node: string): void;
  removePod(name: string): void;
  addJob(job: JobObject): void;
  change(uid: string, change: (job: JobObject) => JobObject): void;
  killAgent(name: string, keeps: boolean, downMs: number): void;
  removeNode(name: string): void;
  cutLine(name: string, forMs: number): void;
  startOperator(jumpMs: number): void;
  killOperator(): void;
  /** All is well from now on. */
  heal(): void;
  close(): void;
}

export interface WorldOptions {
  time: SimulatedTime;
  chance: Chance;
  nodes: { name: string; skew: number; mostJobs: number; fails: boolean }[];
  weather: Weather;
  assign: Assigner;
}

const silent = { info() {}, warn() {}, error() {} };
const uncounted = { agentError() {}, reconciled() {}, published() {}, statusWritten() {} };

export function makeWorld({ time, chance, nodes: traits, weather: first, assign }: WorldOptions): World {
  let weather = first;
  const nodes = new Map<string, SimulatedNode>();
  const lines = new Map<string, Line>();
  const pods = new Map<string, PodObject>();
  const jobs = new Map<string, JobObject>();
  const published: Published[] = [];
  const broken: string[] = [];
  let operator: { cluster: Cluster; reconciler: Reconciler; dead: boolean } | undefined;
  let addresses = 0;

  for (const { name, skew, mostJobs, fails } of traits) {
    const agent = simulatedAgent({ node: name, skew, mostJobs, fails, clock: time, chance });
    guard(agent);
    nodes.set(name, { name, agent, address: `agent-${addresses++}`, gone: false });
    lines.set(
      name,
      lineTo(
        () => (nodes.get(name)?.address === undefined ? undefined : agent),
        time,
        chance,
        () => weather,
      ),
    );
  }

  /** An agent may be told to forget a run only when the job's end stands at the API server, or the job goes. */
  function guard(agent: SimulatedAgent): void {
    const acknowledge = agent.acknowledge.bind(agent);
    agent.acknowledge = (uid) => {
      const job = jobs.get(uid);
      const ended = job === undefined || job.metadata.deletionTimestamp !== undefined || isEnded(job.status);
      const unattached = job?.status.startTime === undefined;
      if (!ended && !unattached && agent.jobs.get(uid)?.head)
        broken.push(`${agent.node} was told to forget a run before it was published`);
      acknowledge(uid);
    };
  }

  /** Brings a change to the operator that lives then, after the time a watch takes. */
  function soon(apply: (cluster: Cluster, reconciler: Reconciler) => void): void {
    const to = operator;
    time.after(chance.between(1, 30), () => {
      if (to && !to.dead) apply(to.cluster, to.reconciler);
    });
  }

  const showJob = (uid: string) =>
    soon((cluster, reconciler) => {
      const job = jobs.get(uid);
      if (job) cluster.putJob(structuredClone(job));
      else cluster.removeJob(uid);
      reconciler.wake(uid);
    });
  const showAgents = () =>
    soon((cluster, reconciler) => {
      cluster.setAgents(agentsNow());
      reconciler.wakeAll();
    });
  const agentsNow = () =>
    new Map(
      [...nodes.values()].flatMap(({ name, address }) =>
        address === undefined ? [] : [[name, address] as const],
      ),
    );

  function apiOf(me: { dead: boolean }): JobApi {
    const request = async (uid: string, change: (job: JobObject) => JobObject | undefined): Promise<void> => {
      await later();
      if (me.dead) return new Promise(() => undefined);
      if (chance.happens(weather.lost)) throw new Error('the API server is away');
      const job = jobs.get(uid);
      if (!job) throw new Error('not found');
      const next = change(job);
      if (
        next === undefined ||
        (next.metadata.deletionTimestamp !== undefined && next.metadata.finalizers.length === 0)
      )
        jobs.delete(uid);
      else jobs.set(uid, next);
      showJob(uid);
      await later();
      if (chance.happens(weather.lost)) throw new Error('the answer was lost');
    };
    return {
      applyStatus: ({ metadata: { uid } }, status) =>
        request(uid, (job) => {
          checkStatus(job, status);
          return { ...job, status: structuredClone(status) };
        }),
      setFinalizer: ({ metadata: { uid } }, present) =>
        request(uid, (job) => ({
          ...job,
          metadata: { ...job.metadata, finalizers: present ? [finalizer] : [] },
        })),
      remove: ({ metadata: { uid } }) => request(uid, deleting),
      event: async () => undefined,
    };
  }

  function checkStatus(job: JobObject, status: TraceJobStatus): void {
    if (isEnded(job.status) && !isEnded(status)) broken.push('a job that had ended went on');
    if (Buffer.byteLength(JSON.stringify(status)) > 16_384) broken.push('a status of more than 16 KiB');
  }

  function later(): Promise<void> {
    return new Promise((resolve) => time.after(chance.between(1, weather.mostDelayMs), resolve));
  }

  return {
    nodes,
    jobs,
    published,
    broken,
    addPod(name, node) {
      const pod: PodObject = {
        uid: `pod-${name}`,
        name,
        namespace: 'shop',
        labels: { app: 'api' },
        node,
        ended: false,
        hostNetwork: false,
        hostPid: false,
        scheduledAt: time.now(),
        containers: [],
      };
      pods.set(name, pod);
      soon((cluster, reconciler) => {
        cluster.putPod(pod);
        reconciler.wakeAll();
      });
    },
    removePod(name) {
      const pod = pods.get(name);
      pods.delete(name);
      soon((cluster, reconciler) => {
        if (pod) cluster.removePod(pod);
        reconciler.wakeAll();
      });
    },
    addJob(job) {
      jobs.set(job.metadata.uid, job);
      showJob(job.metadata.uid);
    },
    change(uid, change) {
      const job = jobs.get(uid);
      if (!job) return;
      const next = change(job);
      if (next.metadata.deletionTimestamp !== undefined && next.metadata.finalizers.length === 0)
        jobs.delete(uid);
      else jobs.set(uid, next);
      showJob(uid);
    },
    killAgent(name, keeps, downMs) {
      const node = nodes.get(name);
      if (!node || node.gone || node.address === undefined) return;
      node.agent.kill(keeps);
      node.address = undefined;
      lines.get(name)?.cut();
      showAgents();
      time.after(downMs, () => {
        if (node.gone) return;
        node.address = `agent-${addresses++}`;
        lines.get(name)?.restore();
        showAgents();
      });
    },
    removeNode(name) {
      const node = nodes.get(name);
      if (!node) return;
      node.gone = true;
      node.agent.kill(false);
      node.address = undefined;
      lines.get(name)?.cut();
      // The node's lease runs out first; its pods' objects stay for a while.
      time.after(chance.between(1_000, 60_000), () => {
        showAgents();
        soon((cluster, reconciler) => {
          cluster.removeNode(name);
          reconciler.wakeAll();
        });
      });
    },
    cutLine(name, forMs) {
      lines.get(name)?.cut();
      time.after(forMs, () => {
        if (nodes.get(name)?.address !== undefined) lines.get(name)?.restore();
      });
    },
    startOperator(jumpMs) {
      const cluster = emptyCluster();
      for (const job of jobs.values()) cluster.putJob(structuredClone(job));
      for (const pod of pods.values()) cluster.putPod(pod);
      for (const { name, gone } of nodes.values())
        if (!gone) cluster.putNode({ name, labels: {}, arch: 'x86' });
      cluster.setAgents(agentsNow());
      const me = { cluster, dead: false };
      const clock = offset(time, jumpMs);
      const hands: Hands = {
        clock,
        cluster,
        partsAbove: Number.MAX_SAFE_INTEGER,
        agentOn: (node) => (cluster.agents.has(node) ? lines.get(node)?.api : undefined),
        api: apiOf(me),
        results: {
          collect: async (agent, uid, node, signal) => {
            // As operator/collect.ts gives up on an agent that sends nothing.
            const { head } = await callOf({ clock }, agent.fetch(uid, 0n, signal));
            return { meta: head.meta, path: node };
          },
          // The runs here have no files.
          deliver: async () => ({ artifacts: [], lost: [] }),
          async publish(job, _store, runs) {
            await later();
            if (me.dead) return new Promise(() => undefined);
            if (chance.happens(weather.lost * 3))
              throw new PublishError({ reason: 'StoreUnreachable', message: 'no answer' }, true);
            const metas = runs.map(({ meta }) => meta);
            const meta = {
              ...(metas[0] as (typeof metas)[number]),
              owners: metas.flatMap(({ owners }) => owners),
            };
            const result = {
              artifacts: [],
              meta,
              headline: runs
                .map(({ path }) => path)
                .sort()
                .join(' '),
              summary: '',
            };
            const traced = runs.map(({ path, meta: { events } }): [string, number] => [
              path,
              Number(events.seen),
            ]);
            published.push({ uid: job.metadata.uid, result, traced });
            return result;
          },
          discard: async () => undefined,
        },
        described() {},
        log: silent,
        counts: uncounted,
      };
      const options = { assign, excluded: new Set<string>(), stopEverything: false };
      const reconciler = startReconciler(hands, options);
      operator = Object.assign(me, { reconciler });
      reconciler.wakeAll();
    },
    killOperator() {
      if (!operator) return;
      operator.dead = true;
      operator.reconciler.close();
      operator = undefined;
    },
    heal() {
      weather = calm;
      for (const { name, gone, address } of nodes.values())
        if (!gone && address !== undefined) lines.get(name)?.restore();
    },
    close() {
      operator?.reconciler.close();
    },
  };
}

export function deleting(job: JobObject): JobObject | undefined {
  const { metadata } = job;
  if (metadata.finalizers.length === 0) return undefined;
  return { ...job, metadata: { ...metadata, deletionTimestamp: 'now' } };
}

export function isEnded({ conditions }: TraceJobStatus): boolean {
  return (
    conditions?.some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True') ??
    false
  );
}
