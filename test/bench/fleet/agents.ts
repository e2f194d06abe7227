// A process that is many agents: each a gRPC server with mutual TLS on a loopback address of its own, as agent/serve.ts makes it, whose runs were written
// beforehand. Neighbours: test/bench/fleet/stacks.ts (the rows), test/bench/rows/fleet.ts (starts this). Ends with its stdin.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type AgentApi, AgentCallError, protocol, type Report, type RunOrder } from '../../../agent/api.ts';
import type { Certificates } from '../../../agent/certificates.ts';
import { serveAgent } from '../../../agent/serve.ts';
import { planTrace } from '../../../bpf/plan.ts';
import { loadGadget } from '../../../bpf/registry.ts';
import { writeRun } from '../../../results/run.ts';
import type { ResultMeta, Shape } from '../../../results/shape.ts';
import { allStacks, containers, placeOf, rowsOf, stacksOfAgent } from './stacks.ts';

export interface AgentsSettings {
  agents: number;
  port: number;
  distinct: boolean;
  /** Runs are written here. */
  folder: string;
  certificates: Certificates;
}

export function addressOf(agent: number): string {
  return `127.1.${agent >> 8}.${agent & 255}`;
}

interface Run {
  path: string;
  bytes: bigint;
  sha256: string;
}

interface Job {
  order: RunOrder;
  attachedAt: number;
  acknowledged: boolean;
}

const beatMs = 1000;

function simulatedAgent(agent: number, run: Run): AgentApi {
  const { node, pod } = placeOf(agent);
  const jobs = new Map<string, Job>();
  const endOf = ({ attachedAt, order }: Job) => attachedAt + order.durationMs;
  return {
    describe: async () => ({
      node,
      version: '0.0.0',
      protocol,
      kernel: '6.18',
      arch: 'x86',
      features: {},
      gadgets: [],
      jobs: [...jobs].map(([uid, job]) => ({
        uid,
        phase: Date.now() < endOf(job) ? 'Running' : 'Finished',
      })),
    }),
    async *run(order, signal) {
      const { uid } = order.job;
      const job = jobs.get(uid) ?? { order, attachedAt: Date.now(), acknowledged: false };
      jobs.set(uid, job);
      for (let left = endOf(job) - Date.now(); left > 0; left = endOf(job) - Date.now()) {
        yield reportOf(job, 'Running');
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, Math.min(left, beatMs));
        signal.addEventListener('abort', () => resolve(), { once: true });
        await promise;
        clearTimeout(timer);
        if (signal.aborted) return;
      }
      yield reportOf(job, 'Finished');
    },
    retarget: async () => undefined,
    stop: async () => undefined,
    async fetch(uid, from) {
      const job = jobs.get(uid);
      if (job === undefined) throw new AgentCallError('UnknownJob', 'no such job');
      const rows = createReadStream(run.path, { start: Number(from), highWaterMark: 256 << 10 });
      const { bytes, sha256 } = run;
      return { head: { bytes, sha256, meta: metaOf(job, node, pod) }, rows };
    },
    upload: async () => {
      throw new AgentCallError('Refused', 'a run of no files');
    },
    async acknowledge(uid) {
      jobs.delete(uid);
    },
    close: () => undefined,
  };
}

function reportOf({ attachedAt }: Job, phase: Report['phase']): Report {
  const seen = BigInt(stacksOfAgent);
  return {
    phase,
    attachedAt: BigInt(attachedAt) * 1_000_000n,
    podsTraced: 1,
    events: { seen, recorded: seen, lost: 0n, sampledBy: 1 },
    overhead: { programsCpuNs: 1_000_000n, agentCpuNs: 1_000_000n, memoryBytes: 30_000_000n },
  };
}

function metaOf({ order, attachedAt }: Job, node: string, pod: string): ResultMeta {
  const { job, plan, durationMs } = order;
  const seen = BigInt(stacksOfAgent);
  return {
    job,
    trace: { name: plan.trace, parameters: plan.parameters },
    startTime: BigInt(attachedAt) * 1_000_000n,
    completionTime: BigInt(attachedAt + durationMs) * 1_000_000n,
    ended: 'Duration',
    shape: plan.source.shape,
    owners: containers.map((container) => ({ node, namespace: 'shop', pod, container })),
    events: { seen, recorded: seen, lost: 0n, sampledBy: 1, losses: [] },
    overhead: { programsCpuNs: 1_000_000n, agentCpuNs: 1_000_000n, memoryBytes: 30_000_000n, hits: seen },
    attached: [{ node, program: 'take_sample', hook: 'perf_event' }],
    warnings: [],
  };
}

async function prepare(settings: AgentsSettings, shape: Shape): Promise<Run[]> {
  const all = allStacks();
  const runs: Run[] = [];
  for (let agent = 0; agent < settings.agents; agent++) {
    const path = join(settings.folder, `${agent}.rows`);
    await writeRun(path, shape, rowsOf(all, agent, settings.distinct));
    const { size } = await stat(path);
    const sha256 = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    runs.push({ path, bytes: BigInt(size), sha256 });
  }
  return runs;
}

if (import.meta.main) {
  const settings: AgentsSettings = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
  const runs = await prepare(settings, planTrace(await loadGadget('cpu-profile'), {}).source.shape);
  for (const [agent, run] of runs.entries())
    await serveAgent({
      api: simulatedAgent(agent, run),
      port: settings.port,
      host: addressOf(agent),
      certificates: settings.certificates,
      onFailure: (error) => console.error(error),
      onStranger: (from, why) => console.error(from, why),
    });
  console.log('ready');
  process.stdin.resume().on('end', () => process.exit(0));
}
