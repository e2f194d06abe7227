// What all jobs of a node may take together, and whether one more may start. Pure but for reading the sizes in a gadget's object. Neighbour: agent/jobs.ts.

import type { MapInfo, Native } from '../native/api.ts';
import type { RunOrder } from './api.ts';
import { openGadget } from './attach.ts';
import { objectPath } from './objects.ts';

export interface Ceilings {
  jobs: number;
  /** Of rings and maps. */
  memoryBytes: number;
  /** Cores: what the jobs' budgets add up to. */
  cpu: number;
}

/** What a job may take at most. */
export interface Cost {
  memoryBytes: number;
  cpu: number;
}

/** Why one more job may not start now; undefined: it may. */
export function busy(ceilings: Ceilings, running: readonly Cost[], next: Cost): string | undefined {
  const sum = (of: keyof Cost) => running.reduce((all, cost) => all + cost[of], next[of]);
  if (running.length >= ceilings.jobs)
    return `${running.length} jobs run on this node, as many as may (--max-jobs)`;
  if (sum('memoryBytes') > ceilings.memoryBytes)
    return `with this job, maps and rings on this node would take ${megabytes(sum('memoryBytes'))} of the ${megabytes(ceilings.memoryBytes)} allowed (--max-memory)`;
  // Budgets are decimal fractions: their sum is off by less than this.
  if (sum('cpu') > ceilings.cpu + 1e-9)
    return `with this job, budgets on this node would add up to ${sum('cpu').toFixed(3)} of the ${ceilings.cpu} cores allowed (--max-cpu)`;
  return undefined;
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

/** Throws AgentError ObjectMissing. */
export function costOf(native: Native, { plan, budget }: RunOrder, cpus: number): Cost {
  const object = openGadget(native, objectPath(plan.trace), plan.trace);
  try {
    const used = object.maps.filter(({ name }) => plan.source.kind === 'ring' || name !== 'events');
    const memoryBytes = used.reduce(
      (sum, map) => sum + mapBytes({ ...map, maxEntries: plan.maxEntries[map.name] ?? map.maxEntries }, cpus),
      0,
    );
    return { memoryBytes, cpu: budget.cpu ?? 0 };
  } finally {
    object.close();
  }
}

/** What the kernel adds to an element of a hash, about. */
const elementBytes = 64;

/** A map that is full. A ring's size is in bytes. */
export function mapBytes(
  map: Pick<MapInfo, 'type' | 'keySize' | 'valueSize' | 'maxEntries'>,
  cpus: number,
): number {
  if (/ringbuf/i.test(map.type)) return map.maxEntries;
  const value = map.valueSize * (/percpu/i.test(map.type) ? cpus : 1);
  return map.maxEntries * (/hash/i.test(map.type) ? elementBytes + map.keySize + value : value);
}
