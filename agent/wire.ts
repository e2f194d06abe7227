// The messages of agent.proto and the types of agent/api.ts, both ways. What arrives is checked before it is anybody's; agent/client.ts and agent/serve.ts
// share this, so that either end finds the other's garbage.

import { fromJSON, type ServiceDefinition } from '@grpc/proto-loader';
import type { ResultMeta } from '../results/shape.ts';
import type { JobPhase, NodeDescription, PodTarget, Report, RunHead, RunOrder } from './api.ts';
import { type Check, CheckError, flag, listOf, members, number, oneOf, text } from './check.ts';
import { asPlan } from './check-plan.ts';
import { descriptor } from './generated/proto.ts';
import { limits } from './limits.ts';
import type { Budget } from './plan.ts';
import { decodeTagged, encodeTagged } from './tagged-json.ts';

/** No message to an agent may be larger; the largest is an order with its pods. */
export const mostMessageBytes = 4 << 20;
/** Rows of one message of Fetch. */
export const partBytes = 256 << 10;

export function agentService(): ServiceDefinition {
  // The type of this JSON asks for more than its readers do.
  const json = descriptor as Parameters<typeof fromJSON>[0];
  const definition = fromJSON(json, { keepCase: true, longs: String, arrays: true, defaults: true });
  const service = definition['sonde.agent.v1alpha1.Agent'];
  if (service === undefined || 'format' in service) throw new TypeError('agent.proto has no service Agent');
  return service;
}

/** A message as the loader gives it: absent members are null or missing. */
type Message = object;

const phases: JobPhase[] = ['Starting', 'Running', 'Collecting', 'Finished', 'Failed'];
const phase = oneOf(...phases);
/** The folder of a job is named by it. */
export const asUid = text(100, /^[A-Za-z0-9][A-Za-z0-9_-]*$/);
const kubernetesName = text(limits.nameLength);
const unsigned: Check<bigint> = (value, at) => {
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value)) throw new CheckError(at, 'an unsigned integer');
  return BigInt(value);
};
const signed: Check<bigint> = (value, at) => {
  if (typeof value !== 'string' || !/^-?\d{1,20}$/.test(value)) throw new CheckError(at, 'an integer');
  return BigInt(value);
};
const bytes: Check<Uint8Array> = (value, at) => {
  if (!(value instanceof Uint8Array)) throw new CheckError(at, 'bytes');
  return value;
};

/** The loader gives null for messages that are absent, and keeps what it gives for others. */
function present(message: unknown): unknown {
  if (typeof message !== 'object' || message === null || ArrayBuffer.isView(message)) return message;
  return Object.fromEntries(Object.entries(message).filter(([, member]) => member !== null));
}

const whole =
  <T>(check: Check<T>): Check<T> =>
  (value, at) =>
    check(present(value), at);

/** Throws CheckError where the bytes are no plan. */
function planOf(encoded: Uint8Array): RunOrder['plan'] {
  try {
    return asPlan(decodeTagged(encoded), 'plan');
  } catch (error) {
    if (error instanceof SyntaxError) throw new CheckError('plan', `a plan (${error.message})`);
    throw error;
  }
}

const names = whole(members<{ names: string[] }>({ names: listOf(kubernetesName, limits.containers) }, {}));
const wirePod = whole(
  members<Omit<PodTarget, 'only' | 'configHash'> & { config_hash?: string; only?: { names: string[] } }>(
    {
      uid: asUid,
      namespace: kubernetesName,
      name: kubernetesName,
      containers: listOf(
        whole(members({ name: kubernetesName, id: text(limits.nameLength) }, {})),
        limits.containers,
      ),
    },
    { config_hash: asUid, only: names },
  ),
);
const pods = listOf(wirePod, limits.targets);

function podOf(pod: ReturnType<typeof wirePod>): PodTarget {
  const { config_hash, only, ...plain } = pod;
  return {
    ...plain,
    ...(config_hash === undefined ? {} : { configHash: config_hash }),
    ...(only === undefined ? {} : { only: only.names }),
  };
}

function wirePodOf({ configHash, only, ...plain }: PodTarget): Message {
  return {
    ...plain,
    ...(configHash === undefined ? {} : { config_hash: configHash }),
    ...(only === undefined ? {} : { only: { names: only } }),
  };
}

