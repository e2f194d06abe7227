// Decides, purely, what a session does about its cost: nothing, sample, or end. Measurements come from agent/overhead.ts once a tick.

import type { Budget } from './plan.ts';

/** What was spent, since the session attached, and in the last tick. */
export interface Spent {
  /** Cores used over the last tick: CPU seconds per second, of programs and agent together. */
  cpu: number;
  memoryBytes: number;
  events: number;
  artifactBytes: number;
}

export interface Limits extends Budget {
  /** False: it can't record less; absent: it can. */
  samples?: boolean;
}

export type BudgetDecision =
  | { kind: 'Keep' }
  /** Record one of `every` from now on. */
  | { kind: 'Sample'; every: number; message: string }
  | { kind: 'End'; message: string };

/** Beyond this factor a sample says too little about what happened: end instead. */
const mostSampling = 1024;

/** Ticks in a row over the CPU budget before it counts: a burst at start is not a trend. */
export const patience = 3;

/** `over`: ticks in a row that were over the CPU budget, this one among them (kept by the caller). */
export function decide(
  budget: Limits,
  spent: Spent,
  now: { sampledBy: number; over: number },
): BudgetDecision {
  if (budget.events !== undefined && spent.events >= budget.events)
    return end(`recorded ${spent.events} events of the ${budget.events} allowed (budget.events)`);
  if (budget.artifactBytes !== undefined && spent.artifactBytes >= budget.artifactBytes)
    return end(
      `wrote ${spent.artifactBytes} bytes of the ${budget.artifactBytes} allowed (budget.artifacts)`,
    );
  if (budget.memoryBytes !== undefined && spent.memoryBytes > budget.memoryBytes)
    return end(`holds ${spent.memoryBytes} bytes of the ${budget.memoryBytes} allowed (budget.memory)`);
  if (budget.cpu === undefined || spent.cpu <= budget.cpu || now.over < patience) return { kind: 'Keep' };
  const every = now.sampledBy * nextFactor(spent.cpu / budget.cpu);
  const cost = `used ${milli(spent.cpu)} of CPU, ${milli(budget.cpu)} are allowed (budget.cpu)`;
  if (budget.samples === false) return end(cost);
  if (every > mostSampling) return end(`${cost}, even with one event of ${now.sampledBy} recorded`);
  return { kind: 'Sample', every, message: `${cost}: records one event of ${every} from now on` };
}

/** The next power of two at or above what the excess asks for, at least 2. */
function nextFactor(excess: number): number {
  return 2 ** Math.max(1, Math.ceil(Math.log2(excess)));
}

function end(message: string): BudgetDecision {
  return { kind: 'End', message };
}

function milli(cores: number): string {
  return `${Math.round(cores * 1000)}m`;
}
