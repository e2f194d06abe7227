// The end of a session: what its maps and its ring hold becomes one sorted run on disk, with the head that says what is true of it.
// Neighbours: agent/decode.ts, agent/stacks.ts, agent/drain.ts (rows), results/sort.ts and results/run.ts (the file).

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Source } from '../bpf/gadget.ts';
import { writeRun } from '../results/run.ts';
import type { Loss, LossReason, ResultMeta, Row } from '../results/shape.ts';
import { sortRows } from '../results/sort.ts';
import type { AttachedHook } from './attach.ts';
import { withOwners } from './columns.ts';
import { decodeRows, integer, member } from './decode.ts';
import { renameOwners } from './finish-events.ts';
import { arch } from './objects.ts';
import type { Measured } from './overhead.ts';
import { jsonMembers } from './owners.ts';
import type { Parts } from './prepare.ts';
import { decodeStacks } from './stacks.ts';
import type { Ended } from './state.ts';

/** In the order of enum loss_reason (bpf/include/events.bpf.h). */
export const lossReasons: readonly LossReason[] = [
  'RingFull',
  'MapFull',
  'Budget',
  'Sampled',
  'StackUnavailable',
  'DiskFull',
  'Rate',
];

/** Reads and writes everything; the programs are detached already. endedAt: CLOCK_MONOTONIC when the job ended. Gives the run's path and how many
 *  events are in it. */
export async function collectRows(parts: Parts, endedAt: bigint): Promise<{ rows: string; count: bigint }> {
  const { source } = parts.request.plan;
  if (source.kind === 'ring' || source.kind === 'packets') {
    await parts.drain?.stop();
    const rows = (await parts.spool?.finish()) ?? '';
    const dropped = await nameLate(parts, rows);
    return { rows, count: (parts.drain?.recorded() ?? 0n) - dropped };
  }
  parts.podScope?.refresh();
  const rows = join(parts.request.spool, 'rows.jsonl');
  const shape = withOwners(source.shape);
  let count = 0n;
  const counted = async function* (): AsyncGenerator<Row> {
    for await (const row of unsorted(parts, endedAt)) {
      count += eventsIn(row, source);
      yield row;
    }
  };
  await writeRun(rows, shape, sortRows(shape, counted(), { scratch: parts.request.spool }));
  return { rows, count };
}

/** Rows that were written before their owner was known get it now. Gives how many rows went, because nobody wanted theirs. */
async function nameLate(parts: Parts, rows: string): Promise<bigint> {
  const renaming: Map<string, string | null> = new Map();
  for (const [id, written] of parts.drain?.provisional() ?? []) {
    const owner = parts.owners.of(id);
    const members = owner === null ? null : jsonMembers(owner);
    if (members !== written) renaming.set(written, members);
  }
  if (renaming.size === 0) return 0n;
  try {
    const { dropped } = await renameOwners(rows, renaming);
    return dropped;
  } catch (error) {
    // The disk has no room for the file twice: what was recorded stays, as it was recorded.
    await rm(`${rows}.named`, { force: true });
    const message = `some rows have a container's id for its name, or are of its pod's sandbox: the last pass over them failed (${String(error)})`;
    parts.warnings.push({ node: parts.request.node, reason: 'SpoolFailed', message });
    return 0n;
  }
}

/** How many events a row stands for. */
function eventsIn(row: Row, source: Source): bigint {
  if (row.kind === 'histogram') return row.value.buckets.reduce((sum, [, count]) => sum + count, 0n);
  if (row.kind === 'table' && source.kind === 'table')
    return row.value[source.shape.values.findIndex(({ name }) => name === source.counts)] ?? 0n;
  if (row.kind === 'stacks' && source.kind === 'stacks')
    return row.value[source.shape.weights.findIndex(({ name }) => name === source.counts)] ?? 0n;
  return 1n;
}

async function* unsorted(parts: Parts, endedAt: bigint): AsyncGenerator<Row> {
  const { object, owners, native } = parts;
  const { source } = parts.request.plan;
  if (source.kind === 'table' || source.kind === 'histogram') yield* decodeRows(object, source, owners, arch);
  if (source.kind !== 'stacks') return;
  const symbolizer = native.openSymbolizer(parts.mappings);
  try {
    yield* decodeStacks(object, source, owners, symbolizer, arch, endedAt);
  } finally {
    symbolizer.close();
  }
}

/** What was seen and not recorded: counted in the kernel, and what was not written. One for each owner and reason. */
export function lossesOf(parts: Pick<Parts, 'object' | 'owners' | 'drain' | 'packets'>): Loss[] {
  const losses = new Map<string, Loss>();
  const add = (id: bigint, reason: LossReason, count: bigint): void => {
    const owner = parts.owners.of(id);
    if (owner === null || count === 0n) return;
    // Two starts of a container are one owner.
    const key = `${reason} ${jsonMembers(owner)}`;
    losses.set(key, { owner, reason, count: count + (losses.get(key)?.count ?? 0n) });
  };
  for (const { key, value } of parts.object.map('losses').entries()) {
    const reason = lossReasons[Number(integer(member(key, 'reason')))] ?? 'RingFull';
    add(integer(member(key, 'container')), reason, integer(value));
  }
  for (const [id, count] of parts.packets?.dropped() ?? []) add(id, 'RingFull', count);
  const unwritten = parts.drain?.unwritten();
  for (const [id, count] of unwritten?.DiskFull ?? []) add(id, 'DiskFull', count);
  for (const [id, count] of unwritten?.Budget ?? []) add(id, 'Budget', count);
  return [...losses.values()];
}

/** The head of the result. `recorded`: the events that its rows stand for. */
export function metaOf(
  parts: Parts,
  end: {
    ended: Ended;
    sampledBy: number;
    completionTime: bigint;
    attached: AttachedHook[];
    measured: Measured;
    losses: Loss[];
    recorded: bigint;
  },
): ResultMeta {
  const { request } = parts;
  const lost = end.losses.reduce((sum, loss) => sum + loss.count, 0n);
  return {
    job: request.job,
    trace: { name: request.plan.trace, parameters: request.plan.parameters },
    startTime: parts.startTime ?? end.completionTime,
    completionTime: end.completionTime,
    ended: end.ended,
    shape: withOwners(request.plan.source.shape),
    owners: parts.owners.all(),
    events: {
      seen: end.recorded + lost,
      recorded: end.recorded,
      lost,
      sampledBy: end.sampledBy,
      losses: end.losses,
    },
    overhead: {
      programsCpuNs: end.measured.programsCpuNs,
      agentCpuNs: end.measured.agentCpuNs,
      memoryBytes: end.measured.memoryBytes,
      hits: end.measured.hits,
    },
    attached: end.attached.map(({ program, hook }) => ({ node: request.node, program, hook })),
    warnings: parts.warnings,
  };
}
