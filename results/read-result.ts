// Reads a result's folder back: result.json, and events.jsonl where that holds the rows. Neighbours: results/encode/json.ts (writer),
// results/schema.ts (the form), cli/ (open, diff).

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { z } from 'zod';
import { keyColumns, valueColumns } from './columns.ts';
import { eventsFile, schemaVersion } from './encode/json.ts';
import { ResultError } from './errors.ts';
import { compareRows } from './order.ts';
import { parseJson, readable } from './row-json.ts';
import { dataSchemas, resultSchema } from './schema.ts';
import type {
  Column,
  HistogramShape,
  ResultMeta,
  Row,
  Shape,
  StacksShape,
  TableShape,
  TimedShape,
  Value,
} from './shape.ts';
import { parseTime } from './units.ts';
import { type ResultView, viewOfRows, viewOfRun } from './view.ts';

/** Opens a result.json. Tables, histograms and stacks are held in memory; events stream from the file beside it. Throws ResultError Malformed with
 *  the line where the JSON breaks, or the member that is wrong. */
export async function readResult(path: string): Promise<ResultView & { headline: string }> {
  const text = await readFile(path, 'utf8');
  const parsed = parsedJson(path, text);
  checkVersion(path, parsed);
  const result = checked(path, resultSchema.omit({ data: true }), parsed, '');
  const { apiVersion: _, kind: __, schemaVersion: ___, headline, summary: ____, ...rest } = result;
  const meta: ResultMeta = {
    ...rest,
    startTime: parseTime(result.startTime) ?? 0n,
    completionTime: parseTime(result.completionTime) ?? 0n,
  };
  if (meta.shape.kind === 'events') return { headline, ...viewOfRun(meta, join(dirname(path), eventsFile)) };
  // Packets are for who reads pcapng: the file beside it has them.
  if (meta.shape.kind === 'packets') return { headline, ...viewOfRows(meta, []) };
  const data = typeof parsed === 'object' && parsed !== null && 'data' in parsed ? parsed.data : undefined;
  try {
    return { headline, ...viewOfRows(meta, rowsOf(path, meta.shape, data).sort(compareRows)) };
  } catch (error) {
    if (error instanceof ResultError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw malformed(path, `data: ${reason}`, undefined, error);
  }
}

function parsedJson(path: string, text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const position = /at position (\d+)/.exec(reason)?.[1];
    const line =
      position === undefined ? text.split('\n').length : text.slice(0, Number(position)).split('\n').length;
    throw malformed(path, `not JSON: ${reason}`, line, error);
  }
}

function checkVersion(path: string, parsed: unknown): void {
  if (typeof parsed !== 'object' || parsed === null || !('schemaVersion' in parsed)) return;
  const version = parsed.schemaVersion;
  if (typeof version === 'number' && version > schemaVersion)
    throw malformed(
      path,
      `it has schema version ${version}, and this Sonde reads up to ${schemaVersion}: read it with a newer one`,
    );
}

function checked<S extends z.ZodType>(path: string, schema: S, value: unknown, at: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const member = [at, ...(issue?.path ?? [])].filter((part) => part !== '').join('.');
  throw malformed(
    path,
    `${member || 'the document'}: ${issue?.message ?? 'is wrong'}`,
    undefined,
    result.error,
  );
}

function malformed(path: string, reason: string, line?: number, cause?: unknown): ResultError {
  const place = line === undefined ? path : `${path}:${line}`;
  return new ResultError('Malformed', `${place}: not a result of Sonde: ${reason}`, {
    path,
    ...(line === undefined ? {} : { line }),
    cause,
  });
}

function rowsOf(path: string, shape: Exclude<Shape, TimedShape>, data: unknown): Row[] {
  if (shape.kind === 'table') {
    const { rows } = checked(path, dataSchemas.table, data, 'data');
    return rows.map((row) => ({ kind: 'table', key: keyOf(shape, row), value: amountsOf(shape, row) }));
  }
  if (shape.kind === 'histogram') {
    const { rows } = checked(path, dataSchemas.histogram, data, 'data');
    return rows.map(({ count: _, total, buckets, ...row }) => ({
      kind: 'histogram',
      key: keyOf(shape, row),
      value: {
        buckets: buckets.map(({ from, count }): [number, bigint] => [indexOf(shape.scale, from), count]),
        total,
      },
    }));
  }
  const { stacks, frames } = checked(path, dataSchemas.stacks, data, 'data');
  return stacks.map(({ frames: places, ...row }) => ({
    kind: 'stacks',
    key: keyOf(shape, row),
    frames: places.map((place) => {
      const frame = frames[place];
      if (!frame) throw new Error(`a stack names frame ${place} of ${frames.length}`);
      return frame;
    }),
    value: amountsOf(shape, row),
  }));
}

/** The bucket that begins there: the reverse of bucketRange. */
function indexOf(scale: HistogramShape['scale'], from: bigint): number {
  if (scale.kind === 'linear') return Math.round((Number(from) - scale.min) / scale.step);
  return from <= 0n ? 0 : from.toString(2).length - 1;
}

type Members = Record<string, unknown>;

function keyOf(shape: Shape, row: Members): Value[] {
  return keyColumns(shape).map((column) => readable(member(row, column), column));
}

function amountsOf(shape: TableShape | StacksShape, row: Members): bigint[] {
  return valueColumns(shape).map((column) => {
    const value = member(row, column);
    if (typeof value === 'bigint') return value;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
    throw new Error(`${column.name} must be an integer`);
  });
}

function member(row: Members, column: Column): unknown {
  return Object.hasOwn(row, column.name) ? row[column.name] : null;
}
