// Waiting for what a cluster does in its own time.

import { setTimeout } from 'node:timers/promises';

/** Asks again until there is an answer; undefined when there was none in time. Errors of the question are the caller's. */
export async function until<T>(
  limitMs: number,
  ask: () => Promise<T | undefined>,
  everyMs = 200,
): Promise<T | undefined> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) return undefined;
    await setTimeout(everyMs);
  }
}
