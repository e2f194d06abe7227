// What an agent is told to do: a plan, all decided, that a job's spec and its gadget were turned into (bpf/plan.ts). No zod, no gadget code
// reaches an agent: this is data, and the agent checks its limits again (agent/limits.ts).

import type { HitCost, KnobValue, ProgramChoice, Source, Subject } from '../bpf/gadget.ts';
import type { Owner } from '../results/shape.ts';
import type { PodTarget } from './api.ts';

export interface TracePlan {
  /** The gadget's name; its object is <objects>/<trace>.bpf.o */
  trace: string;
  /** As given and defaulted, for the result's head. */
  parameters: Record<string, unknown>;
  subject: Subject;
  source: Source;
  programs: ProgramChoice[];
  hitCost: HitCost;
  variables: Record<string, KnobValue>;
  maxEntries: Record<string, number>;
}

/** One thing in scope, with the name its rows carry. */
export type Target =
  /** A cgroup2 directory and all below it. */
  | { kind: 'cgroup'; path: string; owner: Omit<Owner, 'node'> }
  /** A process and its descendants from now on. */
  | { kind: 'process'; pid: number; owner: Omit<Owner, 'node'> };

export interface Budget {
  /** CPU cores, as a fraction (0.02 = 20m), of programs and agent together. */
  cpu?: number;
  memoryBytes?: number;
  events?: number;
  artifactBytes?: number;
}

export type Redaction = 'None' | 'Secrets' | 'All';

export interface SessionRequest {
  job: { name: string; namespace: string | null; uid: string };
  node: string;
  plan: TracePlan;
  targets: Target[];
  /** Pods, beside or instead of targets; may be empty, and others may come (Session.retarget). They never end a job by going. */
  pods?: { now: PodTarget[] /** Where cgroup2 is mounted. */; mountPoint: string };
  /** Absent: until stopped. */
  durationMs?: number;
  budget: Budget;
  redact: Redaction;
  /** A folder of this session's own; removed by its owner after the run is taken. */
  spool: string;
}
