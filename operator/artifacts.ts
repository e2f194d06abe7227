// Answers TraceArtifacts with signed URLs, and starts the server of signed paths. Every replica serves; only the leader answers. Neighbours:
// operator/artifacts-decide.ts (what to do), operator/artifacts-path.ts, operator/artifacts-server.ts, operator/artifacts-api.ts (the API server).

import type { KubeConfig } from '@kubernetes/client-node';
import type { ArtifactStatus } from '../crds/trace-artifact.ts';
import { type ArtifactApi, artifactApi, followArtifacts } from './artifacts-api.ts';
import {
  type ArtifactObject,
  type File,
  failed,
  findFile,
  isoTime,
  type OwningJob,
  patienceMs,
  planArtifact,
  validMs,
} from './artifacts-decide.ts';
import { artifactsKey } from './artifacts-key.ts';
import { signedPath } from './artifacts-path.ts';
import { type ServerCertificate, serveArtifacts } from './artifacts-server.ts';
import { turnsOf } from './collect.ts';
import type { Log } from './hands.ts';
import { type OpenedStore, openStore, type StoreReference } from './stores/open.ts';
import { artifactKey, editionOf, StoreError } from './stores/store.ts';

export interface ArtifactsOptions {
  kubeConfig: KubeConfig;
  /** The release namespace. */
  namespace: string;
  certificates: { artifactServer(): ServerCertificate; onChange(listener: () => void): void };
  port: number;
  /** The folder of filesystem stores. */
  data: string;
  log: Log;
  isLeader(): boolean;
  signal: AbortSignal;
}

export interface Artifacts {
  /** What it listens on. */
  port: number;
  close(): Promise<void>;
}

/** How often what waits is looked at again; changes are looked at as they come. */
const lookMs = 1_000;
const mostAtOnce = 8;

export async function startArtifacts(options: ArtifactsOptions): Promise<Artifacts> {
  const { kubeConfig, namespace, certificates, log } = options;
  const key = await artifactsKey(kubeConfig, namespace);
  const open = (reference: StoreReference) => openStore(reference, options);
  const server = await serveArtifacts({
    port: options.port,
    certificate: certificates.artifactServer(),
    key,
    openStore: open,
    log,
    now: Date.now,
  });
  certificates.onChange(() => server.useCertificate(certificates.artifactServer()));
  const api = artifactApi(kubeConfig);
  const answerer = answererOf({ api, key, namespace, openStore: open, log, now: Date.now });
  const objects = new Map<string, ArtifactObject>();
  const look = (object: ArtifactObject) => {
    if (options.isLeader()) void answerer(object);
  };
  const following = followArtifacts(kubeConfig, log, {
    put: (object) => {
      objects.set(object.metadata.uid, object);
      look(object);
    },
    remove: ({ metadata }) => objects.delete(metadata.uid),
  });
  const timer = setInterval(() => objects.forEach(look), lookMs);
  const close = async () => {
    clearInterval(timer);
    following.close();
    await server.close();
  };
  options.signal.addEventListener('abort', () => void close(), { once: true });
  return { port: server.port, close };
}

export interface AnswererHands {
  api: ArtifactApi;
  key: Buffer;
  namespace: string;
  openStore(reference: StoreReference): Promise<OpenedStore>;
  log: Log;
  now(): number;
}

/** Looks at one object, and does what is to be done about it; at most once at a time for each. Never rejects. */
export function answererOf(hands: AnswererHands): (object: ArtifactObject) => Promise<void> {
  const busy = new Set<string>();
  const turns = turnsOf(mostAtOnce);
  return async (object) => {
    const { uid, name, namespace } = object.metadata;
    if (busy.has(uid)) return;
    busy.add(uid);
    try {
      await turns(() => answerOne(hands, object));
    } catch (error) {
      // The API server's trouble: the next look does it again.
      hands.log.warn({ artifact: name, namespace, error: String(error) }, 'an artifact was not answered');
    } finally {
      busy.delete(uid);
    }
  };
}

async function answerOne(hands: AnswererHands, object: ArtifactObject): Promise<void> {
  const plan = planArtifact(object, hands.now());
  if (plan.kind === 'Wait') return;
  if (plan.kind === 'Delete') return await hands.api.remove(object);
  if (plan.kind === 'Fail') return await hands.api.applyStatus(object, plan.status);
  const job = await hands.api.job(object, plan.job);
  const found = findFile(object, plan, job, hands.now());
  const status = 'status' in found ? found.status : await sign(hands, object, plan.job, job, found.file);
  if (status !== undefined) await hands.api.applyStatus(object, status);
}

/** undefined: the store does not answer yet. */
async function sign(
  hands: AnswererHands,
  { metadata }: ArtifactObject,
  name: string,
  job: OwningJob | undefined,
  file: File,
): Promise<ArtifactStatus | undefined> {
  if (job === undefined) return undefined;
  const namespace = metadata.namespace ?? null;
  const { uid, store: storeName } = job;
  const { mediaType, bytes, sha256 } = file;
  const expires = hands.now() + validMs;
  try {
    const { store, prefix } = await hands.openStore({ namespace, name: storeName });
    const edition = editionOf(file.uri, uid);
    const key = artifactKey(prefix, { namespace, name, uid, edition }, file.name);
    const url = await store.signedUrl(key, validMs / 1000).finally(() => store.close());
    const claims = {
      namespace,
      job: name,
      uid,
      ...(edition === undefined ? {} : { edition }),
      file: file.name,
      store: storeName,
      mediaType,
      bytes,
      sha256,
      expires,
    };
    return {
      phase: 'Ready',
      ...(url !== null && { url }),
      path: signedPath(hands.key, claims),
      namespace: hands.namespace,
      mediaType,
      bytes,
      sha256,
      expiresAt: isoTime(expires),
    };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const waited = hands.now() - metadata.creationTimestamp;
    if (error.reason === 'StoreUnreachable' && waited < patienceMs) return undefined;
    return failed(error.reason, error.message, hands.now());
  }
}
