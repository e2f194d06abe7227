// Between select.ts and assemble.ts: eBPF's own operations over registers that are not chosen yet. liveness.ts and allocate.ts work on these.

import type { Condition, Width } from '../ir.ts';
import type { Span } from '../source.ts';

/** 0 to 10: eBPF's own. From firstVirtual on: to be chosen. */
export type MachineRegister = number;
export const firstVirtual = 16;
export const framePointer = 10;

/** What the address in a wide load stands for; object.ts makes symbols of it. */
export type Reference =
  | { kind: 'map' | 'global' | 'function'; name: string }
  | { kind: 'data'; bytes: Uint8Array };

export type MachineInstruction = (
  | {
      op: 'move';
      to: MachineRegister;
      from: MachineRegister /** The low half, upper bits cleared. */;
      half?: boolean;
    }
  | { op: 'constant'; to: MachineRegister; value: bigint }
  | { op: 'address'; to: MachineRegister; reference: Reference }
  | { op: 'frame'; to: MachineRegister; offset: number }
  /** to = to ∘ from */
  | { op: 'alu'; code: number; to: MachineRegister; from: MachineRegister }
  | { op: 'aluImmediate'; code: number; to: MachineRegister; value: number }
  | { op: 'negate'; to: MachineRegister }
  | { op: 'swap'; to: MachineRegister; bits: 16 | 32 | 64 }
  /** to is written before left and right are read. */
  | {
      op: 'compare';
      condition: Condition;
      to: MachineRegister;
      left: MachineRegister;
      right: MachineRegister;
    }
  | {
      op: 'compareImmediate';
      condition: Condition;
      to: MachineRegister;
      left: MachineRegister;
      value: number;
    }
  | { op: 'load'; to: MachineRegister; base: MachineRegister; offset: number; width: Width }
  | { op: 'store'; base: MachineRegister; offset: number; width: Width; from: MachineRegister }
  | { op: 'storeImmediate'; base: MachineRegister; offset: number; width: Width; value: number }
  | { op: 'atomicAdd'; base: MachineRegister; offset: number; width: 4 | 8; from: MachineRegister }
  /** Takes r1 to r<arguments>, gives r0, spoils r1 to r5. */
  | { op: 'helper'; helper: number; arguments: number }
  | { op: 'call'; function: string; arguments: number }
  | { op: 'jump'; target: number }
  | {
      op: 'branch';
      condition: Condition;
      left: MachineRegister;
      right: MachineRegister;
      target: number;
      otherwise: number;
    }
  | {
      op: 'branchImmediate';
      condition: Condition;
      left: MachineRegister;
      value: number;
      target: number;
      otherwise: number;
    }
  /** Gives r0 back. */
  | { op: 'exit' }
) & { span?: Span | undefined };

/** The last instruction of a block is a jump, branch or exit, and no other is. */
export type MachineBlock = MachineInstruction[];

export interface MachineFunction {
  name: string;
  /** Block 0 is the entry. */
  blocks: MachineBlock[];
  /** One more than the highest register. */
  registers: number;
  /** Bytes of stack, a multiple of 8. */
  stack: number;
}

/** Calls visit for each register that the instruction reads. */
export function forEachUse(
  instruction: MachineInstruction,
  visit: (register: MachineRegister) => void,
): void {
  switch (instruction.op) {
    case 'move':
      visit(instruction.from);
      return;
    case 'alu':
      visit(instruction.to);
      visit(instruction.from);
      return;
    case 'aluImmediate':
    case 'negate':
    case 'swap':
      visit(instruction.to);
      return;
    case 'compare':
    case 'branch':
      visit(instruction.left);
      visit(instruction.right);
      return;
    case 'compareImmediate':
    case 'branchImmediate':
      visit(instruction.left);
      return;
    case 'load':
    case 'storeImmediate':
      visit(instruction.base);
      return;
    case 'store':
    case 'atomicAdd':
      visit(instruction.base);
      visit(instruction.from);
      return;
    case 'helper':
    case 'call':
      for (let i = 1; i <= instruction.arguments; i++) visit(i);
      return;
    case 'exit':
      visit(0);
      return;
  }
}

/** The register that the instruction writes; -1: none. A call writes r0 to r5. */
export function definition(instruction: MachineInstruction): MachineRegister {
  switch (instruction.op) {
    case 'move':
    case 'constant':
    case 'address':
    case 'frame':
    case 'alu':
    case 'aluImmediate':
    case 'negate':
    case 'swap':
    case 'compare':
    case 'compareImmediate':
    case 'load':
      return instruction.to;
    default:
      return -1;
  }
}

export function isCall(instruction: MachineInstruction): boolean {
  return instruction.op === 'helper' || instruction.op === 'call';
}

export function successors(block: MachineBlock): number[] {
  const end = block.at(-1);
  if (end?.op === 'jump') return [end.target];
  if (end?.op === 'branch' || end?.op === 'branchImmediate') return [end.target, end.otherwise];
  return [];
}
