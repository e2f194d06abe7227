// What the chart's hooks do with the operator's image: after an install or upgrade the stores of the values are written, after an uninstall jobs are let
// go and what the operator made is taken away. Neighbours: charts/sonde/templates/hooks (calls them), operator/main.ts.

import { setTimeout as pause } from 'node:timers/promises';
import {
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  type KubeConfig,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';
import { apiVersion, group, version } from '../crds/trace-job.ts';
import { keySecret } from './artifacts-key.ts';
import { agentSecret, operatorSecret } from './certificates.ts';
import type { Log } from './hands.ts';
import { httpStatus } from './kubernetes.ts';
import { leaseName } from './operator.ts';
import { rosterName } from './roster.ts';

export interface HookOptions {
  kubeConfig: KubeConfig;
  namespace: string;
  /** SONDE_STORES: the values' stores as JSON. */
  stores: string;
  log: Log;
}

const hooks: Readonly<Record<string, (options: HookOptions) => Promise<void>>> = {
  'set-up': setUp,
  'clean-up': cleanUp,
};

/** Throws TypeError where there is no such hook, else what the API server said last. */
export async function runHook(name: string, options: HookOptions): Promise<void> {
  const hook = hooks[name];
  if (hook === undefined)
    throw new TypeError(`there is no task ${JSON.stringify(name)}; write ${Object.keys(hooks).join(' or ')}`);
  await hook(options);
}

/** How long a new kind may take to be known, and operators to end, ms. */
const patienceMs = 90_000;
const retryMs = 500;
const plural = 'clustertracestores';
const ours = { 'app.kubernetes.io/managed-by': 'sonde-chart' };
const apply = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);
const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

interface StoreValue {
  name: string;
  spec: object;
}

interface Listed {
  items: { metadata: { name: string; namespace?: string; finalizers?: string[] } }[];
}

/** The ClusterTraceStores of the values, and none that were in former ones. */
async function setUp({ kubeConfig, stores, log }: HookOptions): Promise<void> {
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  const wanted: StoreValue[] = JSON.parse(stores);
  for (const { name, spec } of wanted) {
    const body = {
      apiVersion,
      kind: 'ClusterTraceStore',
      metadata: { name, labels: ours },
      // Kinds that are not said are taken away from one that was of another.
      spec,
    };
    const request = { group, version, plural, name, body, fieldManager: 'sonde-chart', force: true };
    await patiently(log, `ClusterTraceStore ${name}`, () => custom.patchClusterCustomObject(request, apply));
    log.info({ store: name }, 'written');
  }
  const { items } = await storesOf(custom);
  for (const { metadata } of items) {
    if (wanted.some(({ name }) => name === metadata.name)) continue;
    await unlessGone(custom.deleteClusterCustomObject({ group, version, plural, name: metadata.name }));
    log.info({ store: metadata.name }, 'removed: the values have it no longer');
  }
}

/** By its label: stores that somebody else wrote are left alone. */
async function storesOf(custom: CustomObjectsApi): Promise<Listed> {
  const [[label, value] = []] = Object.entries(ours);
  return custom.listClusterCustomObject({ group, version, plural, labelSelector: `${label}=${value}` });
}

async function cleanUp({ kubeConfig, namespace, log }: HookOptions): Promise<void> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  // An operator that still ends could put a finalizer back.
  const labelSelector = 'app.kubernetes.io/name=sonde,app.kubernetes.io/component=operator';
  await patiently(log, 'the end of the operator', async () => {
    const { items } = await core.listNamespacedPod({ namespace, labelSelector });
    if (items.length > 0) throw new Error(`${items.length} pods of it are still there`);
  });
  for (const kind of ['tracejobs', 'clustertracejobs']) {
    const { items } = (await custom
      .listCustomObjectForAllNamespaces({ group, version, resourcePlural: kind })
      .catch((error: unknown) => {
        // The definitions have gone, and all objects with them.
        if (httpStatus(error) === 404) return { items: [] };
        throw error;
      })) as Listed;
    const held = items.filter(({ metadata }) => (metadata.finalizers ?? []).length > 0);
    for (const { metadata } of held) await release(custom, kind, metadata);
    log.info({ kind, released: held.length }, 'finalizers are removed');
  }
  for (const { metadata } of (await storesOf(custom)).items)
    await unlessGone(custom.deleteClusterCustomObject({ group, version, plural, name: metadata.name }));
  for (const name of [agentSecret, operatorSecret, keySecret])
    await unlessGone(core.deleteNamespacedSecret({ namespace, name }));
  await unlessGone(core.deleteNamespacedConfigMap({ namespace, name: rosterName }));
  const leases = kubeConfig.makeApiClient(CoordinationV1Api);
  await unlessGone(leases.deleteNamespacedLease({ namespace, name: leaseName }));
}

/** Sonde's own alone; whoever else holds the job goes on doing so. */
async function release(
  custom: CustomObjectsApi,
  kind: string,
  { name, namespace, finalizers = [] }: Listed['items'][number]['metadata'],
): Promise<void> {
  const others = finalizers.filter((each) => !each.startsWith(`${group}/`));
  const body = { metadata: { finalizers: others } };
  const request = { group, version, plural: kind, name, body };
  await unlessGone(
    namespace === undefined
      ? custom.patchClusterCustomObject(request, merge)
      : custom.patchNamespacedCustomObject({ ...request, namespace }, merge),
  );
}

async function unlessGone(request: Promise<unknown>): Promise<void> {
  await request.catch((error: unknown) => {
    if (httpStatus(error) !== 404) throw error;
  });
}

async function patiently<T>(log: Log, what: string, ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (let told = ''; ; ) {
    try {
      return await ask();
    } catch (error) {
      // What is refused for what it says is refused again.
      if (Date.now() > deadline || httpStatus(error) === 422 || httpStatus(error) === 400) throw error;
      const said = String(error).slice(0, 300);
      if (said !== told) log.info({ error: said }, `waits for ${what}`);
      told = said;
      await pause(retryMs);
    }
  }
}
