// The operator's process: reads the environment, builds clients, starts, ends in order. The only file that does. Neighbours: operator/settings.ts,
// operator/operator.ts (the parts put together), operator/certificates.ts.

import { KubeConfig } from '@kubernetes/client-node';
import pino from 'pino';
import { connectAgent } from '../agent/client.ts';
import { loadGadgets } from '../bpf/registry.ts';
import { startArtifacts } from './artifacts.ts';
import { ensureCertificates } from './certificates.ts';
import { runHook } from './hooks.ts';
import { startOperator } from './operator.ts';
import { keepResults } from './retention.ts';
import { settingsFrom } from './settings.ts';
import { openStore } from './stores/open.ts';
import { startStoreStatus } from './stores/status.ts';

const settings = settingsFrom(process.env);
const log = pino({ level: settings.logLevel, base: { operator: settings.identity } });
const { namespace, data } = settings;

const kubeConfig = new KubeConfig();
if (process.env.KUBECONFIG || !process.env.KUBERNETES_SERVICE_HOST) kubeConfig.loadFromDefault();
else kubeConfig.loadFromCluster();

const [hook] = process.argv.slice(2);
if (hook !== undefined) {
  try {
    await runHook(hook, { kubeConfig, namespace, stores: settings.stores, log });
    process.exit(0);
  } catch (error) {
    log.fatal({ error: String(error) }, `${hook} failed`);
    process.exit(1);
  }
}

const ending = new AbortController();
const certificates = await ensureCertificates(kubeConfig, namespace, {
  log,
  signal: ending.signal,
  given: settings.certificates === 'given',
});
const operator = await startOperator({
  ...settings,
  kubeConfig,
  gadgets: await loadGadgets(),
  connect: (address) => connectAgent({ address, credentials: certificates.agentCredentials() }),
  openStore: (where, name) => openStore({ namespace: where, name }, { kubeConfig, namespace, data }),
  log,
});
certificates.onChange(() => operator.renewConnections());
const { isLeader } = operator;
const shared = { kubeConfig, namespace, data, log, isLeader, signal: ending.signal };
const artifacts = await startArtifacts({ ...shared, certificates, port: settings.artifactsPort });
const stores = startStoreStatus(shared);
const { retentionMs } = settings;
const retention = retentionMs === undefined ? undefined : keepResults(data, retentionMs, log);
log.info({ namespace, health: operator.healthPort }, 'started');

let ends = false;
async function end(code: number): Promise<void> {
  if (ends) return;
  ends = true;
  // What hangs must not keep the process from ending before the kubelet kills it.
  setTimeout(() => process.exit(code), 20_000).unref();
  ending.abort();
  certificates.close();
  stores.close();
  retention?.close();
  await operator.close();
  await artifacts.close();
  process.exit(code);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.on(signal, () => {
    log.info({ signal }, 'ending');
    void end(0);
  });
void operator.ended.then(() => end(1));
