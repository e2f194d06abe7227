// Where the text of records is made: here while there are few, on a thread once there are many. Neighbours: agent/program-worker.ts (the thread),
// agent/program-records.ts (asks).

import { Worker } from 'node:worker_threads';
import type { RecordBatch, RecordReader, Segment } from '../programs/show/records.ts';
import type { WriterAnswer, WriterTask } from './program-worker.ts';

/** Bundled, all of dist lies in one folder; in the source tree the thread's file is TypeScript. */
const entry = new URL(
  import.meta.url.endsWith('.ts') ? './program-worker.ts' : './program-worker.js',
  import.meta.url,
);

/** A batch of so many takes longer to write than to hand over; starting a thread takes as long as some thousand. */
const manyRows = 2000;

export interface ProgramWriter {
  segments(batch: RecordBatch): Promise<Segment[]> | Segment[];
  close(): Promise<void>;
}

/** Batches are asked for one after the other. */
export function programWriter(reader: RecordReader, task: WriterTask): ProgramWriter {
  let worker: Worker | undefined;
  return {
    segments(batch) {
      if (worker === undefined && batch.rows < manyRows) return reader.segments(batch, 0);
      worker ??= new Worker(entry, { workerData: task });
      return ask(worker, batch);
    },
    async close() {
      await worker?.terminate();
    },
  };
}

async function ask(worker: Worker, batch: RecordBatch): Promise<Segment[]> {
  const { promise, resolve, reject } = Promise.withResolvers<Segment[]>();
  const answered = ({ segments }: WriterAnswer): void => resolve(segments);
  worker.once('message', answered);
  worker.once('error', reject);
  // Copied, not handed over: an action reads its record here.
  worker.postMessage(batch);
  try {
    return await promise;
  } finally {
    worker.off('error', reject);
  }
}
