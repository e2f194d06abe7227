// Drains a program's ring and does what its records ask, one after the other. Text of many records is made on a worker
// (agent/program-worker.ts), for as long as nothing in them needs this node. Neighbours: programs/show/records.ts, agent/program-session.ts.

import type { Batch, BpfObject, Native, RingReader } from '../native/api.ts';
import { NativeError } from '../native/errors.ts';
import type { RecordBatch, RecordReader, Segment } from '../programs/show/records.ts';

/** Batches that wait to be shown; what comes above it stays in the ring, and is lost there, counted, when that is full. */
const flushMs = 20;

export interface ProgramRecords {
  /** Drains everything, shows it, ends. */
  stop(): Promise<void>;
  failure(): Error | undefined;
}

export interface RecordsOptions {
  native: Native;
  object: BpfObject;
  /** Where a batch's text is made. */
  segments(batch: RecordBatch): Promise<Segment[]> | Segment[];
  reader: RecordReader;
  write(text: string): void;
  /** Does what one record asks. */
  act(batch: RecordBatch, row: number): Promise<void> | void;
  /** Gets the rows that were shown: for results. */
  keep?(batch: RecordBatch): Promise<void>;
  /** Rows before this time are not wanted any more (the program has ended). */
  wantedFrom(): bigint;
}

export function drainRecords(options: RecordsOptions): ProgramRecords {
  let failure: Error | undefined;
  let showing: Promise<void> = Promise.resolve();

  const show = async (whole: RecordBatch): Promise<void> => {
    const from = options.wantedFrom();
    const batch = wanted(whole, from);
    if (batch.rows === 0) return;
    for (const segment of await options.segments(batch)) {
      if (segment.kind === 'text') options.write(segment.text);
      else await options.act(batch, segment.row);
      // The program has ended within this batch: of the rest other rows are wanted.
      if (segment.kind === 'action' && options.wantedFrom() !== from) {
        await options.keep?.({ ...batch, rows: segment.row + 1 });
        return show(rowsFrom(batch, segment.row + 1));
      }
    }
    await options.keep?.(batch);
  };

  const reader: RingReader = options.native.readRing(options.object, {
    ring: 'events',
    record: 'program_record',
    flushMs,
    maxRows: 16_384,
    onBatch(batch) {
      const records = recordsOf(batch);
      showing = showing
        .then(() => show(records))
        .catch((error: unknown) => {
          failure ??= error instanceof Error ? error : new Error(String(error));
        });
    },
    onError(error) {
      failure ??= error;
    },
  });

  return {
    async stop() {
      await reader.stop();
      await showing;
    },
    failure: () => failure,
  };
}

function recordsOf({ rows, columns }: Batch): RecordBatch {
  const { time, what, payload, container, process_pid: pid, process_name: name } = columns;
  if (
    time?.kind !== 'unsigned' ||
    what?.kind !== 'unsigned' ||
    payload?.kind !== 'text' ||
    container?.kind !== 'unsigned' ||
    pid?.kind !== 'unsigned' ||
    name?.kind !== 'text' ||
    !(container.values instanceof BigUint64Array) ||
    !(pid.values instanceof Uint32Array) ||
    !(time.values instanceof BigUint64Array) ||
    !(what.values instanceof Uint32Array)
  )
    throw new NativeError({ code: 'InvalidObject', message: 'struct program_record is not as it was' });
  return {
    rows,
    time: time.values,
    what: what.values,
    offsets: payload.offsets,
    bytes: payload.bytes,
    container: container.values,
    pid: pid.values,
    process: name,
  };
}

/** Rows are in time's order: those from a time on. */
function wanted(batch: RecordBatch, from: bigint): RecordBatch {
  let first = 0;
  while (first < batch.rows && (batch.time[first] ?? 0n) < from) first++;
  return rowsFrom(batch, first);
}

function rowsFrom(batch: RecordBatch, first: number): RecordBatch {
  if (first === 0) return batch;
  return {
    rows: batch.rows - first,
    time: batch.time.subarray(first),
    what: batch.what.subarray(first),
    offsets: batch.offsets.subarray(first),
    bytes: batch.bytes,
    container: batch.container.subarray(first),
    pid: batch.pid.subarray(first),
    process: { offsets: batch.process.offsets.subarray(first), bytes: batch.process.bytes },
  };
}
