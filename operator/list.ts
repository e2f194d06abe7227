// Lists a collection of the API server page by page, each object cut down as it comes: a big cluster's pods are never in memory whole.
// Neighbour: operator/watch.ts.

import {
  CoreV1Api,
  CustomObjectsApi,
  DiscoveryV1Api,
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
} from '@kubernetes/client-node';
import { group, type Kind, version } from '../crds/trace-job.ts';

/** One page, from where the last one ended. */
export type ListPage = (page: {
  limit: number;
  _continue?: string;
}) => Promise<KubernetesListObject<KubernetesObject>>;

export interface Lists {
  jobs(kind: Kind): ListPage;
  pods: ListPage;
  nodes: ListPage;
  namespaces: ListPage;
  slices(namespace: string, labelSelector: string): ListPage;
}

const pageSize = 500;

export function listsOf(kubeConfig: KubeConfig): Lists {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const discovery = kubeConfig.makeApiClient(DiscoveryV1Api);
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  return {
    jobs: (kind) => (page) =>
      custom.listCustomObjectForAllNamespaces({
        group,
        version,
        resourcePlural: `${kind.toLowerCase()}s`,
        ...page,
      }),
    pods: (page) => core.listPodForAllNamespaces(page),
    nodes: (page) => core.listNode(page),
    namespaces: (page) => core.listNamespace(page),
    slices: (namespace, labelSelector) => (page) =>
      discovery.listNamespacedEndpointSlice({ namespace, labelSelector, ...page }),
  };
}

export async function listAll<T extends KubernetesObject>(
  page: ListPage,
  cut: (object: KubernetesObject) => T,
): Promise<KubernetesListObject<T>> {
  const items: T[] = [];
  let next: string | undefined;
  let resourceVersion = '';
  do {
    const { items: some, metadata } = await page({
      limit: pageSize,
      ...(next === undefined ? {} : { _continue: next }),
    });
    for (const object of some) items.push(cut(object));
    // Custom resources come as plain JSON, others through the client's own names.
    const { _continue, continue: plain } = (metadata ?? {}) as { _continue?: string; continue?: string };
    next = _continue ?? plain;
    resourceVersion ||= metadata?.resourceVersion ?? '';
  } while (next !== undefined && next !== '');
  return { items, metadata: { resourceVersion } };
}
