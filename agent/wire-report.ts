// What an agent answers as messages of agent.proto, both ways: reports, the head of a run and its rows, what a node can trace. Neighbour: agent/wire.ts.

import type { ResultMeta } from '../results/shape.ts';
import type { JobPhase, NodeDescription, Report, RunFile, RunHead } from './api.ts';
import { flag, listOf, members, oneOf, text } from './check.ts';
import { limits } from './limits.ts';
import { decodeTagged, encodeTagged } from './tagged-json.ts';
import {
  amount,
  asUid,
  bytes,
  fileName,
  kubernetesName,
  type Message,
  phase,
  signed,
  unsigned,
  whole,
} from './wire.ts';

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

const digest = text(64, /^[0-9a-f]{64}$/);

const wireFile = whole(
  members<{ name: string; media_type: string; bytes: bigint; sha256: string }>(
    { name: fileName, media_type: text(127, /^[\x20-\x7e]+$/), bytes: unsigned, sha256: digest },
    {},
  ),
);

const wireHead = whole(
  members<{ meta: Uint8Array; bytes: bigint; sha256: string; files: ReturnType<typeof wireFile>[] }>(
    { meta: bytes, bytes: unsigned, sha256: digest, files: listOf(wireFile, 16) },
    {},
  ),
);

export function headMessage({ meta, bytes, sha256, files = [] }: RunHead): Message {
  const wireFiles = files.map(({ mediaType, ...file }) => ({
    ...file,
    media_type: mediaType,
    bytes: file.bytes.toString(),
  }));
  return { head: { meta: encodeTagged(meta), bytes: bytes.toString(), sha256, files: wireFiles } };
}

/** A part of a run: its head, or some of its rows. Throws CheckError. */
export function partFrom(message: unknown): { head: RunHead } | { rows: Uint8Array } {
  const part = whole(
    members<{ head?: unknown; rows?: Uint8Array }>({}, { head: (value) => value, rows: bytes }),
  )(message, '');
  if (part.rows !== undefined) return { rows: part.rows };
  const { files, ...head } = wireHead(part.head, 'head');
  const listed = files.map(({ media_type: mediaType, ...file }): RunFile => ({ ...file, mediaType }));
  // Our own agents wrote it, from members they checked; its reader is results/meta.ts, which checks that runs are of one job.
  const meta = decodeTagged(head.meta) as ResultMeta;
  return { head: { ...head, meta, ...(listed.length === 0 ? {} : { files: listed }) } };
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