const amount = number(0, Number.MAX_SAFE_INTEGER);
const wireBudget = whole(
  members<{ cpu?: number; memory_bytes?: number; events?: number; artifact_bytes?: number }>(
    {},
    { cpu: amount, memory_bytes: amount, events: amount, artifact_bytes: amount },
  ),
);

function budgetOf(wire: ReturnType<typeof wireBudget>): Budget {
  const { cpu, memory_bytes, events, artifact_bytes } = wire;
  return {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory_bytes === undefined ? {} : { memoryBytes: memory_bytes }),
    ...(events === undefined ? {} : { events }),
    ...(artifact_bytes === undefined ? {} : { artifactBytes: artifact_bytes }),
  };
}

const wireOrder = whole(
  members<{
    job_name: string;
    job_namespace?: string;
    job_uid: string;
    plan: Uint8Array;
    pods: ReturnType<typeof pods>;
    duration_ms: number;
    budget?: ReturnType<typeof wireBudget>;
    redact: RunOrder['redact'];
  }>(
    {
      job_name: kubernetesName,
      job_uid: asUid,
      plan: bytes,
      pods,
      duration_ms: number(limits.durationMs.least, limits.durationMs.most),
      redact: oneOf('None', 'Secrets', 'All'),
    },
    { job_namespace: kubernetesName, budget: wireBudget },
  ),
);

/** Throws CheckError. */
export function orderFrom(message: unknown): RunOrder {
  const order = wireOrder(message, '');
  return {
    job: { name: order.job_name, namespace: order.job_namespace ?? null, uid: order.job_uid },
    plan: planOf(order.plan),
    pods: order.pods.map(podOf),
    durationMs: order.duration_ms,
    budget: budgetOf(order.budget ?? {}),
    redact: order.redact,
  };
}

export function orderMessage({ job, plan, pods, durationMs, budget, redact }: RunOrder): Message {
  const { cpu, memoryBytes, events, artifactBytes } = budget;
  return {
    job_name: job.name,
    ...(job.namespace === null ? {} : { job_namespace: job.namespace }),
    job_uid: job.uid,
    plan: encodeTagged(plan),
    pods: pods.map(wirePodOf),
    duration_ms: durationMs,
    budget: {
      ...(cpu === undefined ? {} : { cpu }),
      ...(memoryBytes === undefined ? {} : { memory_bytes: memoryBytes }),
      ...(events === undefined ? {} : { events }),
      ...(artifactBytes === undefined ? {} : { artifact_bytes: artifactBytes }),
    },
    redact,
  };
}

const wireReport = whole(
  members<{
    phase: JobPhase;
    attached_at: bigint;
    pods_traced: number;
    events_seen: bigint;
    events_recorded: bigint;
    events_lost: bigint;
    sampled_by: number;
    programs_cpu_ns: bigint;
    agent_cpu_ns: bigint;
    memory_bytes: bigint;
    reason?: string;
    message?: string;
  }>(
    {
      phase,
      attached_at: signed,
      pods_traced: amount,
      events_seen: unsigned,
      events_recorded: unsigned,
      events_lost: unsigned,
      sampled_by: amount,
      programs_cpu_ns: unsigned,
      agent_cpu_ns: unsigned,
      memory_bytes: unsigned,
    },
    { reason: text(100, /^[A-Za-z]+$/), message: text(limits.messageLength) },
  ),
);

/** Throws CheckError. A reason that an agent of another version gives is passed on as it is. */
export function reportFrom(message: unknown): Report {
  const report = wireReport(message, '');
  return {
    phase: report.phase,
    attachedAt: report.attached_at,
    podsTraced: report.pods_traced,
    events: {
      seen: report.events_seen,
      recorded: report.events_recorded,
      lost: report.events_lost,
      sampledBy: report.sampled_by,
    },
    overhead: {
      programsCpuNs: report.programs_cpu_ns,
      agentCpuNs: report.agent_cpu_ns,
      memoryBytes: report.memory_bytes,
    },
    ...(report.reason === undefined ? {} : { reason: report.reason as NonNullable<Report['reason']> }),
    ...(report.message === undefined ? {} : { message: report.message }),
  };
}

