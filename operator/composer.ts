// Runs operator/compose.ts in a thread with a bound on its memory, and ends it when the job does. Neighbour: operator/publish.ts.

import { totalmem } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { ComposeAnswer, Composed, ComposeTask } from './compose.ts';
import type { FetchedRun } from './observed.ts';

/** Bundled, all of dist lies in one folder; in the source tree this file is TypeScript. */
const entry = new URL(import.meta.url.endsWith('.ts') ? './compose.ts' : './compose.js', import.meta.url);

/** Of the memory that the operator's container may use; without such a limit, of the machine's. */
const memoryShare = 0.6;
/** More is not needed, whatever the result: it would be filled with garbage before that is collected. */
const mostMemory = 512 << 20;
const youngMemoryMb = 32;

/** Thrown where the files could not be made; `code` as the disk or results/errors.ts said it. */
export class ComposeError extends Error {
  override name = 'ComposeError';
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

/** The files of the result of these runs. Throws ComposeError, or the signal's reason. */
export async function compose(folder: string, runs: FetchedRun[], signal: AbortSignal): Promise<Composed> {
  signal.throwIfAborted();
  const task: ComposeTask = { folder, runs };
  // constrainedMemory() is 0, or more than there is, where nothing constrains.
  const memory = Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem());
  const maxOldGenerationSizeMb = Math.floor(Math.min(mostMemory, memoryShare * memory) / 2 ** 20);
  const resourceLimits = { maxOldGenerationSizeMb, maxYoungGenerationSizeMb: youngMemoryMb };
  const worker = new Worker(entry, { workerData: task, resourceLimits });
  const { promise, resolve, reject } = Promise.withResolvers<ComposeAnswer>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort);
  worker.on('message', resolve);
  worker.on('error', (error: Error & { code?: string }) => {
    const full = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const message = full
      ? 'the result needs more memory than the operator has: raise operator.resources.limits.memory in the values, or trace fewer pods'
      : error.message;
    reject(new ComposeError(message, error.code));
  });
  worker.on('exit', () =>
    reject(new ComposeError('the thread that makes the files ended without an answer', undefined)),
  );
  try {
    const answer = await promise;
    if ('failed' in answer) throw new ComposeError(answer.failed.message, answer.failed.code);
    return answer.composed;
  } finally {
    signal.removeEventListener('abort', abort);
    await worker.terminate();
  }
}
