// A thread that makes the text of a program's records: printf's may come a million times a second, and the main thread has rings to hand over and
// targets to look after. Neighbours: agent/program-writer.ts starts it, programs/show/records.ts does the work.

import { parentPort, workerData } from 'node:worker_threads';
import type { Compiled } from '../programs/compiled.ts';
import { type RecordBatch, recordReader, type Segment } from '../programs/show/records.ts';
import { strftime } from '../programs/show/strftime.ts';
import type { Names } from '../programs/show/value.ts';
import type { ClockOffsets } from './program-names.ts';

export interface WriterTask {
  program: Pick<Compiled, 'outputs' | 'layouts' | 'enums'>;
  truncated: string;
  terminal: boolean;
  format: 'text' | 'json';
  clocks: ClockOffsets;
}

export interface WriterAnswer {
  segments: Segment[];
}

/** Only of what needs nothing of the node: others are the main thread's. */
function plainNames({ program, truncated, terminal, clocks }: WriterTask): Names {
  const none = (): string => '';
  return {
    layouts: program.layouts,
    enumerator: (enumeration, value) => program.enums.get(enumeration)?.get(value),
    stack: none,
    kernelSymbol: none,
    userSymbol: none,
    cgroupPath: none,
    username: none,
    time: (ns, { format, clock }) => strftime(format, ns + clocks[clock]),
    truncated,
    terminal,
  };
}

const task = workerData as WriterTask;
const reader = recordReader(task.program, task.format, plainNames(task));
parentPort?.on('message', (batch: RecordBatch) => {
  const answer: WriterAnswer = { segments: reader.segments(batch, 0) };
  parentPort?.postMessage(answer);
});
