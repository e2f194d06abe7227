// Time and chance that a seed decides: what a simulation of the operator runs on. Neighbours: operator/simulation/agent.ts, operator/simulation.test.ts.

import type { Clock } from '../clock.ts';

export interface Chance {
  /** In [0, 1). */
  next(): number;
  /** A whole number of [least, most]. */
  between(least: number, most: number): number;
  happens(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
}

/** mulberry32. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    happens: (probability) => next() < probability,
    pick: (items) => items[between(0, items.length - 1)] as (typeof items)[number],
  };
}

interface Timer {
  at: number;
  order: number;
  run: (() => void) | undefined;
}

export interface SimulatedTime extends Clock {
  /** Lets time go by, event after event, until it is `until` or `done`. */
  run(until: number, done?: () => boolean): Promise<void>;
}

export function simulatedTime(start: number): SimulatedTime {
  const timers: Timer[] = [];
  let now = start;
  let count = 0;

  function push(timer: Timer): void {
    let low = 0;
    let high = timers.length;
    // Latest first, so that the next one is popped from the end.
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = timers[middle] as Timer;
      if (other.at > timer.at || (other.at === timer.at && other.order > timer.order)) low = middle + 1;
      else high = middle;
    }
    timers.splice(low, 0, timer);
  }

  return {
    now: () => now,
    after(ms, run) {
      const timer: Timer = { at: now + Math.max(0, ms), order: count++, run };
      push(timer);
      return () => {
        timer.run = undefined;
      };
    },
    async run(until, done) {
      await settled();
      while (!done?.()) {
        const timer = timers.at(-1);
        if (timer === undefined || timer.at > until) break;
        timers.pop();
        if (timer.run === undefined) continue;
        now = timer.at;
        timer.run();
        await settled();
      }
      if (!done?.()) now = Math.max(now, until);
    },
  };
}

/** Every promise that can go on has. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A clock that is off: another machine's, or this one's after somebody set it. */
export function offset(clock: Clock, by: number): Clock {
  return { now: () => clock.now() + by, after: (ms, run) => clock.after(ms, run) };
}
