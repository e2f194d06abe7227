// Puts registers together that a move connects and that never hold different values at once: they shall be one register, and the move nothing.
// Before allocate.ts gives out eBPF's own.

import type { Liveness } from './liveness.ts';
import { firstVirtual, isCall, type MachineFunction } from './machine.ts';

export interface Joined {
  /** The register that stands for all that are put together with this one. */
  of: (register: number) => number;
  /** By such a register: of all of them. */
  ranges: number[][];
  weights: Float64Array;
}

export function join(machine: MachineFunction, live: Liveness, apart: ReadonlySet<number>): Joined {
  const parents = Int32Array.from({ length: machine.registers }, (_, r) => r);
  const of = (register: number): number => {
    let at = register;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at] as number] as number;
      at = parents[at] as number;
    }
    return at;
  };
  const ranges = [...live.ranges];
  const weights = live.weights.slice();
  const calls: number[] = [];
  let position = 0;
  for (const block of machine.blocks)
    for (const instruction of block) {
      if (isCall(instruction)) calls.push(position + 1);
      position += 2;
    }
  for (const block of machine.blocks)
    for (const instruction of block) {
      if (instruction.op !== 'move' || instruction.half) continue;
      const to = of(instruction.to);
      const from = of(instruction.from);
      if (to === from || to < firstVirtual || from < firstVirtual || apart.has(to) || apart.has(from))
        continue;
      const [a, b] = [ranges[to] as number[], ranges[from] as number[]];
      // What no call comes between can be in any register: it is not bound to the few that calls leave alone.
      if (spans(a, calls) !== spans(b, calls)) continue;
      const both = merged(a, b);
      if (!both) continue;
      parents[from] = to;
      ranges[to] = both;
      weights[to] = (weights[to] as number) + (weights[from] as number);
    }
  return { of, ranges, weights };
}

function spans(ranges: number[], calls: number[]): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    const from = ranges[i] as number;
    const to = ranges[i + 1] as number;
    let low = 0;
    let high = calls.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((calls[middle] as number) < from) low = middle + 1;
      else high = middle;
    }
    if ((calls[low] ?? Infinity) < to) return true;
  }
  return false;
}

/** Of lists with the latest first; undefined: they overlap. */
function merged(a: number[], b: number[]): number[] | undefined {
  const out: number[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const first = j >= b.length || (a[i] ?? -1) > (b[j] as number);
    const [from, to] = first ? [a[i], a[i + 1]] : [b[j], b[j + 1]];
    if (out.length > 0 && (to as number) > (out.at(-2) as number)) return undefined;
    if (out.length > 0 && to === out.at(-2)) out[out.length - 2] = from as number;
    else out.push(from as number, to as number);
    if (first) i += 2;
    else j += 2;
  }
  return out;
}
