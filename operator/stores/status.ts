// Says of every TraceStore and ClusterTraceStore whether the operator can write to it, so that a wrong key is seen before a result is lost for it.
// Neighbours: operator/stores/open.ts, crds/trace-store.ts (the status). Only the leader does it.

import { CustomObjectsApi, type KubeConfig, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { apiVersion, group, version } from '../../crds/trace-job.ts';
import { type StoreKind, type StoreStatus, storeKinds } from '../../crds/trace-store.ts';
import type { Log } from '../hands.ts';
import { fieldManager, httpStatus } from '../kubernetes.ts';
import { openObject } from './open.ts';
import { StoreError } from './store.ts';

export interface StoreObject {
  kind: StoreKind;
  metadata: { name: string; namespace?: string; uid: string; generation: number };
  spec: unknown;
  status?: StoreStatus;
}

export interface StoreStatusOptions {
  kubeConfig: KubeConfig;
  /** The release namespace. */
  namespace: string;
  /** The folder of filesystem stores. */
  data: string;
  log: Log;
  isLeader(): boolean;
}

/** A change of a store is seen after this; one that did not change is tried again after the other. */
const lookMs = 10_000;
export const againMs = 5 * 60_000;
/** A server that takes longer to store one line is as good as down. */
const checkMs = 20_000;

export function startStoreStatus(options: StoreStatusOptions): { close(): void } {
  const ending = new AbortController();
  const checkedAt = new Map<string, number>();
  const look = async () => {
    if (!options.isLeader()) return checkedAt.clear();
    const objects = await listStores(options.kubeConfig);
    const due = objects.filter((object) => isDue(object, checkedAt.get(object.metadata.uid), Date.now()));
    for (const object of due) {
      checkedAt.set(object.metadata.uid, Date.now());
      const refusal = await checkStore(object, options, ending.signal);
      ending.signal.throwIfAborted();
      await applyStatus(options.kubeConfig, object, statusOf(object, refusal, Date.now()));
    }
    const known = new Set(objects.map(({ metadata }) => metadata.uid));
    for (const uid of checkedAt.keys()) if (!known.has(uid)) checkedAt.delete(uid);
  };
  let timer: NodeJS.Timeout | undefined;
  const loop = async () => {
    await look().catch((error: unknown) => {
      if (!ending.signal.aborted) options.log.warn({ error: String(error) }, 'stores could not be looked at');
    });
    if (!ending.signal.aborted) timer = setTimeout(() => void loop(), lookMs);
  };
  void loop();
  return {
    close() {
      ending.abort();
      clearTimeout(timer);
    },
  };
}

/** Pure. */
export function isDue(
  { metadata, status }: StoreObject,
  checkedAt: number | undefined,
  now: number,
): boolean {
  if (checkedAt === undefined || status?.observedGeneration !== metadata.generation) return true;
  return now - checkedAt >= againMs;
}

/** Pure. refusal: why it can't be written to. */
export function statusOf(
  { metadata: { generation }, status }: StoreObject,
  refusal: { reason: string; message: string } | undefined,
  now: number,
): StoreStatus {
  const before = status?.conditions?.find(({ type }) => type === 'Ready');
  const holds = refusal === undefined ? 'True' : 'False';
  const since =
    before?.status === holds
      ? before.lastTransitionTime
      : new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  const { reason, message } = refusal ?? { reason: 'Writable', message: 'The operator can write to it.' };
  return {
    observedGeneration: generation,
    conditions: [
      {
        type: 'Ready',
        status: holds,
        observedGeneration: generation,
        lastTransitionTime: since,
        reason,
        message: message.slice(0, 1024),
      },
    ],
  };
}

async function checkStore(
  object: StoreObject,
  options: StoreStatusOptions,
  ending: AbortSignal,
): Promise<{ reason: string; message: string } | undefined> {
  try {
    const { store } = await openObject(object, options);
    const signal = AbortSignal.any([AbortSignal.timeout(checkMs), ending]);
    await store.check(signal).finally(() => store.close());
    return undefined;
  } catch (error) {
    if (error instanceof StoreError) return { reason: error.reason, message: error.message };
    if (error instanceof DOMException && error.name === 'TimeoutError')
      return {
        reason: 'StoreUnreachable',
        message: `it does not answer within ${checkMs / 1000} s; is it up?`,
      };
    throw error;
  }
}

async function listStores(kubeConfig: KubeConfig): Promise<StoreObject[]> {
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  const lists = storeKinds.map(async (kind) => {
    const resourcePlural = `${kind.toLowerCase()}s`;
    const { items } = await custom.listCustomObjectForAllNamespaces({ group, version, resourcePlural });
    return (items as Omit<StoreObject, 'kind'>[]).map((item) => ({ ...item, kind }));
  });
  return (await Promise.all(lists)).flat();
}

async function applyStatus(kubeConfig: KubeConfig, object: StoreObject, status: StoreStatus): Promise<void> {
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  const { name, namespace, uid } = object.metadata;
  const { kind } = object;
  const head = { apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }), uid } };
  const plural = `${kind.toLowerCase()}s`;
  const request = { group, version, plural, name, body: { ...head, status }, fieldManager, force: true };
  const apply = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);
  const done =
    namespace === undefined
      ? custom.patchClusterCustomObjectStatus(request, apply)
      : custom.patchNamespacedCustomObjectStatus({ ...request, namespace }, apply);
  await done.catch((error: unknown) => {
    // Gone in the meantime.
    if (httpStatus(error) !== 404 && httpStatus(error) !== 409) throw error;
  });
}
