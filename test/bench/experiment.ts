// What an experiment is: rounds of raw measurements, and what rows of the table they give. test/bench/rows has one file for each,
// test/bench/run.ts runs the rounds, test/bench/report.ts writes the rows.

import type { Estimate, Verdict } from './statistics.ts';

/** Raw measurements of one round, by name; an experiment says in which unit. */
export type Round = Record<string, number>;

export interface Row {
  what: string;
  /** As the table says it: "at most 0.12 ×". */
  limit: string;
  measured: Estimate;
  /** How a number of the estimate is written: "0.10 ×", "24 ms". */
  write: (value: number) => string;
  verdict: Verdict;
  /** The figures behind it. */
  detail: string;
}

/** Where an experiment finds what it needs in each round. */
export interface Bench {
  /** A folder for what tracers write; emptied by the experiment. */
  folder: string;
  /** The cgroup that tracers run in, so that their CPU time can be read. */
  tracerCgroup: string;
  round: number;
}

export interface Experiment {
  name: string;
  /** One sentence for the page: how it is measured. */
  how: string;
  /** At most so many: what takes minutes is not done eleven times. */
  rounds?: number;
  measure: (bench: Bench) => Promise<Round>;
  rows: (rounds: Round[]) => Row[];
}

/** One value from each round. */
export function series(rounds: readonly Round[], value: (round: Round) => number): number[] {
  return rounds.map(value);
}

/** A measurement of a round; throws if the experiment did not make it. */
export function of(round: Round, name: string): number {
  const value = round[name];
  if (value === undefined) throw new Error(`the round has no measurement ${name}`);
  return value;
}

/** The list turned so that each round begins with another one: what warms up or heats up hits all alike. */
export function rotated<T>(list: readonly T[], round: number): T[] {
  const start = round % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
