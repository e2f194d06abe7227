// After registers are chosen: a value that is read back from its slot, or copied, while a register still has it is taken from that register, and
// what then nobody reads goes. After allocate.ts, before assemble.ts.

import { liveness } from './liveness.ts';
import {
  definition,
  framePointer,
  isCall,
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
} from './machine.ts';

/** frames: the bytes of stack that the program itself sees; below them are slots, which nobody else writes to. */
export function tidy(machine: MachineFunction, frames: number): MachineFunction {
  const blocks = machine.blocks.map((block) => forwarded(block, frames));
  return withoutUnread({ ...machine, blocks, registers: 11 });
}

function forwarded(block: MachineBlock, frames: number): MachineBlock {
  /** By slot: the register that has the same. By register: the one that it is a copy of. */
  const slots = new Map<number, number>();
  const copies = new Map<number, number>();
  const forget = (register: number) => {
    copies.delete(register);
    for (const [copy, of] of copies) if (of === register) copies.delete(copy);
    for (const [slot, of] of slots) if (of === register) slots.delete(slot);
  };
  const isSlot = (i: { base: number; offset: number; width: number }) =>
    i.base === framePointer && i.offset < -frames && i.width === 8;
  return block.map((before): MachineInstruction => {
    let instruction = substituted(before, copies);
    if (instruction.op === 'load' && isSlot(instruction)) {
      const { to, offset, span } = instruction;
      const held = slots.get(offset);
      if (held !== undefined) instruction = { op: 'move', to, from: held, span };
    }
    if (isCall(instruction)) for (let r = 0; r <= 5; r++) forget(r);
    const to = definition(instruction);
    const copied = instruction.op === 'move' && !instruction.half ? instruction.from : -1;
    if (to !== -1 && copied !== to) forget(to);
    if (copied !== -1 && copied !== to) copies.set(to, copied);
    else if (instruction.op === 'load' && isSlot(instruction)) slots.set(instruction.offset, to);
    else if (instruction.op === 'store' && isSlot(instruction))
      slots.set(instruction.offset, instruction.from);
    else if (instruction.op === 'storeImmediate' && isSlot(instruction)) slots.delete(instruction.offset);
    return instruction;
  });
}

/** Reads what a register is a copy of; what is changed in place and what a call takes stay where they are. */
function substituted(
  instruction: MachineInstruction,
  copies: ReadonlyMap<number, number>,
): MachineInstruction {
  // The verifier learns bounds for the register that is compared, and not in all versions for its copies.
  if (instruction.op === 'branch' || instruction.op === 'branchImmediate')
    if (instruction.condition !== 'eq' && instruction.condition !== 'ne') return instruction;
  const changed = { ...instruction } as MachineInstruction & Record<string, unknown>;
  for (const part of ['from', 'base', 'left', 'right'] as const) {
    const register = changed[part];
    const of = typeof register === 'number' ? copies.get(register) : undefined;
    // A comparison writes its target before it reads.
    if (of !== undefined && !(instruction.op.startsWith('compare') && of === definition(instruction)))
      Object.assign(changed, { [part]: of });
  }
  return changed;
}

function withoutUnread(machine: MachineFunction): MachineFunction {
  const { ranges } = liveness(machine);
  let position = -2;
  const blocks = machine.blocks.map((block) =>
    block.filter((instruction) => {
      position += 2;
      const to = definition(instruction);
      if (to === -1) return true;
      if (instruction.op === 'move' && !instruction.half && instruction.from === to) return false;
      return isRead(ranges[to] as number[], position + 1);
    }),
  );
  return { ...machine, blocks };
}

/** Whether what is written at a place is needed after it. */
function isRead(ranges: number[], place: number): boolean {
  for (let i = 0; i < ranges.length; i += 2)
    if ((ranges[i] as number) <= place && place + 1 < (ranges[i + 1] as number)) return true;
  return false;
}
