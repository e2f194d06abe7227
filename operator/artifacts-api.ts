// TraceArtifacts and the jobs they ask for, at the API server. Neighbours: operator/artifacts.ts (the caller), operator/artifacts-decide.ts.

import { setTimeout as pause } from 'node:timers/promises';
import {
  CustomObjectsApi,
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';
import type { TraceJobStatus } from '../crds/status.ts';
import { type ArtifactKind, type ArtifactStatus, artifactKinds } from '../crds/trace-artifact.ts';
import { apiVersion, group, version } from '../crds/trace-job.ts';
import type { ArtifactObject, OwningJob } from './artifacts-decide.ts';
import type { Log } from './hands.ts';
import { fieldManager, httpStatus } from './kubernetes.ts';

export interface ArtifactApi {
  /** The job of the name that the object may ask for: in its own namespace, or cluster-wide. */
  job(object: ArtifactObject, name: string): Promise<OwningJob | undefined>;
  applyStatus(object: ArtifactObject, status: ArtifactStatus): Promise<void>;
  /** Only this very object. */
  remove(object: ArtifactObject): Promise<void>;
}

const apply = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);

export function artifactApi(kubeConfig: KubeConfig): ArtifactApi {
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  const at = ({ kind, metadata: { name } }: ArtifactObject) => ({
    group,
    version,
    plural: `${kind.toLowerCase()}s`,
    name,
  });
  /** What has gone in the meantime needs nothing more. */
  const unlessGone = async (request: Promise<unknown>) => {
    await request.catch((error: unknown) => {
      if (httpStatus(error) !== 404 && httpStatus(error) !== 409) throw error;
    });
  };
  return {
    async job({ metadata: { namespace } }, name) {
      const type = { group, version, name };
      const request =
        namespace === undefined
          ? custom.getClusterCustomObject({ ...type, plural: 'clustertracejobs' })
          : custom.getNamespacedCustomObject({ ...type, namespace, plural: 'tracejobs' });
      const job = (await request.catch((error: unknown) => {
        if (httpStatus(error) === 404) return undefined;
        throw error;
      })) as
        | { metadata: { uid: string }; spec: { store: { name: string } }; status?: TraceJobStatus }
        | undefined;
      if (job === undefined) return undefined;
      return { uid: job.metadata.uid, store: job.spec.store.name, status: job.status ?? {} };
    },
    async applyStatus(object, status) {
      const { kind, metadata } = object;
      const { name, namespace, uid } = metadata;
      // With the uid the API server refuses to make an object anew that has gone.
      const head = {
        apiVersion,
        kind,
        metadata: { name, ...(namespace !== undefined && { namespace }), uid },
      };
      const request = { ...at(object), body: { ...head, status }, fieldManager, force: true };
      await unlessGone(
        namespace === undefined
          ? custom.patchClusterCustomObjectStatus(request, apply)
          : custom.patchNamespacedCustomObjectStatus({ ...request, namespace }, apply),
      );
    },
    async remove(object) {
      const { namespace, uid } = object.metadata;
      const request = { ...at(object), body: { preconditions: { uid } } };
      await unlessGone(
        namespace === undefined
          ? custom.deleteClusterCustomObject(request)
          : custom.deleteNamespacedCustomObject({ ...request, namespace }),
      );
    },
  };
}

export interface ArtifactChanges {
  put(object: ArtifactObject): void;
  remove(object: ArtifactObject): void;
}

/** Every TraceArtifact and ClusterTraceArtifact, as it is and as it changes, whatever the API server does in between. */
export function followArtifacts(
  kubeConfig: KubeConfig,
  log: Log,
  changes: ArtifactChanges,
): { close(): void } {
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  let closed = false;
  const informers = artifactKinds.map((kind) => {
    const plural = `${kind.toLowerCase()}s`;
    const list = async (): Promise<KubernetesListObject<KubernetesObject>> =>
      await custom.listCustomObjectForAllNamespaces({ group, version, resourcePlural: plural });
    const informer = makeInformer(kubeConfig, `/apis/${apiVersion}/${plural}`, list);
    informer.on('add', (object) => changes.put(artifactObject(kind, object)));
    informer.on('update', (object) => changes.put(artifactObject(kind, object)));
    informer.on('delete', (object) => changes.remove(artifactObject(kind, object)));
    const again = async (error: unknown) => {
      if (closed) return;
      log.warn({ kind, error: String(error) }, 'the API server went away; asking again');
      await pause(2_000, undefined, { ref: false });
      if (!closed) void informer.start().catch(again);
    };
    informer.on('error', (error) => void again(error));
    void informer.start().catch(again);
    return informer;
  });
  return {
    close() {
      closed = true;
      for (const informer of informers) void informer.stop();
    },
  };
}

function artifactObject(kind: ArtifactKind, object: KubernetesObject): ArtifactObject {
  const {
    metadata = {},
    spec,
    status,
  } = object as KubernetesObject & { spec: unknown; status?: ArtifactStatus };
  return {
    kind,
    metadata: {
      name: metadata.name ?? '',
      ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
      uid: metadata.uid ?? '',
      creationTimestamp: new Date(metadata.creationTimestamp ?? 0).getTime(),
    },
    spec,
    status: status ?? {},
  };
}
