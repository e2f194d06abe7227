// A store's name or spec → a Store. A vendor's SDK is loaded here, and only when a store of its kind is opened. Neighbours: crds/trace-store.ts
// (the spec), operator/stores/{filesystem,s3,gcs,azure}.ts; callers: operator/main.ts, operator/artifacts.ts, operator/stores/status.ts.

import { CoreV1Api, CustomObjectsApi, type KubeConfig } from '@kubernetes/client-node';
import { group, version } from '../../crds/trace-job.ts';
import { type StoreKind, type StoreSpec, storeSpecSchema } from '../../crds/trace-store.ts';
import type { GcsKey } from './gcs.ts';
import type { S3Keys } from './s3.ts';
import { type Store, StoreError } from './store.ts';

/** As a job names its store. */
export interface StoreReference {
  /** The job's; null for a ClusterTraceJob. */
  namespace: string | null;
  name: string;
}

export interface OpenOptions {
  kubeConfig: KubeConfig;
  /** The operator's own, where the Secrets of ClusterTraceStores lie. */
  namespace: string;
  /** The folder of filesystem stores. */
  data: string;
}

export interface OpenedStore {
  store: Store;
  /** What every key begins with: '' or ending with a slash. */
  prefix: string;
}

/** The TraceStore of the namespace, else the ClusterTraceStore of that name. Throws StoreError. */
export async function openStore(reference: StoreReference, options: OpenOptions): Promise<OpenedStore> {
  return openObject(await findStore(reference, options.kubeConfig), options);
}

/** A TraceStore or ClusterTraceStore as the API server gave it. Throws StoreError. */
export async function openObject(
  { kind, metadata, spec: given }: { kind: StoreKind; metadata: { namespace?: string }; spec: unknown },
  options: OpenOptions,
): Promise<OpenedStore> {
  const spec = readStoreSpec(kind, given);
  const secret = (spec.s3 ?? spec.gcs ?? spec.azure)?.credentialsSecret?.name;
  const home = metadata.namespace ?? options.namespace;
  const credentials = secret === undefined ? undefined : await readSecret(home, secret, options.kubeConfig);
  return openSpec(spec, credentials, options.data);
}

/** credentials: what is in the Secret that the spec names. Throws StoreError. */
export async function openSpec(
  spec: StoreSpec,
  credentials: Readonly<Record<string, string>> | undefined,
  data: string,
): Promise<OpenedStore> {
  const { filesystem, s3, gcs, azure } = spec;
  const prefix = prefixOf(s3 ?? gcs ?? azure ?? {});
  if (filesystem !== undefined) {
    const { FilesystemStore } = await import('./filesystem.ts');
    return { store: new FilesystemStore(data), prefix };
  }
  if (s3 !== undefined) {
    const { S3Store } = await import('./s3.ts');
    return { store: new S3Store(s3, prefix, credentials && s3Keys(credentials)), prefix };
  }
  if (gcs !== undefined) {
    const { GcsStore } = await import('./gcs.ts');
    return { store: new GcsStore(gcs, prefix, credentials && gcsKey(credentials)), prefix };
  }
  if (azure === undefined) throw new StoreError('StoreInvalid', 'the store is of no kind: write one of them');
  const { AzureStore } = await import('./azure.ts');
  const accountKey = credentials && member(credentials, 'accountKey');
  return { store: new AzureStore(azure, prefix, accountKey), prefix };
}

/** Checked again: an older CRD may have let it through. Throws StoreError. */
function readStoreSpec(kind: StoreKind, spec: unknown): StoreSpec {
  const parsed = storeSpecSchema(kind).safeParse(spec);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = ['spec', ...(issue?.path ?? [])].join('.');
  throw new StoreError(
    'StoreInvalid',
    `the ${kind} can't be used: ${path}: ${issue?.message ?? 'not valid'}`,
  );
}

async function readSecret(
  namespace: string,
  name: string,
  kubeConfig: KubeConfig,
): Promise<Record<string, string>> {
  try {
    const { data = {} } = await kubeConfig.makeApiClient(CoreV1Api).readNamespacedSecret({ name, namespace });
    const decode = (value: string) => Buffer.from(value, 'base64').toString('utf8');
    return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, decode(value)]));
  } catch (error) {
    const what = `can't read the Secret ${namespace}/${name}, which the store names`;
    const code = (error as { code?: unknown }).code;
    if (code === 404)
      throw new StoreError('StoreInvalid', `${what}: there is none; create it`, { cause: error });
    if (code === 403) {
      const message = `${what}: the operator may not; bind the ClusterRole sonde-store-credentials to its service account in ${namespace}`;
      throw new StoreError('StoreDenied', message, { cause: error });
    }
    throw new StoreError('StoreUnreachable', `${what}: no usable answer from the API server`, {
      cause: error,
    });
  }
}

async function findStore(
  { namespace, name }: StoreReference,
  kubeConfig: KubeConfig,
): Promise<{ kind: StoreKind; metadata: { namespace?: string }; spec: unknown }> {
  const api = kubeConfig.makeApiClient(CustomObjectsApi);
  const type = { group, version, name };
  const get = async (request: () => Promise<unknown>) => {
    try {
      return (await request()) as { spec?: unknown };
    } catch (error) {
      if ((error as { code?: unknown }).code === 404) return undefined;
      const message = `can't look up the store ${name}: no usable answer from the API server`;
      throw new StoreError('StoreUnreachable', message, { cause: error });
    }
  };
  if (namespace !== null) {
    const own = await get(() => api.getNamespacedCustomObject({ ...type, namespace, plural: 'tracestores' }));
    if (own !== undefined) return { kind: 'TraceStore', metadata: { namespace }, spec: own.spec };
  }
  const shared = await get(() => api.getClusterCustomObject({ ...type, plural: 'clustertracestores' }));
  if (shared !== undefined) return { kind: 'ClusterTraceStore', metadata: {}, spec: shared.spec };
  const where = namespace === null ? '' : ` no TraceStore in ${namespace} and`;
  throw new StoreError(
    'StoreMissing',
    `there is${where} no ClusterTraceStore named ${name}; create one, or name another in spec.store`,
  );
}

function prefixOf({ prefix }: { prefix?: string | undefined }): string {
  return prefix === undefined ? '' : `${prefix}/`;
}

function member(credentials: Readonly<Record<string, string>>, name: string): string {
  const value = credentials[name]?.trim();
  if (value !== undefined && value !== '') return value;
  throw new StoreError(
    'StoreInvalid',
    `the store's Secret has no ${name}; put the key there under that name`,
  );
}

function s3Keys(credentials: Readonly<Record<string, string>>): S3Keys {
  const sessionToken = credentials.sessionToken?.trim();
  return {
    accessKeyId: member(credentials, 'accessKeyId'),
    secretAccessKey: member(credentials, 'secretAccessKey'),
    ...(sessionToken && { sessionToken }),
  };
}

function gcsKey(credentials: Readonly<Record<string, string>>): GcsKey {
  const text = member(credentials, 'key.json');
  let key: unknown;
  try {
    key = JSON.parse(text);
  } catch {
    key = undefined;
  }
  const { client_email, private_key, project_id } = (key ?? {}) as Record<string, unknown>;
  if (typeof client_email !== 'string' || typeof private_key !== 'string') {
    const message =
      "the store's Secret: key.json is not a service account's key; put the file there that Google gave";
    throw new StoreError('StoreInvalid', message);
  }
  return { client_email, private_key, ...(typeof project_id === 'string' && { project_id }) };
}