export function reportMessage({ phase, attachedAt, podsTraced, events, overhead, ...why }: Report): Message {
  return {
    phase,
    attached_at: attachedAt.toString(),
    pods_traced: podsTraced,
    events_seen: events.seen.toString(),
    events_recorded: events.recorded.toString(),
    events_lost: events.lost.toString(),
    sampled_by: events.sampledBy,
    programs_cpu_ns: overhead.programsCpuNs.toString(),
    agent_cpu_ns: overhead.agentCpuNs.toString(),
    memory_bytes: overhead.memoryBytes.toString(),
    ...(why.reason === undefined ? {} : { reason: why.reason }),
    ...(why.message === undefined ? {} : { message: why.message.slice(0, limits.messageLength) }),
  };
}

/** Throws CheckError. */
export function uidFrom(message: unknown): string {
  return whole(members<{ job_uid: string }>({ job_uid: asUid }, {}))(message, '').job_uid;
}

/** Throws CheckError. */
export function retargetFrom(message: unknown): { uid: string; pods: PodTarget[] } {
  const given = whole(
    members<{ job_uid: string; pods: ReturnType<typeof pods> }>({ job_uid: asUid, pods }, {}),
  )(message, '');
  return { uid: given.job_uid, pods: given.pods.map(podOf) };
}

export function retargetMessage(uid: string, targets: readonly PodTarget[]): Message {
  return { job_uid: uid, pods: targets.map(wirePodOf) };
}

/** Throws CheckError. */
export function stopFrom(message: unknown): { uid: string; discard: boolean } {
  const given = whole(members<{ job_uid: string; discard: boolean }>({ job_uid: asUid, discard: flag }, {}))(
    message,
    '',
  );
  return { uid: given.job_uid, discard: given.discard };
}

/** Throws CheckError. */
export function fetchFrom(message: unknown): { uid: string; from: bigint } {
  const given = whole(members<{ job_uid: string; from: bigint }>({ job_uid: asUid, from: unsigned }, {}))(
    message,
    '',
  );
  return { uid: given.job_uid, from: given.from };
}

const wireHead = whole(
  members<{ meta: Uint8Array; bytes: bigint; sha256: string }>(
    { meta: bytes, bytes: unsigned, sha256: text(64, /^[0-9a-f]{64}$/) },
    {},
  ),
);

export function headMessage({ meta, bytes, sha256 }: RunHead): Message {
  return { head: { meta: encodeTagged(meta), bytes: bytes.toString(), sha256 } };
}

/** A part of a run: its head, or some of its rows. Throws CheckError. */
export function partFrom(message: unknown): { head: RunHead } | { rows: Uint8Array } {
  const part = whole(
    members<{ head?: unknown; rows?: Uint8Array }>({}, { head: (value) => value, rows: bytes }),
  )(message, '');
  if (part.rows !== undefined) return { rows: part.rows };
  const head = wireHead(part.head, 'head');
  // Our own agents wrote it, from members they checked; its reader is results/meta.ts, which checks that runs are of one job.
  return { head: { ...head, meta: decodeTagged(head.meta) as ResultMeta } };
}

const description = whole(
  members<{
    node: string;
    version: string;
    protocol: number;
    kernel: string;
    arch: 'x86' | 'arm64';
    features: { name: string; present: boolean }[];
    gadgets: { gadget: string; hooks: string[]; reason?: string }[];
    jobs: NodeDescription['jobs'];
  }>(
    {
      node: kubernetesName,
      version: text(100),
      protocol: amount,
      kernel: text(200),
      arch: oneOf('x86', 'arm64'),
      features: listOf(whole(members({ name: text(100), present: flag }, {})), 1000),
      gadgets: listOf(
        whole(
          members<{ gadget: string; hooks: string[]; reason?: string }>(
            { gadget: text(100), hooks: listOf(text(500), 1000) },
            { reason: text(limits.messageLength) },
          ),
        ),
        1000,
      ),
      jobs: listOf(whole(members({ uid: asUid, phase }, {})), 100_000),
    },
    {},
  ),
);

/** Throws CheckError. */
export function descriptionFrom(message: unknown): NodeDescription {
  const { features, ...plain } = description(message, '');
  return { ...plain, features: Object.fromEntries(features.map(({ name, present }) => [name, present])) };
}

export function descriptionMessage({ features, ...plain }: NodeDescription): Message {
  return { ...plain, features: Object.entries(features).map(([name, present]) => ({ name, present })) };
}
