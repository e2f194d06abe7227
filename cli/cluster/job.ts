// A job as the API server has it, read with care (its status holds what agents said of traced processes), and its address. Pure.
// Neighbours: cli/cluster/jobs.ts (gets them), cli/cluster/words.ts (tells of them).

import type { TraceJobStatus } from '../../crds/status.ts';
import { group, type Kind, version } from '../../crds/trace-job.ts';
import { escapeTerminal } from '../../results/escape.ts';
import { CliError } from '../errors.ts';

export interface JobRef {
  kind: Kind;
  name: string;
  /** Absent for a ClusterTraceJob. */
  namespace?: string;
}

export interface Artifact {
  name: string;
  bytes: number;
  sha256: string;
}

export interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
}

export interface JobView extends JobRef {
  uid: string;
  generation: number;
  resourceVersion: string;
  createdAt: number;
  suspend: boolean;
  /** ms. */
  duration?: string;
  /** Members of spec.trace in YAML's spelling; the status has the gadget's. */
  trace: string;
  phase: NonNullable<TraceJobStatus['phase']> | '';
  observedGeneration: number;
  startedAt?: number;
  endedAt?: number;
  nodes: { matched: number; running: number; succeeded: number; failed: number };
  pods: { matched: number; traced: number };
  events?: { seen: number; recorded: number; lost: number; sampledBy: number };
  overhead?: { cpu: string; memory: string };
  headline: string;
  /** Lines, each safe in a terminal. */
  summary: string[];
  conditions: Condition[];
  failures: { node: string; reason: string; message: string }[];
  failuresOmitted: number;
  artifacts: Artifact[];
}

type Fields = Record<string, unknown>;

const phases = ['Pending', 'Running', 'Collecting', 'Succeeded', 'Failed', 'Suspended'] as const;

/** Everything in it is bounded and safe in a terminal. What is not as it should be is left out. */
export function viewOf(object: unknown): JobView {
  const { kind, metadata, spec, status } = fields(object);
  const meta = fields(metadata);
  const { trace, suspend, duration } = fields(spec);
  const told = fields(status);
  const nodes = fields(told.nodes);
  const pods = fields(told.pods);
  const events = fields(told.events);
  const overhead = fields(told.overhead);
  const namespace = line(meta.namespace, 63);
  const [startedAt, endedAt] = [time(told.startTime), time(told.completionTime)];
  return {
    kind: kind === 'ClusterTraceJob' ? 'ClusterTraceJob' : 'TraceJob',
    name: line(meta.name, 253),
    ...(namespace === '' ? {} : { namespace }),
    uid: line(meta.uid, 64),
    generation: count(meta.generation),
    resourceVersion: line(meta.resourceVersion, 64),
    createdAt: time(meta.creationTimestamp) ?? 0,
    suspend: suspend === true,
    ...(typeof duration === 'string' ? { duration: line(duration, 64) } : {}),
    trace: line(told.trace, 63) || line(Object.keys(fields(trace))[0], 63),
    phase: phases.find((phase) => phase === told.phase) ?? '',
    observedGeneration: count(told.observedGeneration),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    nodes: {
      matched: count(nodes.matched),
      running: count(nodes.running),
      succeeded: count(nodes.succeeded),
      failed: count(nodes.failed),
    },
    pods: { matched: count(pods.matched), traced: count(pods.traced) },
    ...(told.events === undefined
      ? {}
      : {
          events: {
            seen: count(events.seen),
            recorded: count(events.recorded),
            lost: count(events.lost),
            sampledBy: Math.max(1, count(events.sampledBy)),
          },
        }),
    ...(told.overhead === undefined
      ? {}
      : { overhead: { cpu: line(overhead.cpu, 32), memory: line(overhead.memory, 32) } }),
    headline: line(told.headline, 256),
    summary: (typeof told.summary === 'string' ? told.summary.slice(0, 8192) : '')
      .split('\n')
      .map((each) => line(each, 512)),
    conditions: items(told.conditions, 16).map((each) => ({
      type: line(each.type, 64),
      status: line(each.status, 16),
      reason: line(each.reason, 64),
      message: line(each.message, 1024),
    })),
    failures: items(told.failures, 10).map((each) => ({
      node: line(each.node, 253),
      reason: line(each.reason, 63),
      message: line(each.message, 1024),
    })),
    failuresOmitted: count(told.failuresOmitted),
    artifacts: items(told.artifacts, 64).map((each) => ({
      name: line(each.name, 253),
      bytes: count(each.bytes),
      sha256: line(each.sha256, 64),
    })),
  };
}

export function conditionOf(job: JobView, type: string): Condition | undefined {
  return job.conditions.find((each) => each.type === type && each.status === 'True');
}

/** Complete and Failed are for good; Suspended, that it was stopped before it began. */
export function restOf(job: JobView): 'Complete' | 'Failed' | 'Suspended' | undefined {
  if (conditionOf(job, 'Complete')) return 'Complete';
  if (conditionOf(job, 'Failed')) return 'Failed';
  // Only where the operator has seen that it is to start no more, or again.
  const seen = job.observedGeneration >= job.generation;
  return job.phase === 'Suspended' && seen ? 'Suspended' : undefined;
}

const kindWords: Record<string, Kind> = {
  tj: 'TraceJob',
  tracejob: 'TraceJob',
  tracejobs: 'TraceJob',
  ctj: 'ClusterTraceJob',
  clustertracejob: 'ClusterTraceJob',
  clustertracejobs: 'ClusterTraceJob',
};

/** NAME, or as kubectl writes it: tracejob/NAME, ctj/NAME, tracejobs.sonde.dev/NAME. */
export function readJobName(given: string, namespace: string): JobRef {
  const [word, name, ...rest] = given.includes('/') ? given.split('/') : ['tj', given];
  const kind =
    kindWords[(word ?? '').toLowerCase().replace(`.${version}.${group}`, '').replace(`.${group}`, '')];
  if (
    kind === undefined ||
    name === undefined ||
    rest.length > 0 ||
    !/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name)
  ) {
    throw new CliError('BadArguments', `"${escapeTerminal(given, 100)}" is no name of a job`, {
      advice: 'Write NAME, tracejob/NAME, or clustertracejob/NAME; `kubectl sonde list` lists them.',
    });
  }
  return kind === 'TraceJob' ? { kind, name, namespace } : { kind, name };
}

/** `tracejob.sonde.dev/NAME`, as `kubectl -o name` has it. */
export function fullName({ kind, name }: JobRef): string {
  return `${kind.toLowerCase()}.${group}/${name}`;
}

/** For messages and for what to type: `ctj/NAME` or NAME. */
export function shortName({ kind, name }: JobRef): string {
  return kind === 'TraceJob' ? name : `ctj/${name}`;
}

/** The path of a kind's objects, or of one. */
export function pathOf(kind: string, namespace: string | undefined, name?: string): string {
  const where = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const one = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `/apis/${group}/${version}${where}/${kind.toLowerCase()}s${one}`;
}

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function items(value: unknown, most: number): Fields[] {
  return Array.isArray(value) ? value.slice(0, most).map(fields) : [];
}

export function line(value: unknown, longest: number): string {
  return typeof value === 'string' ? escapeTerminal(value, longest) : '';
}

export function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function time(value: unknown): number | undefined {
  const parsed = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}
