// kubectl-sonde in a process of its own against the fake cluster, and what its operator does with a job, in short. Callers: cli/cluster/*.test.ts.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { digest, type FakeCluster, startFakeCluster } from './fake-cluster.ts';
import { start } from './sonde.ts';

export const main = join(import.meta.dirname, '../../cli/main.ts');
export const result = {
  'summary.txt': Buffer.from('41% of CPU in json.Unmarshal\n'),
  'result.json': Buffer.from('{"headline":"41% of CPU in json.Unmarshal"}\n'),
  'report.html': Buffer.from('<!doctype html>'),
};
export const condition = (type: string, value: boolean, reason: string, message = '') => ({
  ...{ type, status: value ? 'True' : 'False', reason, message, observedGeneration: 1 },
  lastTransitionTime: '2026-11-24T10:00:00Z',
});

/** Runs it against the cluster, in the cluster's folder. */
export function sonde(cluster: FakeCluster, args: readonly string[], input?: string) {
  const env = ['env', 'SONDE_CALLED=kubectl-sonde', `KUBECONFIG=${cluster.kubeconfig}`, 'NODE_NO_WARNINGS=1'];
  const started = start([...env, process.execPath, main, ...args], {
    cwd: cluster.folder,
    ...(input === undefined ? {} : { input }),
  });
  return started;
}

/** What the operator does with a job, in short. */
export function complete(cluster: FakeCluster, name: string, more: Record<string, unknown> = {}): void {
  for (const [file, bytes] of Object.entries(result)) cluster.files.set(file, bytes);
  cluster.setStatus(name, {
    phase: 'Succeeded',
    trace: 'cpu-profile',
    startTime: '2026-11-24T10:00:00Z',
    completionTime: '2026-11-24T10:00:30Z',
    headline: '41% of CPU in json.Unmarshal',
    nodes: { matched: 2, running: 0, succeeded: 2, failed: 0 },
    pods: { matched: 6, traced: 6 },
    events: { seen: 12_345, recorded: 12_345, lost: 0, sampledBy: 1 },
    overhead: { cpu: '12m', memory: '24Mi' },
    conditions: [condition('Complete', true, 'Published', 'the result of 2 nodes is in the store')],
    artifacts: [...cluster.files].map(([file, bytes]) => ({
      ...{ name: file, mediaType: 'text/plain', uri: `s3://b/${file}` },
      bytes: bytes.length,
      sha256: digest(bytes),
    })),
    ...more,
  });
}

export function putJob(cluster: FakeCluster, name = 'checkout-cpu') {
  return cluster.put({
    kind: 'TraceJob',
    metadata: { name, namespace: 'shop' },
    spec: { trace: { cpuProfile: {} }, duration: '30s' },
  });
}

export async function withCluster(body: (cluster: FakeCluster) => Promise<void>): Promise<void> {
  const cluster = await startFakeCluster();
  try {
    await body(cluster);
  } finally {
    await cluster.close();
  }
}

export const folderOf = (cluster: FakeCluster) => {
  const [name = ''] = readdirSync(cluster.folder).filter((each) => each.startsWith('sonde-'));
  return join(cluster.folder, name);
};
