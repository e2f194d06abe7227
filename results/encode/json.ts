// result.json: the whole result in one documented form (results/schema.ts, docs/result.md). Neighbours: results/publish.ts.
// Rows stream into the file: no result is ever one string.

import { bucketRange, countOf } from '../buckets.ts';
import { keyColumns, valueColumns } from '../columns.ts';
import { rowsFile } from '../condensed.ts';
import type { Digest } from '../digest.ts';
import { headline, summaryRows } from '../headline.ts';
import type { LineWriter } from '../lines.ts';
import { jsonText, writable } from '../row-json.ts';
import type { Column, ResultMeta, Row, StackFrame, Value } from '../shape.ts';
import { formatTime } from '../units.ts';
import type { ResultView } from '../view.ts';

/** Raised when a reader of the last version could not read the new one. */
export const schemaVersion = 1;
export const apiVersion = 'sonde.dev/v1alpha1';
export const eventsFile = 'events.jsonl';
export const packetsFile = 'capture.pcapng';

/** Everything but the data, as result.json has it; also what `sonde run --json` and a status are made from. */
export function resultHead(meta: ResultMeta, digest: Digest) {
  return {
    apiVersion,
    kind: 'TraceResult' as const,
    schemaVersion,
    headline: headline(meta, digest),
    summary: summaryRows(meta, digest),
    ...meta,
    startTime: formatTime(meta.startTime),
    completionTime: formatTime(meta.completionTime),
  };
}

export async function writeJson(view: ResultView, digest: Digest, writer: LineWriter): Promise<void> {
  const head = jsonText(resultHead(view.meta, digest));
  // The head's closing brace makes room for the data.
  await writer.write(`${head.slice(0, -1)},\n"data":`);
  if (digest.kind === 'events') await writeEvents(view, digest, writer);
  else if (digest.kind === 'stacks') await writeStacks(view, writer);
  else await writeRows(view, writer);
  await writer.write('}\n');
}

async function writeRows(view: ResultView, writer: LineWriter): Promise<void> {
  let separator = '{"rows":[\n';
  for await (const row of view.rows()) {
    await writer.write(separator + jsonText(rowObject(view.meta, row)));
    separator = ',\n';
  }
  await writer.write(separator === ',\n' ? '\n]}' : '{"rows":[]}');
}

/** Stacks name frames by their place in a table that follows them: it is known only when all stacks are written. */
async function writeStacks(view: ResultView, writer: LineWriter): Promise<void> {
  const places = new Map<string, number>();
  // Equal frames of a run are the same object (results/stack-lines.ts).
  const known = new WeakMap<StackFrame, number>();
  const placeOf = (frame: StackFrame) => {
    const text = jsonText(frameObject(frame));
    const place = places.get(text) ?? places.size;
    places.set(text, place);
    return place;
  };
  const { condensed } = view;
  const whole =
    condensed &&
    `"whole":${jsonText({ file: rowsFile, rows: condensed.rows, over: condensed.over, bound: condensed.bound })},`;
  let separator = `{${whole ?? ''}"stacks":[\n`;
  for await (const row of view.rows()) {
    if (row.kind !== 'stacks') continue;
    const frames = row.frames.map((frame) => {
      const seen = known.get(frame);
      if (seen !== undefined) return seen;
      const place = placeOf(frame);
      known.set(frame, place);
      return place;
    });
    await writer.write(separator + jsonText({ ...rowObject(view.meta, row), frames }));
    separator = ',\n';
  }
  await writer.write(separator === ',\n' ? '\n],' : '{"stacks":[],');
  separator = '"frames":[\n';
  for (const text of places.keys()) {
    await writer.write(separator + text);
    separator = ',\n';
  }
  await writer.write(separator === ',\n' ? '\n]}' : '"frames":[]}');
}

/** The rows are in a file of their own; here are their number and the first. */
async function writeEvents(
  view: ResultView,
  digest: Digest & { kind: 'events' },
  writer: LineWriter,
): Promise<void> {
  const first = digest.first.map((row) => rowObject(view.meta, row));
  const file = view.meta.shape.kind === 'packets' ? packetsFile : eventsFile;
  await writer.write(jsonText({ file, count: view.meta.events.recorded, first }));
}

/** A row as an object by column name: unknown values are null. */
export function rowObject(meta: ResultMeta, row: Row): Record<string, unknown> {
  const members = Object.fromEntries(
    named(keyColumns(meta.shape), row.key).concat(
      row.kind === 'histogram' ? [] : named(valueColumns(meta.shape), row.value),
    ),
  );
  if (row.kind !== 'histogram' || meta.shape.kind !== 'histogram') return members;
  const { scale } = meta.shape;
  const buckets = row.value.buckets.map(([index, count]) => ({ ...bucketRange(scale, index), count }));
  return { ...members, count: countOf(row.value.buckets), total: row.value.total, buckets };
}

function named(columns: readonly Column[], values: readonly Value[]): [string, unknown][] {
  return columns.map((column, i) => [column.name, writable(values[i] ?? null, column)]);
}

function frameObject({ name, kind, module, file, line }: StackFrame) {
  return { name, kind, module, file, line };
}
