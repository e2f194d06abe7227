// An order and its pods as messages of agent.proto, both ways. Neighbours: agent/wire.ts, agent/check-plan.ts (the plan in it).

import type { PodTarget, RunOrder } from './api.ts';
import { CheckError, listOf, members, number, oneOf, text } from './check.ts';
import { asPlan } from './check-plan.ts';
import { limits } from './limits.ts';
import type { Budget } from './plan.ts';
import { decodeTagged, encodeTagged } from './tagged-json.ts';
import { amount, asUid, bytes, kubernetesName, type Message, whole } from './wire.ts';

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
    parts_above?: number;
    generation?: number;
  }>(
    {
      job_name: kubernetesName,
      job_uid: asUid,
      plan: bytes,
      pods,
      duration_ms: number(limits.durationMs.least, limits.durationMs.most),
      redact: oneOf('None', 'Secrets', 'All'),
    },
    { job_namespace: kubernetesName, budget: wireBudget, parts_above: amount, generation: amount },
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
    ...(order.parts_above === undefined ? {} : { partsAbove: order.parts_above }),
    ...(order.generation === undefined ? {} : { generation: order.generation }),
  };
}

export function orderMessage({
  job,
  plan,
  pods,
  durationMs,
  budget,
  redact,
  partsAbove,
  generation,
}: RunOrder): Message {
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
    ...(partsAbove === undefined ? {} : { parts_above: partsAbove }),
    ...(generation === undefined ? {} : { generation }),
  };
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
