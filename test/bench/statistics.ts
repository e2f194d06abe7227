// Medians of rounds with their intervals, and what they show about a limit. Pure; test/bench/rows measure, test/bench/report.ts writes.

/** A median with the order statistics around it that hold the true median with at least 95 % (with few rounds: the range). */
export interface Estimate {
  median: number;
  low: number;
  high: number;
  rounds: number;
}

/** met, missed: the whole interval lies on that side of the limit. not shown: the limit lies inside it. */
export type Verdict = 'met' | 'missed' | 'not shown';

/** The median of the rounds and its interval. Throws when there is no round. */
export function estimate(values: readonly number[]): Estimate {
  const sorted = [...values].sort((a, b) => a - b);
  const rounds = sorted.length;
  const rank = intervalRank(rounds);
  const low = sorted[rank];
  const high = sorted[rounds - 1 - rank];
  if (low === undefined || high === undefined) throw new Error('an estimate needs at least one round');
  const middle = [sorted[Math.floor((rounds - 1) / 2)] ?? low, sorted[Math.ceil((rounds - 1) / 2)] ?? high];
  return { median: ((middle[0] ?? low) + (middle[1] ?? high)) / 2, low, high, rounds };
}

/**
 * How many of the lowest and of the highest values may be left out so that the rest still hold the median with 95 %: whether a value lies
 * below the median is a coin's toss, so the tails are binomial.
 */
export function intervalRank(rounds: number): number {
  let tail = 0;
  let ways = 1;
  for (let rank = 0; rank < rounds / 2; rank++) {
    tail += ways / 2 ** rounds;
    if (2 * tail > 0.05) return Math.max(0, rank - 1);
    ways = (ways * (rounds - rank)) / (rank + 1);
  }
  return 0;
}

/** Whether the estimate is at most (or at least) the limit. */
export function verdict(of: Estimate, limit: number, side: 'at most' | 'at least'): Verdict {
  const sign = side === 'at most' ? 1 : -1;
  const worst = side === 'at most' ? of.high : of.low;
  const best = side === 'at most' ? of.low : of.high;
  if (sign * worst <= sign * limit) return 'met';
  return sign * best > sign * limit ? 'missed' : 'not shown';
}

/** Whether differences from none are not to be told from none: zero lies in the interval, or they are below it. */
export function indistinguishable(difference: Estimate): boolean {
  return difference.low <= 0;
}
