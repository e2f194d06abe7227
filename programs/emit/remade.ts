// Values of the intermediate form that are made again wherever they are used, so that no register holds them in between: constants, places on the
// stack, addresses. select.ts asks.

import { assignedOnce } from '../flow.ts';
import type { Instruction, IrFunction, Register } from '../ir.ts';
import type { Reference } from './machine.ts';

export type Remade =
  | { kind: 'constant'; value: bigint }
  | { kind: 'frame'; offset: number }
  | { kind: 'address'; reference: Reference };

/** Registers that are assigned once, and by what is cheap to say again. */
export function findRemade(source: IrFunction, frames: number[]): (Remade | undefined)[] {
  const once = assignedOnce(source);
  const otherUses = new Set<Register>();
  for (const block of source.blocks)
    for (const instruction of block.instructions) {
      if (instruction.op === 'load' || instruction.op === 'store' || instruction.op === 'atomicAdd')
        otherUses.add(instruction.base);
      if (instruction.op === 'binary') otherUses.add(instruction.left);
    }
  const remade: (Remade | undefined)[] = [];
  // A sum of a frame may stand before the frame in the order of blocks: again until nothing is found.
  for (let found = true; found; ) {
    found = false;
    for (const block of source.blocks)
      for (const instruction of block.instructions) {
        if (!('to' in instruction) || !once(instruction.to) || remade[instruction.to]) continue;
        const value = remake(instruction, frames, remade, otherUses);
        if (!value) continue;
        remade[instruction.to] = value;
        found = true;
      }
  }
  return remade;
}

function remake(
  instruction: Instruction,
  frames: number[],
  remade: (Remade | undefined)[],
  otherUses: Set<Register>,
): Remade | undefined {
  switch (instruction.op) {
    case 'constant':
      return { kind: 'constant', value: instruction.value };
    case 'frame':
      return { kind: 'frame', offset: frames[instruction.frame] ?? 0 };
    case 'binary': {
      const left = remade[instruction.left];
      if (left?.kind !== 'frame' || typeof instruction.right === 'number') return undefined;
      const by = Number(BigInt.asIntN(64, instruction.right.value));
      const sign = instruction.operation === 'add' ? 1 : instruction.operation === 'sub' ? -1 : 0;
      if (sign === 0 || Math.abs(by) > 512) return undefined;
      return { kind: 'frame', offset: left.offset + sign * by };
    }
    case 'map':
      return { kind: 'address', reference: { kind: 'map', name: instruction.map } };
    case 'data':
    case 'global':
    case 'function':
      return otherUses.has(instruction.to)
        ? undefined
        : { kind: 'address', reference: reference(instruction) };
    default:
      return undefined;
  }
}

export function reference(
  instruction: Extract<Instruction, { op: 'data' | 'global' | 'function' }>,
): Reference {
  if (instruction.op === 'data') return { kind: 'data', bytes: instruction.bytes };
  return { kind: instruction.op, name: instruction.name };
}
