// How often statuses may be written, over all jobs: many jobs at once must not be a burden to the API server. Neighbour: operator/reconcile.ts.

import type { Clock } from './clock.ts';

const perSecond = 20;
const burst = 100;
/** Kept for what people wait for; counts alone don't use it up. */
const reserved = 50;

export function statusBucket(clock: Clock): { take(important: boolean): number } {
  let tokens = burst;
  let at = clock.now();
  return {
    /** 0: write now; else try again after so many ms. */
    take(important) {
      const now = clock.now();
      tokens = Math.min(burst, tokens + (Math.max(0, now - at) / 1000) * perSecond);
      at = now;
      const least = important ? 1 : reserved + 1;
      if (tokens < least) return Math.ceil(((least - tokens) / perSecond) * 1000);
      tokens--;
      return 0;
    },
  };
}
