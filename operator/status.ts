// A job's status from its verdicts: counts, failures, result, all bounded so that the whole stays under 16 KiB. Pure. Neighbours: operator/plan.ts
// (calls it), operator/conditions.ts, crds/status.ts (the type).

import type { TraceJobStatus } from '../crds/status.ts';
import { shown } from './conditions.ts';
import type { NodeRecord, Observed, ObservedNode, PublishedResult, Refusal } from './observed.ts';
import type { Verdict } from './verdict.ts';

export interface Judged {
  node: ObservedNode;
  verdict: Verdict;
}

/** Leaves room for the conditions' times and the API server's own. */
const mostBytes = 15_000;
const mostFailures = 10;
/** The merged files come first; those of single nodes are as many as there is room for. */
const mostArtifactBytes = 8_000;
const mostArtifacts = 64;

/** Counts while it runs: sums of what agents last said. */
export function progressOf(judged: readonly Judged[], observed: Observed): Partial<TraceJobStatus> {
  const reports = judged.flatMap(({ node }) => (node.record?.report ? [node.record.report] : []));
  const before = observed.job.status;
  const sum = (of: (report: (typeof reports)[number]) => bigint) =>
    Number(reports.reduce((total, each) => total + of(each), 0n));
  const matched = judged.length;
  return {
    nodes: {
      matched: Math.max(matched, before.nodes?.matched ?? 0),
      running: count(judged, (verdict) => verdict.state === 'Running'),
      succeeded: count(judged, (verdict) => verdict.state === 'Fetched'),
      failed: count(judged, (verdict) => verdict.state === 'Failed'),
    },
    pods: {
      matched: Math.max(observed.pods.matched, before.pods?.matched ?? 0),
      traced: reports.reduce((total, { podsTraced }) => total + podsTraced, 0),
    },
    ...(reports.length === 0
      ? {}
      : {
          events: {
            seen: sum(({ events }) => events.seen),
            recorded: sum(({ events }) => events.recorded),
            lost: sum(({ events }) => events.lost),
            sampledBy: Math.max(1, ...reports.map(({ events }) => events.sampledBy)),
          },
          overhead: overheadOf(judged, observed),
        }),
  };
}

function count(judged: readonly Judged[], which: (verdict: Verdict) => boolean): number {
  return judged.filter(({ verdict }) => which(verdict)).length;
}

function overheadOf(judged: readonly Judged[], { job }: Observed): { cpu: string; memory: string } {
  const started = job.status.startTime === undefined ? undefined : Date.parse(job.status.startTime);
  let [cores, nodes, most] = [0, 0, 0n];
  for (const { node } of judged) {
    const { record } = node;
    const report = record?.report;
    if (record === undefined || report === undefined || report.attachedAt === 0n || started === undefined)
      continue;
    const spent = report.overhead.programsCpuNs + report.overhead.agentCpuNs;
    const { durationMs } = 'assignment' in job.spec ? job.spec.assignment : { durationMs: 1 };
    const elapsedMs = Math.min(durationMs, Math.max(1, (record.contactAt ?? started) - started));
    cores += Number(spent) / 1e6 / elapsedMs;
    nodes++;
    if (report.overhead.memoryBytes > most) most = report.overhead.memoryBytes;
  }
  return { cpu: nodes === 0 ? '0' : formatCores(cores / nodes), memory: formatMebibytes(most) };
}

/** Thousandths of a core, as Kubernetes writes them; finer below ten. */
function formatCores(cores: number): string {
  const milli = cores * 1000;
  return milli >= 10 ? `${Math.round(milli)}m` : `${Math.round(milli * 1000)}u`;
}

function formatMebibytes(bytes: bigint): string {
  return bytes < 1n << 20n ? `${bytes >> 10n}Ki` : `${bytes >> 20n}Mi`;
}

/** What went wrong on which node, failures first. */
export function failuresOf(
  judged: readonly Judged[],
  forgotten: number,
): { node: string; refusal: Refusal }[] {
  const failed: { node: string; refusal: Refusal }[] = [];
  const parts: { node: string; refusal: Refusal }[] = [];
  for (const { node, verdict } of judged) {
    if (verdict.state === 'Failed' || verdict.state === 'Waiting')
      failed.push({ node: node.name, refusal: { reason: verdict.reason, message: verdict.message } });
    if (verdict.state === 'Fetched' && verdict.part) parts.push({ node: node.name, refusal: verdict.part });
  }
  if (forgotten > 0) {
    const message = `${forgotten} more ${forgotten === 1 ? 'node was' : 'nodes were'} traced and can't be asked any more`;
    failed.push({ node: '', refusal: { reason: 'NodesForgotten', message } });
  }
  return [...failed, ...parts];
}

export function failureList(
  failures: readonly { node: string; refusal: Refusal }[],
): Pick<TraceJobStatus, 'failures' | 'failuresOmitted'> {
  if (failures.length === 0) return {};
  const listed = failures.slice(0, mostFailures).map(({ node, refusal }) => ({
    node,
    reason: refusal.reason,
    message: shown(refusal.message, 160),
  }));
  const omitted = failures.length - listed.length;
  return { failures: listed, ...(omitted > 0 ? { failuresOmitted: omitted } : {}) };
}

/** What the published result says, exact where reports were of the last second. */
export function resultOf({ artifacts, meta, headline, summary }: PublishedResult): Partial<TraceJobStatus> {
  const { seen, recorded, lost, sampledBy } = meta.events;
  return {
    headline,
    ...(summary === '' ? {} : { summary }),
    events: { seen: Number(seen), recorded: Number(recorded), lost: Number(lost), sampledBy },
    artifacts: listed(artifacts).map(({ name, mediaType, uri, bytes, sha256 }) => ({
      name,
      mediaType,
      uri,
      bytes,
      sha256,
    })),
  };
}

/** As many of a result's files as a status has room for. */
export function listed(artifacts: PublishedResult['artifacts']): PublishedResult['artifacts'] {
  let bytes = 0;
  const from = artifacts.findIndex((artifact, index) => {
    bytes += Buffer.byteLength(JSON.stringify(artifact)) + 1;
    return bytes > mostArtifactBytes || index >= mostArtifacts;
  });
  return from === -1 ? artifacts : artifacts.slice(0, from);
}

/** Drops what is longest and least needed until it fits: the summary, then messages of failures, then failures. */
export function bounded(status: TraceJobStatus): TraceJobStatus {
  if (fits(status)) return status;
  const { summary: _, ...first } = status;
  if (fits(first)) return first;
  const second = {
    ...first,
    ...(first.failures ? { failures: first.failures.map((each) => ({ ...each, message: '' })) } : {}),
  };
  if (fits(second)) return second;
  const { failures, ...rest } = second;
  return { ...rest, failuresOmitted: (rest.failuresOmitted ?? 0) + (failures?.length ?? 0) };
}

function fits(status: TraceJobStatus): boolean {
  return Buffer.byteLength(JSON.stringify(status)) <= mostBytes;
}

/** Records whose nodes have neither pods nor an object any more stay in the count. */
export function hasReported(record: NodeRecord | undefined): boolean {
  return record?.report !== undefined && record.report.attachedAt !== 0n;
}
