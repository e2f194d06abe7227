// What is true of a whole result, merged by the same algebra as its rows, and kept beside a run as JSON.
// Neighbours: results/shape.ts (ResultMeta), results/merge.ts (rows).

import { readFile, writeFile } from 'node:fs/promises';
import { ResultError } from './errors.ts';
import { compareKeys } from './order.ts';
import { jsonText, parseJson } from './row-json.ts';
import type { Loss, Owner, ResultMeta, Value } from './shape.ts';

/** The worst of two ends is the result's. */
const ends: ResultMeta['ended'][] = [
  'Duration',
  'CommandExited',
  'Stopped',
  'TargetGone',
  'Budget',
  'Failed',
];

/** One head of several nodes'. Associative and commutative; undefined (no node) is the identity. Throws ResultError Mismatch where
 *  the two are not parts of one job. Start is the first, end the last; losses add up by owner and reason; sampledBy is the coarsest. */
export function mergeMeta(a: ResultMeta | undefined, b: ResultMeta | undefined): ResultMeta | undefined {
  if (!a || !b) return (a ?? b) && normalized((a ?? b) as ResultMeta);
  checkSameJob(a, b);
  return normalized({
    ...a,
    startTime: earlier(a.startTime, b.startTime),
    completionTime: later(a.completionTime, b.completionTime),
    ended: ends.indexOf(a.ended) > ends.indexOf(b.ended) ? a.ended : b.ended,
    owners: [...a.owners, ...b.owners],
    events: {
      seen: a.events.seen + b.events.seen,
      recorded: a.events.recorded + b.events.recorded,
      lost: a.events.lost + b.events.lost,
      sampledBy: Math.max(a.events.sampledBy, b.events.sampledBy),
      losses: [...a.events.losses, ...b.events.losses],
    },
    overhead: {
      programsCpuNs: a.overhead.programsCpuNs + b.overhead.programsCpuNs,
      agentCpuNs: a.overhead.agentCpuNs + b.overhead.agentCpuNs,
      memoryBytes: a.overhead.memoryBytes + b.overhead.memoryBytes,
      hits: a.overhead.hits + b.overhead.hits,
    },
    attached: [...a.attached, ...b.attached],
    warnings: [...a.warnings, ...b.warnings],
  });
}

/** All of them; undefined for none. Pairs of pairs: one after the other, the lists of thousands of nodes would be sorted thousands of times. */
export function mergeMetas(metas: Iterable<ResultMeta>): ResultMeta | undefined {
  let level: (ResultMeta | undefined)[] = [...metas];
  if (level.length === 1) return mergeMeta(level[0], undefined);
  while (level.length > 1) {
    const next: (ResultMeta | undefined)[] = [];
    for (let i = 0; i < level.length; i += 2) next.push(mergeMeta(level[i], level[i + 1]));
    level = next;
  }
  return level[0];
}

function earlier(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

function later(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

function checkSameJob(a: ResultMeta, b: ResultMeta): void {
  const of = (meta: ResultMeta) => canonical([meta.job, meta.trace, meta.shape]);
  if (of(a) === of(b)) return;
  throw new ResultError(
    'Mismatch',
    `The results of ${a.trace.name} (job ${a.job.name}, ${a.job.uid}) and ${b.trace.name} (job ${b.job.name}, ${b.job.uid}) are not parts of one job, ` +
      'or were made by versions whose columns differ: merge results of the same job and version only',
  );
}

/** JSON with members by name, so that two equal values have one text. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return jsonText(value) ?? 'null';
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

/** Lists sorted and without doubles: the form in which order of merging can't be seen. */
function normalized(meta: ResultMeta): ResultMeta {
  return {
    ...meta,
    owners: distinct(meta.owners, ownerKey, (first) => first),
    events: {
      ...meta.events,
      losses: distinct(
        meta.events.losses,
        (loss) => [...ownerKey(loss.owner), loss.reason],
        (a, b): Loss => ({ ...a, count: a.count + b.count }),
      ),
    },
    attached: distinct(
      meta.attached,
      ({ node, program, hook }) => [node, program, hook],
      (first) => first,
    ),
    warnings: distinct(
      meta.warnings,
      ({ node, reason, message }) => [node, reason, message],
      (first) => first,
    ),
  };
}

function ownerKey(owner: Owner): Value[] {
  return [owner.node, owner.namespace, owner.pod, owner.container];
}

function distinct<T>(items: readonly T[], keyOf: (item: T) => Value[], fold: (a: T, b: T) => T): T[] {
  const sorted = items.map((item) => ({ key: keyOf(item), item })).sort((a, b) => compareKeys(a.key, b.key));
  const kept: { key: Value[]; item: T }[] = [];
  for (const each of sorted) {
    const last = kept.at(-1);
    if (last && compareKeys(last.key, each.key) === 0) last.item = fold(last.item, each.item);
    else kept.push(each);
  }
  return kept.map(({ item }) => item);
}

/** Which members are 64-bit, by name: JSON gives small integers as number. */
const wide = new Set([
  ...['startTime', 'completionTime', 'seen', 'recorded', 'lost', 'count'],
  ...['programsCpuNs', 'agentCpuNs', 'memoryBytes', 'hits'],
]);

/** Writes a head beside its run. */
export async function writeMeta(path: string, meta: ResultMeta): Promise<void> {
  await writeFile(path, `${jsonText(meta)}\n`);
}

/** Reads a head that writeMeta wrote; for files of our own agents. Throws ResultError Malformed. */
export async function readMeta(path: string): Promise<ResultMeta> {
  const text = await readFile(path, 'utf8');
  try {
    const parsed = parseJson(text) as ResultMeta;
    return {
      ...widened(parsed),
      // A gadget's parameters and a shape's scale are the user's numbers, not ours to widen.
      trace: parsed.trace,
      shape: parsed.shape,
    };
  } catch (error) {
    throw new ResultError('Malformed', `${path}: not a result's head: ${String(error)}`, {
      path,
      cause: error,
    });
  }
}

function widened<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => widened(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]: [string, unknown]) => [
    name,
    wide.has(name) && typeof member === 'number' ? BigInt(member) : widened(member),
  ]);
  return Object.fromEntries(members) as T;
}
