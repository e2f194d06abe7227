// What the operator writes to the API server: a job's status and finalizer by server-side apply, Events, the deletion at the end of its time to live.
// Neighbours: operator/hands.ts (the interface), operator/watch.ts (what is read).

import { createHash } from 'node:crypto';
import {
  ApiException,
  CustomObjectsApi,
  EventsV1Api,
  type KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  V1MicroTime,
} from '@kubernetes/client-node';
import { apiVersion, group, version } from '../crds/trace-job.ts';
import type { JobObject } from './cluster.ts';
import type { JobApi } from './hands.ts';
import { finalizer } from './observed.ts';

export const fieldManager = 'sonde-operator';
/** The finalizer has a manager of its own: a status that is applied without it does not take it away. */
const finalizerManager = 'sonde-operator-finalizer';
const apply = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);

/** The HTTP status of what the API server said, undefined where it said nothing. */
export function httpStatus(error: unknown): number | undefined {
  return error instanceof ApiException ? error.code : undefined;
}

/** An API server's answer in one line. */
export class NotTaken extends Error {
  override name = 'NotTaken';
}

function shortened(error: unknown): Error {
  if (!(error instanceof ApiException)) return error instanceof Error ? error : new Error(String(error));
  const body: unknown = typeof error.body === 'string' ? parsed(error.body) : error.body;
  const said = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : '';
  return new NotTaken(`HTTP ${error.code}: ${said.slice(0, 500)}`, { cause: error });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text };
  }
}

export function jobApi(kubeConfig: KubeConfig, identity: string): JobApi {
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  const events = kubeConfig.makeApiClient(EventsV1Api);

  const at = ({ kind, metadata: { name } }: JobObject) => ({
    group,
    version,
    plural: `${kind.toLowerCase()}s`,
    name,
  });
  /** With the uid the API server refuses to make an object anew that has gone. */
  const headOf = ({ kind, metadata: { name, namespace, uid } }: JobObject) => ({
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid },
  });

  return {
    async applyStatus(job, status) {
      const { namespace } = job.metadata;
      const request = { ...at(job), body: { ...headOf(job), status }, fieldManager, force: true };
      const done =
        namespace === undefined
          ? custom.patchClusterCustomObjectStatus(request, apply)
          : custom.patchNamespacedCustomObjectStatus({ ...request, namespace }, apply);
      await done.catch((error: unknown) => {
        throw shortened(error);
      });
    },
    async setFinalizer(job, present) {
      const { namespace } = job.metadata;
      const head = headOf(job);
      const body = present ? { ...head, metadata: { ...head.metadata, finalizers: [finalizer] } } : head;
      const request = { ...at(job), body, fieldManager: finalizerManager, force: true };
      const done =
        namespace === undefined
          ? custom.patchClusterCustomObject(request, apply)
          : custom.patchNamespacedCustomObject({ ...request, namespace }, apply);
      await done.catch((error: unknown) => {
        // Gone already.
        if (!present && (httpStatus(error) === 404 || httpStatus(error) === 409)) return;
        throw shortened(error);
      });
    },
    async remove(job) {
      const { namespace, uid } = job.metadata;
      const request = { ...at(job), body: { preconditions: { uid } } };
      const done =
        namespace === undefined
          ? custom.deleteClusterCustomObject(request)
          : custom.deleteNamespacedCustomObject({ ...request, namespace });
      await done.catch((error: unknown) => {
        if (httpStatus(error) === 404 || httpStatus(error) === 409) return;
        throw shortened(error);
      });
    },
    async event(job, { type, reason, message }) {
      const { name, namespace, uid } = job.metadata;
      // The same Event of another operator, or of this one before it was killed, is the same object.
      const digest = createHash('sha1').update(`${uid} ${type} ${reason}`).digest('hex').slice(0, 16);
      const where = namespace ?? 'default';
      await events
        .createNamespacedEvent({
          namespace: where,
          body: {
            metadata: { name: `${name.slice(0, 200)}.${digest}`, namespace: where },
            eventTime: new V1MicroTime(),
            action: 'Trace',
            type,
            reason,
            note: message.slice(0, 1000),
            regarding: {
              apiVersion,
              kind: job.kind,
              name,
              ...(namespace === undefined ? {} : { namespace }),
              uid,
            },
            reportingController: 'sonde.dev/operator',
            reportingInstance: identity.slice(0, 128),
          },
        })
        .catch((error: unknown) => {
          if (httpStatus(error) !== 409) throw shortened(error);
        });
    },
  };
}
