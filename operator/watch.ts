// Informers that keep operator/cluster.ts as the cluster is: jobs, pods, nodes, namespaces, the agents' endpoints. Objects are cut down to what is needed
// as they come in. They are begun again whenever the API server went away. Neighbours: operator/trim.ts (what is kept), operator/main.ts.

import { setTimeout as pause } from 'node:timers/promises';
import { type KubeConfig, type KubernetesObject, ListWatch, Watch } from '@kubernetes/client-node';
import { apiVersion, kinds } from '../crds/trace-job.ts';
import type { Cluster } from './cluster.ts';
import type { Log } from './hands.ts';
import { type ListPage, type Lists, listAll } from './list.ts';
import { addressesOf, type Cut, cutJob, cutNamespace, cutNode, cutPod, cutSlice } from './trim.ts';

export interface WatchOptions {
  kubeConfig: KubeConfig;
  lists: Lists;
  cluster: Cluster;
  /** Where the agents' Service is. */
  namespace: string;
  agentService: string;
  log: Log;
  /** A job came, changed or went. */
  jobChanged(uid: string): void;
  /** Something changed that any job may depend on. `namespace`: only jobs of this one and cluster-wide ones. */
  worldChanged(namespace?: string): void;
}

export interface Watching {
  /** Resolves when everything has been listed once. */
  synced: Promise<void>;
  isSynced(): boolean;
  close(): void;
}

/** Longer waits between watches that end by themselves would make pods come late. */
const reconnectMs = 250;
const retryMs = { first: 250, longest: 5_000 };

export function startWatching(options: WatchOptions): Watching {
  const { cluster, lists, namespace, agentService, jobChanged, worldChanged } = options;
  const selector = `kubernetes.io/service-name=${agentService}`;
  const slices = new Map<string, Map<string, string>>();
  const setAgents = () => {
    cluster.setAgents(new Map([...slices.values()].flatMap((addresses) => [...addresses])));
    worldChanged();
  };
  const sources = [
    ...kinds.map((kind) =>
      start(options, `/apis/${apiVersion}/${kind.toLowerCase()}s`, lists.jobs(kind), cutJob(kind), {
        put: (job) => {
          cluster.putJob(job);
          jobChanged(job.metadata.uid);
        },
        remove: (job) => {
          cluster.removeJob(job.metadata.uid);
          jobChanged(job.metadata.uid);
        },
      }),
    ),
    start(options, '/api/v1/pods', lists.pods, cutPod, {
      put: (pod) => {
        cluster.putPod(pod);
        worldChanged(pod.namespace);
      },
      remove: (pod) => {
        cluster.removePod(pod);
        worldChanged(pod.namespace);
      },
    }),
    start(options, '/api/v1/nodes', lists.nodes, cutNode, {
      put: (node) => {
        const known = cluster.nodes.get(node.name);
        // Nodes report their health every few seconds, which is nothing to look at jobs for.
        if (known && JSON.stringify(known) === JSON.stringify(node)) return;
        cluster.putNode(node);
        worldChanged();
      },
      remove: ({ name }) => {
        cluster.removeNode(name);
        worldChanged();
      },
    }),
    start(options, '/api/v1/namespaces', lists.namespaces, cutNamespace, {
      put: ({ name, denied }) => {
        if (denied === cluster.denied.has(name)) return;
        cluster.setDenied(name, denied);
        worldChanged();
      },
      remove: ({ name }) => cluster.setDenied(name, false),
    }),
    start(
      options,
      `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      lists.slices(namespace, selector),
      cutSlice,
      {
        put: (slice) => {
          slices.set(slice.name, addressesOf(slice));
          setAgents();
        },
        remove: ({ name }) => {
          slices.delete(name);
          setAgents();
        },
      },
      selector,
    ),
  ];
  let synced = false;
  return {
    synced: Promise.all(sources.map((source) => source.listed)).then(() => {
      synced = true;
    }),
    isSynced: () => synced,
    close: () => {
      for (const source of sources) source.close();
    },
  };
}

/** Cuts objects down before the informer keeps them, and asks for bookmarks, so that a quiet resource need not be listed again. */
class CuttingWatch extends Watch {
  private readonly cut: (object: KubernetesObject) => KubernetesObject;

  constructor(kubeConfig: KubeConfig, cut: (object: KubernetesObject) => KubernetesObject) {
    super(kubeConfig);
    this.cut = cut;
  }

  override watch(
    path: string,
    parameters: Record<string, string | number | boolean | undefined>,
    callback: (phase: string, object: KubernetesObject, event?: unknown) => void,
    done: (error: unknown) => void,
  ): Promise<AbortController> {
    const each = (phase: string, object: KubernetesObject, event?: unknown) => {
      const whole = phase === 'ERROR' || phase === 'BOOKMARK';
      callback(phase, whole ? object : this.cut(object), event);
    };
    return super.watch(path, { ...parameters, allowWatchBookmarks: true }, each, done);
  }
}

interface Change<T> {
  put(value: T): void;
  remove(value: T): void;
}

function start<T>(
  { kubeConfig, log }: WatchOptions,
  path: string,
  page: ListPage,
  cut: (object: KubernetesObject) => T,
  change: Change<T>,
  labelSelector?: string,
): { listed: Promise<void>; close(): void } {
  const { promise: listed, resolve } = Promise.withResolvers<void>();
  const keep = (object: KubernetesObject): Cut<T> => ({
    metadata: {
      name: object.metadata?.name ?? '',
      ...(object.metadata?.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
      resourceVersion: object.metadata?.resourceVersion ?? '',
    },
    value: cut(object),
  });
  const list = async () => {
    const found = await listAll(page, keep);
    wait = retryMs.first;
    // The informer takes the items over after this returns.
    setImmediate(resolve);
    return found;
  };
  const informer = new ListWatch<Cut<T>>(
    path,
    new CuttingWatch(kubeConfig, keep),
    list,
    false,
    labelSelector,
    undefined,
    {
      delayFn: (ms) => pause(Math.min(ms, reconnectMs)),
    },
  );
  let closed = false;
  let wait = retryMs.first;
  const again = async (error: unknown) => {
    if (closed) return;
    log.warn({ path, error: String(error) }, 'the API server went away; asking again');
    await pause(wait, undefined, { ref: false });
    wait = Math.min(wait * 2, retryMs.longest);
    if (!closed) begin();
  };
  const begin = () => {
    informer.start().catch(again);
  };
  informer.on('add', ({ value }) => change.put(value));
  informer.on('update', ({ value }) => change.put(value));
  informer.on('delete', ({ value }) => change.remove(value));
  informer.on('error', (error) => void again(error));
  begin();
  return {
    listed,
    close() {
      closed = true;
      void informer.stop();
    },
  };
}
