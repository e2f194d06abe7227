// API objects cut down to what the operator needs. They come from lists (dates as Date) and from watches (as text), and are not trusted to be
// whole. Neighbours: operator/watch.ts, operator/cluster.ts.

import type { KubernetesObject, V1EndpointSlice, V1Namespace, V1Node, V1Pod } from '@kubernetes/client-node';
import type { TraceJobStatus } from '../crds/status.ts';
import type { Kind } from '../crds/trace-job.ts';
import type { JobObject, NodeObject, PodObject } from './cluster.ts';

/** What an informer keeps of an object. */
export interface Cut<T> {
  metadata: { name: string; namespace?: string; resourceVersion: string };
  value: T;
}

export const denyLabel = 'sonde.dev/tracing';
const hashAnnotation = 'kubernetes.io/config.hash';

export function cutJob(kind: Kind): (object: KubernetesObject) => JobObject {
  return (object) => {
    const {
      metadata = {},
      spec,
      status,
    } = object as KubernetesObject & { spec?: unknown; status?: TraceJobStatus };
    return {
      kind,
      metadata: {
        name: metadata.name ?? '',
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        uid: metadata.uid ?? '',
        generation: metadata.generation ?? 0,
        ...(metadata.deletionTimestamp === undefined
          ? {}
          : { deletionTimestamp: String(metadata.deletionTimestamp) }),
        finalizers: metadata.finalizers ?? [],
        resourceVersion: metadata.resourceVersion ?? '',
      },
      spec: spec ?? {},
      status: status ?? {},
    };
  };
}

export function cutPod(object: KubernetesObject): PodObject {
  const { metadata = {}, spec, status } = object as V1Pod;
  const { nodeName } = spec ?? {};
  const configHash = metadata.annotations?.[hashAnnotation];
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled')?.lastTransitionTime;
  return {
    uid: metadata.uid ?? '',
    name: metadata.name ?? '',
    namespace: metadata.namespace ?? '',
    labels: metadata.labels ?? {},
    ...(nodeName === undefined || nodeName === '' ? {} : { node: nodeName }),
    ended: status?.phase === 'Succeeded' || status?.phase === 'Failed',
    hostNetwork: spec?.hostNetwork === true,
    hostPid: spec?.hostPID === true,
    ...(configHash === undefined ? {} : { configHash }),
    scheduledAt: moment(scheduled ?? metadata.creationTimestamp),
    containers: containersOf(status),
  };
}

/** `containerd://<id>` of each container that has run, now or before. */
function containersOf(status: V1Pod['status']): PodObject['containers'] {
  const all = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  const named = new Map<string, string>();
  for (const { name, containerID, lastState, state } of all)
    for (const id of [lastState?.terminated?.containerID, state?.terminated?.containerID, containerID]) {
      const bare = id?.replace(/^[^:]*:\/\//, '');
      if (bare !== undefined && bare !== '') named.set(bare, name);
    }
  return [...named].map(([id, name]) => ({ name, id }));
}

function moment(time: Date | string | undefined): number {
  const ms = time === undefined ? 0 : new Date(time).getTime();
  return Number.isNaN(ms) ? 0 : ms;
}

export function cutNode(object: KubernetesObject): NodeObject {
  const { metadata = {}, status } = object as V1Node;
  const labels = metadata.labels ?? {};
  const arch = status?.nodeInfo?.architecture ?? labels['kubernetes.io/arch'];
  return { name: metadata.name ?? '', labels, arch: arch === 'arm64' ? 'arm64' : 'x86' };
}

export function cutNamespace(object: KubernetesObject): { name: string; denied: boolean } {
  const { metadata = {} } = object as V1Namespace;
  return { name: metadata.name ?? '', denied: metadata.labels?.[denyLabel] === 'deny' };
}

export interface Slice {
  name: string;
  port: number | undefined;
  endpoints: { node: string; address: string }[];
}

/** An agent that is being ended still serves what it has. */
export function cutSlice(object: KubernetesObject): Slice {
  const { metadata = {}, endpoints, ports } = object as V1EndpointSlice;
  const port = ports?.find(({ name }) => name === 'grpc') ?? ports?.[0];
  const serving = (endpoints ?? []).filter(
    ({ conditions }) => (conditions?.serving ?? conditions?.ready) !== false,
  );
  return {
    name: metadata.name ?? '',
    port: port?.port,
    endpoints: serving.flatMap(({ nodeName, addresses }) =>
      nodeName === undefined || addresses[0] === undefined ? [] : [{ node: nodeName, address: addresses[0] }],
    ),
  };
}

export function addressesOf({ port, endpoints }: Slice): Map<string, string> {
  if (port === undefined) return new Map();
  return new Map(
    endpoints.map(({ node, address }) => [
      node,
      address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    ]),
  );
}
