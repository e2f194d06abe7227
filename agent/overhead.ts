// What a session costs: its programs (hits × the cost of a hit), the agent's own CPU, the memory of both.
// Not by BPF_ENABLE_STATS: that needs SYS_ADMIN, is node-global, taxes every program of the node and misses the cost of the trap.

import type { HitCost } from '../bpf/gadget.ts';
import type { BpfObject, Native } from '../native/api.ts';
import { integer, member } from './decode.ts';

/** What a lookup in a hash takes on the machine where gadgets' hit costs were measured, ns. */
const referenceLookup = 19.5;

/** How much slower than that machine this one runs BPF programs; 1 where it can't be told. */
export function machineScale(native: Native): number {
  const here = native.lookupTime();
  return here > 0 ? here / referenceLookup : 1;
}

export interface Measured {
  /** Runs of its programs so far, of them those in scope, and of those what was seen but not recorded. */
  hits: bigint;
  scoped: bigint;
  skipped: bigint;
  /** Children of the scope (cgroups, processes) that its maps had no room for. */
  unfollowed: bigint;
  programsCpuNs: bigint;
  agentCpuNs: bigint;
  /** The most so far: the kernel's, and what this process has grown by since the session began. */
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
  const scale = machineScale(native);
  running.add(self);
  const residentBefore = process.memoryUsage.rss();
  let memory = 0;
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
      const programs = BigInt(
        Math.round(scale * (Number(outside) * cost.outsideNs + Number(scoped) * cost.insideNs)),
      );
      const at = native.clocks().monotonic;
      const spent = programs + agentCpu;
      const cpu = at > last.at ? Number(spent - last.spent) / Number(at - last.at) : 0;
      last = { at, spent };
      const grown = Math.max(0, process.memoryUsage.rss() - residentBefore);
      memory = Math.max(memory, object.memory() + grown);
      return {
        hits,
        scoped,
        skipped: integer(member(value, 'skipped')),
        unfollowed: integer(member(value, 'unfollowed')),
        programsCpuNs: programs,
        agentCpuNs: agentCpu,
        memoryBytes: BigInt(memory),
        cpu,
      };
    },
    close() {
      running.delete(self);
    },
  };
}
