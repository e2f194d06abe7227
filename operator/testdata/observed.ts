// A job and its nodes as the plan sees them, for tests of what it decides: operator/plan*.test.ts and test/kstatus. Not shipped.

import type { Report } from '../../agent/api.ts';
import type { TraceJobStatus } from '../../crds/status.ts';
import type { ResultMeta } from '../../results/shape.ts';
import { condition } from '../conditions.ts';
import type { Action, FetchedRun, NodeRecord, Observed, ObservedNode, PublishedResult } from '../observed.ts';

export const start = Date.UTC(2030, 0, 1);
export const second = 1000;

export function job(
  change: Partial<Observed['job']> = {},
  assignment: Partial<{ suspend: boolean; ttlMs: number; sees: 'pod' | 'node' }> = {},
): Observed['job'] {
  return {
    kind: 'TraceJob',
    namespace: 'shop',
    name: 'checkout-cpu',
    uid: 'u1',
    generation: 1,
    knownSince: start,
    finalizer: true,
    spec: {
      assignment: {
        trace: 'cpu-profile',
        sees: 'pod',
        durationMs: 60 * second,
        budget: {},
        redact: 'Secrets',
        store: 'default',
        suspend: false,
        ...assignment,
      },
    },
    status: {},
    ...change,
  };
}

export function observed(nodes: ObservedNode[], change: Partial<Observed> = {}): Observed {
  const matched = nodes.reduce((sum, { pods }) => sum + pods.length, 0);
  return {
    job: job(),
    stopEverything: false,
    namespace: 'Allowed',
    nodes,
    pods: { matched, notAllowed: 0 },
    swept: true,
    publication: { state: 'None' },
    ...change,
  };
}

export function node(name: string, record?: Partial<NodeRecord>, change: Partial<ObservedNode> = {}): ObservedNode {
  return {
    name,
    exists: true,
    agent: true,
    pods: [{ uid: `pod-${name}`, namespace: 'shop', name: `api-${name}`, containers: [] }],
    digest: `pods of ${name}`,
    scheduledAt: start - 60 * second,
    ...(record === undefined
      ? {}
      : { record: { following: true, contactAt: start, targeted: `pods of ${name}`, ...record } }),
    ...change,
  };
}

export function report(phase: Report['phase'], change: Partial<Report> = {}): Report {
  return {
    phase,
    attachedAt: phase === 'Starting' ? 0n : BigInt(start) * 1_000_000n,
    podsTraced: 1,
    events: { seen: 12n, recorded: 10n, lost: 2n, sampledBy: 1 },
    overhead: { programsCpuNs: 300_000_000n, agentCpuNs: 100_000_000n, memoryBytes: 40n << 20n },
    ...change,
  };
}

export function meta(change: Partial<ResultMeta> = {}): ResultMeta {
  return {
    job: { name: 'checkout-cpu', namespace: 'shop', uid: 'u1' },
    trace: { name: 'cpu-profile', parameters: {} },
    startTime: BigInt(start) * 1_000_000n,
    completionTime: BigInt(start + 60 * second) * 1_000_000n,
    ended: 'Duration',
    shape: { kind: 'stacks', keys: [], weights: [] },
    owners: [],
    events: { seen: 24n, recorded: 20n, lost: 4n, sampledBy: 1, losses: [] },
    overhead: { programsCpuNs: 0n, agentCpuNs: 0n, memoryBytes: 0n, hits: 0n },
    attached: [],
    warnings: [],
    ...change,
  };
}

export const run = (change: Partial<ResultMeta> = {}): FetchedRun => ({ meta: meta(change), path: '/scratch/a' });
export const running = report('Running');
export const finished = report('Finished');
export const begun: TraceJobStatus = { phase: 'Running', startTime: new Date(start).toISOString() };
export const result: PublishedResult = {
  artifacts: [
    {
      name: 'result.json',
      mediaType: 'application/json',
      bytes: 10,
      sha256: 'ab',
      uri: 's3://b/shop/checkout-cpu/u1/result.json',
    },
  ],
  meta: meta(),
  headline: '41% of CPU in json.Unmarshal',
  summary: '[{"function":"json.Unmarshal"}]',
};

export const told = (actions: readonly Action[]) =>
  actions
    .filter(({ kind }) => kind !== 'Event')
    .map((action) => ('node' in action ? `${action.kind} ${action.node}` : action.kind));
export const says = (status: TraceJobStatus | undefined, type: string) => {
  const found = condition(status ?? {}, type);
  return found && `${found.status} ${found.reason}`;
};
