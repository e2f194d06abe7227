// Where each register of a machine function holds a value that is still needed. allocate.ts asks who is in whose way.

import { reversePostorder } from '../flow.ts';
import {
  definition,
  firstVirtual,
  forEachUse,
  isCall,
  type MachineFunction,
  type MachineInstruction,
  successors,
} from './machine.ts';

/** Two positions for each instruction, in the order of blocks: 2i where it reads, 2i + 1 where it writes. Ranges are half open, the latest first. */
export interface Liveness {
  /** By register: from, to, from, to, … */
  ranges: number[][];
  /** Uses and definitions, each counting ten for every loop that it is in. */
  weights: Float64Array;
  /** Virtual registers that a path from the entry reads before it writes. */
  unset: number[];
  positions: number;
}

export function liveness(machine: MachineFunction): Liveness {
  const { blocks, registers } = machine;
  const words = (registers + 31) >> 5;
  const liveIn = blocks.map(() => new Uint32Array(words));
  const used = blocks.map(() => new Uint32Array(words));
  const written = blocks.map(() => new Uint32Array(words));
  for (const [b, block] of blocks.entries()) {
    const reads = used[b] as Uint32Array;
    const writes = written[b] as Uint32Array;
    for (const instruction of block) {
      forEachUse(instruction, (r) => {
        if (!has(writes, r)) add(reads, r);
      });
      forEachDefinition(instruction, (r) => add(writes, r));
    }
  }
  const next = blocks.map(successors);
  const order = reversePostorder(next).reverse();
  for (let changed = true; changed; ) {
    changed = false;
    for (const b of order) {
      const into = liveIn[b] as Uint32Array;
      for (let w = 0; w < words; w++) {
        let out = 0;
        for (const s of next[b] as number[]) out |= liveIn[s]?.[w] ?? 0;
        const now = ((used[b]?.[w] ?? 0) | (out & ~(written[b]?.[w] ?? 0))) >>> 0;
        if (now !== into[w]) {
          into[w] = now;
          changed = true;
        }
      }
    }
  }
  const unset: number[] = [];
  for (let r = firstVirtual; r < registers; r++) if (has(liveIn[0] as Uint32Array, r)) unset.push(r);
  return { ...ranges(machine, liveIn, next), unset };
}

function ranges(machine: MachineFunction, liveIn: Uint32Array[], next: number[][]): Omit<Liveness, 'unset'> {
  const { blocks, registers } = machine;
  const found: number[][] = Array.from({ length: registers }, () => []);
  const weights = new Float64Array(registers);
  const depths = loopDepths(next);
  const starts: number[] = [];
  let count = 0;
  for (const block of blocks) {
    starts.push(count);
    count += block.length;
  }
  /** Where a range that is still open ends; -1: none is. */
  const open = new Int32Array(registers).fill(-1);
  for (let b = blocks.length - 1; b >= 0; b--) {
    const block = blocks[b] as MachineInstruction[];
    const start = starts[b] as number;
    const weight = 10 ** Math.min(depths[b] ?? 0, 6);
    const opened: number[] = [];
    const extend = (r: number, to: number) => {
      if (open[r] !== -1) return;
      open[r] = to;
      opened.push(r);
    };
    for (const s of next[b] as number[]) {
      const into = liveIn[s] as Uint32Array;
      for (let w = 0; w < into.length; w++)
        for (let bits = into[w] as number; bits !== 0; bits &= bits - 1)
          extend(w * 32 + (31 - Math.clz32(bits & -bits)), 2 * (start + block.length));
    }
    const close = (r: number, from: number) => {
      const to = open[r] as number;
      const list = found[r] as number[];
      // Joined with the range after it where the two touch: the list is short.
      if (list.length > 0 && list[list.length - 2] === to) list[list.length - 2] = from;
      else list.push(from, to);
      open[r] = -1;
    };
    for (let i = block.length - 1; i >= 0; i--) {
      const instruction = block[i] as MachineInstruction;
      const at = 2 * (start + i);
      forEachDefinition(instruction, (r) => {
        const early = instruction.op === 'compare' || instruction.op === 'compareImmediate' ? at : at + 1;
        extend(r, at + 2);
        close(r, early);
        weights[r] = (weights[r] ?? 0) + weight;
      });
      forEachUse(instruction, (r) => {
        extend(r, at + 1);
        weights[r] = (weights[r] ?? 0) + weight;
      });
    }
    for (const r of opened) if (open[r] !== -1) close(r, 2 * start);
  }
  return { ranges: found, weights, positions: 2 * count };
}

/** Blocks between the target of a jump back and the jump are taken for its loop. */
function loopDepths(next: number[][]): number[] {
  const depths = next.map(() => 0);
  for (const [b, targets] of next.entries())
    for (const target of targets)
      if (target <= b) for (let i = target; i <= b; i++) depths[i] = (depths[i] ?? 0) + 1;
  return depths;
}

function forEachDefinition(instruction: MachineInstruction, visit: (register: number) => void): void {
  if (isCall(instruction)) for (let r = 0; r <= 5; r++) visit(r);
  const to = definition(instruction);
  if (to !== -1) visit(to);
}

function has(set: Uint32Array, r: number): boolean {
  return (((set[r >> 5] ?? 0) >>> (r & 31)) & 1) === 1;
}

function add(set: Uint32Array, r: number): void {
  set[r >> 5] = (set[r >> 5] ?? 0) | (1 << (r & 31));
}
