// The operator's process as operator/main.ts makes it, but for where certificates and the store come from: files. Neighbour: test/bench/rows/fleet.ts
// (starts this). Ends with its stdin.

import { readFile } from 'node:fs/promises';
import { KubeConfig } from '@kubernetes/client-node';
import pino from 'pino';
import type { Certificates } from '../../../agent/certificates.ts';
import { connectAgent, operatorCredentials } from '../../../agent/client.ts';
import { loadGadgets } from '../../../bpf/registry.ts';
import { startOperator } from '../../../operator/operator.ts';
import { FilesystemStore } from '../../../operator/stores/filesystem.ts';

export interface OperatorProcessSettings {
  /** The API server's URL. */
  server: string;
  scratch: string;
  data: string;
  certificates: Certificates;
}

if (import.meta.main) {
  const settings: OperatorProcessSettings = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: 'bench', server: settings.server, skipTLSVerify: true },
    { name: 'bench' },
  );
  const credentials = operatorCredentials(settings.certificates);
  const operator = await startOperator({
    kubeConfig,
    namespace: 'sonde-system',
    identity: 'bench',
    scratch: settings.scratch,
    excluded: new Set(),
    stopEverything: false,
    healthPort: 0,
    agentService: 'sonde-agent',
    gadgets: await loadGadgets(),
    connect: (address) => connectAgent({ address, credentials }),
    partsAbove: Number.MAX_SAFE_INTEGER,
    openStore: async () => ({ store: new FilesystemStore(settings.data), prefix: '' }),
    log: pino({ level: process.env.SONDE_LOG_LEVEL ?? 'warn' }, pino.destination(2)),
  });
  process.stdin.resume().on('end', () => void operator.close().then(() => process.exit(0)));
}
