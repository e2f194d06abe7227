// What a session costs: its programs (hits × the cost of a hit), the agent's own CPU, the memory of both.
// Not by BPF_ENABLE_STATS: that needs SYS_ADMIN, is node-global, taxes every program of the node and misses the cost of the trap.

import type { BpfObject, Native } from '../native/api.ts';
import type { AttachedHook } from './attach.ts';
import { integer, member } from './decode.ts';

/** ns of CPU by one hit, the way into the program and back included. `outside`: the scope test fails and nothing more is done. */
export interface HitCost {
  outside: number;
  inside: number;
}

/** What a lookup in a hash takes on the machine where the costs below were measured, ns. */
const referenceLookup = 19.5;

/** How much slower than that machine this one runs BPF programs; 1 where it can't be told. */
export function machineScale(native: Native): number {
  const here = native.lookupTime();
  return here > 0 ? here / referenceLookup : 1;
}

/** By kind of hook; inside: what our own programs do, on average. */
const hitCosts: Record<string, HitCost> = {
  tp_btf: { outside: 60, inside: 300 },
  raw_tp: { outside: 60, inside: 300 },
  fentry: { outside: 25, inside: 250 },
  fexit: { outside: 40, inside: 350 },
  tracepoint: { outside: 330, inside: 1100 },
  tp: { outside: 330, inside: 1100 },
  kprobe: { outside: 140, inside: 500 },
  kretprobe: { outside: 200, inside: 600 },
  perf_event: { outside: 700, inside: 3000 },
  uprobe: { outside: 1300, inside: 1700 },
  uretprobe: { outside: 1700, inside: 2200 },
  usdt: { outside: 1300, inside: 1700 },
};

/** The cost of a hit of these hooks: their mean, for the counter does not tell them apart. */
export function costOfHit(hooks: readonly AttachedHook[], scale: number): HitCost {
  const costs = hooks.map(
    ({ hook }) => hitCosts[hook.slice(0, hook.search(/[/.]|$/))] ?? { outside: 100, inside: 500 },
  );
  const mean = (part: keyof HitCost) =>
    (costs.reduce((sum, cost) => sum + cost[part], 0) / Math.max(1, costs.length)) * scale;
  return { outside: mean('outside'), inside: mean('inside') };
}

export interface Measured {
  /** Runs of its programs so far, of them those in scope, and of those what was seen but not recorded. */
  hits: bigint;
  scoped: bigint;
  skipped: bigint;
  programsCpuNs: bigint;
  agentCpuNs: bigint;
  memoryBytes: bigint;
  /** Cores in use since the measurement before. */
  cpu: number;
}

export interface Meter {
  measure(): Measured;
  close(): void;
}

/** Sessions that share this process share its CPU time: each is charged an equal part. */
const running = new Set<object>();

export function startMeter(native: Native, object: BpfObject, cost: HitCost): Meter {
  const self = {};
  running.add(self);
  let agentCpu = 0n;
  let lastCpu = native.cpuTime();
  let last = { at: native.clocks().monotonic, spent: 0n };

  return {
    measure() {
      const value = object.map('hits').get(0) ?? {};
      const hits = integer(member(value, 'hits'));
      const scoped = integer(member(value, 'scoped'));
      const cpuNow = native.cpuTime();
      agentCpu += (cpuNow - lastCpu) / BigInt(Math.max(1, running.size));
      lastCpu = cpuNow;
      const outside = hits > scoped ? hits - scoped : 0n;
      const programs = BigInt(Math.round(Number(outside) * cost.outside + Number(scoped) * cost.inside));
      const at = native.clocks().monotonic;
      const spent = programs + agentCpu;
      const cpu = at > last.at ? Number(spent - last.spent) / Number(at - last.at) : 0;
      last = { at, spent };
      return {
        hits,
        scoped,
        skipped: integer(member(value, 'skipped')),
        programsCpuNs: programs,
        agentCpuNs: agentCpu,
        memoryBytes: BigInt(object.memory()),
        cpu,
      };
    },
    close() {
      running.delete(self);
    },
  };
}
