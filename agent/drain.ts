// From a ring (or packet sockets) to a file of lines: batches of columns are redacted, encoded on a worker and appended, one after the other.
// JavaScript sees a batch, never an event. Neighbours: native (readRing, encodeJsonLines), agent/redact.ts, agent/spool.ts.

import type { From, Source } from '../bpf/gadget.ts';
import type { Batch, BpfObject, JsonField, Native } from '../native/api.ts';
import type { Column } from '../results/shape.ts';
import { batchColumn, jsonFields } from './columns.ts';
import type { Owners } from './owners.ts';
import type { Redaction } from './plan.ts';
import { redactBatch } from './redact.ts';
import { type Spool, SpoolWriteError } from './spool.ts';

/** Batches waiting to be written at one time; more are dropped and counted, so that a slow disk can't fill the memory. */
const mostWaiting = 32;
const rowsPerBatch = 16_384;

export interface Drain {
  /** Rows written so far. */
  recorded(): bigint;
  /** Rows that came out of the ring but were not written, by scope id: the disk did not take them, or the budget for events was used up. */
  unwritten(): { DiskFull: ReadonlyMap<bigint, bigint>; Budget: ReadonlyMap<bigint, bigint> };
  /** Scope ids that rows were written of before it was known whose they are, with what stands in them for it. */
  provisional(): ReadonlyMap<bigint, string>;
  /** The first error of the disk; the session ends with what it has. */
  failure(): Error | undefined;
  /** Drains the ring, completes what waits, writes everything. */
  stop(): Promise<void>;
}

export interface DrainOptions {
  columns: readonly From[];
  /** Of what a row has beside its columns. */
  more?: readonly JsonField[];
  owners: Owners;
  /** Where owners come while it runs: asked before every batch for those that came since, and for those that are not known for good. */
  late?: { refresh(): void; provisional(): Map<bigint, string> };
  redact: Redaction;
  /** Rows that may be written. Absent: all. */
  mostEvents?: number;
  arch: string;
  /** What turns the kernel's monotonic times into a wall clock's, ns. */
  clockOffset: bigint;
}

/** What gives batches: a ring, packet sockets. */
export type Batches = (give: {
  onBatch: (batch: Batch) => void;
  onError: (error: Error) => void;
  maxRows: number;
}) => { stop(): Promise<void> };

export function drainRing(
  native: Native,
  object: BpfObject,
  source: Source & { kind: 'ring' },
  spool: Spool,
  options: Omit<DrainOptions, 'columns'>,
): Drain {
  const { record, completion } = source;
  const ring = { ring: 'events', record, ...(completion === undefined ? {} : { completion }) };
  const batches: Batches = (give) => native.readRing(object, { ...ring, ...give });
  return drain(native, batches, spool, { ...options, columns: source.shape.columns });
}

/** Whatever gives the batches: columns `time` and `container` are among theirs. */
export function drain(native: Native, batches: Batches, spool: Spool, options: DrainOptions): Drain {
  const { owners, more = [] } = options;
  const fieldsNow = () => [
    ...jsonFields(options.columns, owners, options.arch, options.clockOffset),
    ...more,
  ];
  const fields = options.late === undefined ? fieldsNow() : undefined;
  const provisional = new Map<bigint, string>();
  const columns = new Map<string, Column>(options.columns.map((column) => [batchColumn(column), column]));
  let recorded = 0n;
  let waiting = 0;
  let failure: Error | undefined;
  let writing: Promise<void> = Promise.resolve();
  const unwritten = { DiskFull: new Map<bigint, bigint>(), Budget: new Map<bigint, bigint>() };

  const write = async (whole: Batch): Promise<void> => {
    // The session ends at its next look; what comes until then is beyond the budget already.
    const rows = Math.min(whole.rows, (options.mostEvents ?? Number.POSITIVE_INFINITY) - Number(recorded));
    if (rows < whole.rows) lose(whole, rows, 'Budget');
    if (rows === 0) return;
    const batch = { ...whole, rows };
    const times = wide(batch, 'time');
    try {
      options.late?.refresh();
      const containers = wide(batch, 'container').subarray(0, rows);
      for (const [id, members] of options.late?.provisional() ?? [])
        if (containers.includes(id)) provisional.set(id, members);
      const redacted = redactBatch(batch, columns, options.redact);
      const lines = await native.encodeJsonLines(redacted, fields ?? fieldsNow());
      await spool.append(lines, times[0] ?? 0n, times[rows - 1] ?? 0n);
      recorded += BigInt(rows);
      free(lines);
    } catch (error) {
      const kept = error instanceof SpoolWriteError ? error.kept : 0;
      recorded += BigInt(kept);
      lose(batch, kept, 'DiskFull');
      throw error;
    }
  };

  /** A batch that is done with, whatever became of it. */
  const forget = (batch: Batch): void => {
    for (const column of Object.values(batch.columns)) {
      if (column.kind === 'text') free(column.offsets);
      free(column.kind === 'text' || column.kind === 'bytes' ? column.bytes : column.values);
    }
  };

  /** Counts a batch's rows from this one on. */
  const lose = (batch: Batch, from: number, reason: keyof typeof unwritten): void => {
    const counts = unwritten[reason];
    for (const id of wide(batch, 'container').subarray(from, batch.rows))
      counts.set(id, (counts.get(id) ?? 0n) + 1n);
  };

  const reader = batches({
    maxRows: rowsPerBatch,
    onError: (error) => {
      failure ??= error;
    },
    onBatch: (batch) => {
      if (failure !== undefined || waiting >= mostWaiting) return lose(batch, 0, 'DiskFull');
      waiting++;
      writing = writing
        .then(() => (failure === undefined ? write(batch) : lose(batch, 0, 'DiskFull')))
        .catch((error: unknown) => {
          failure ??= error instanceof Error ? error : new Error(String(error));
        })
        .finally(() => {
          waiting--;
          forget(batch);
        });
    },
  });

  return {
    recorded: () => recorded,
    unwritten: () => unwritten,
    provisional: () => provisional,
    failure: () => failure,
    async stop() {
      await reader.stop();
      await writing;
    },
  };
}

function wide(batch: Batch, name: string): BigUint64Array {
  const column = batch.columns[name];
  return column?.kind === 'unsigned' && column.values instanceof BigUint64Array
    ? column.values
    : new BigUint64Array();
}

/** Gives the memory back now: left to the garbage collector, the buffers of a flood of events pile up to a hundred megabytes. */
function free(view: ArrayBufferView): void {
  if (view.buffer instanceof ArrayBuffer && !view.buffer.detached) view.buffer.transfer(0);
}
