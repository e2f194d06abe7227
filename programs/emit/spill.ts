// Slots on the stack for what allocate.ts finds no register for: 8 bytes, written where the value is assigned and read where it is used, so that the
// verifier keeps its type.

import { EmitError } from './errors.ts';
import type { Joined } from './join.ts';
import type { Liveness } from './liveness.ts';
import {
  definition,
  framePointer,
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
  successors,
} from './machine.ts';
import { Occupied } from './occupied.ts';

/** Slots for the spilled, shared by those that are never held at once, and the instructions with reads and writes of them. */
export function spill(
  machine: MachineFunction,
  live: Liveness,
  spilled: number[],
  joined: Joined,
  brief: Set<number>,
): MachineFunction {
  const slots: Occupied[] = [];
  const offsets = new Map<number, number>();
  for (const r of spilled) {
    const shared = offsets.get(joined.of(r));
    if (shared !== undefined) {
      offsets.set(r, shared);
      continue;
    }
    const ranges = joined.ranges[r] as number[];
    let slot = slots.findIndex((occupied) => occupied.isFree(ranges));
    if (slot < 0) slot = slots.push(new Occupied(live.positions)) - 1;
    slots[slot]?.take(ranges);
    offsets.set(r, -(machine.stack + 8 * (slot + 1)));
  }
  const stack = machine.stack + 8 * slots.length;
  if (stack > 512)
    throw new EmitError(
      'StackTooLarge',
      `${machine.name} needs ${stack} bytes of stack, spilled values included; eBPF has 512`,
    );
  let registers = machine.registers;
  const temporary = (): number => {
    brief.add(registers);
    return registers++;
  };
  const blocks = machine.blocks.map((block) => {
    const out: MachineBlock = [];
    for (const instruction of block) rewrite(instruction, offsets, temporary, out);
    return out;
  });
  keepBounds(machine, live, offsets, blocks);
  return { ...machine, blocks, registers, stack };
}

/** A comparison tells the verifier the bounds of the register that the value was brought to, and before Linux 6.8 not those of its slot: the
 *  register is written back on both ways. */
function keepBounds(
  machine: MachineFunction,
  live: Liveness,
  offsets: ReadonlyMap<number, number>,
  blocks: MachineBlock[],
): void {
  const starts: number[] = [];
  let position = 0;
  const arrivals = new Map([[0, 1]]);
  for (const block of machine.blocks) {
    starts.push(position);
    position += 2 * block.length;
    for (const s of successors(block)) arrivals.set(s, (arrivals.get(s) ?? 0) + 1);
  }
  const needed = (register: number, block: number) => {
    const ranges = live.ranges[register] as number[];
    const at = starts[block] as number;
    for (let i = 0; i < ranges.length; i += 2)
      if ((ranges[i] as number) <= at && at < (ranges[i + 1] as number)) return true;
    return false;
  };
  for (const [b, before] of machine.blocks.entries()) {
    const end = before.at(-1);
    const now = blocks[b]?.at(-1);
    if (end?.op !== now?.op || !end || !now) continue;
    if (end.op !== 'branch' && end.op !== 'branchImmediate') continue;
    if (now.op !== 'branch' && now.op !== 'branchImmediate') continue;
    if (end.condition === 'eq' || end.condition === 'ne') continue;
    const compared = [[end.left, now.left]];
    if (end.op === 'branch' && now.op === 'branch') compared.push([end.right, now.right]);
    for (const way of ['target', 'otherwise'] as const) {
      const next = end[way];
      const stores: MachineBlock = [];
      for (const [register = 0, from = 0] of compared) {
        const offset = offsets.get(register);
        if (offset !== undefined && needed(register, next))
          stores.push({ op: 'store', base: framePointer, offset, width: 8, from, span: end.span });
      }
      if (stores.length === 0) continue;
      if (arrivals.get(next) === 1) blocks[next]?.unshift(...stores);
      else now[way] = blocks.push([...stores, { op: 'jump', target: next }]) - 1;
    }
  }
}

function rewrite(
  instruction: MachineInstruction,
  offsets: ReadonlyMap<number, number>,
  temporary: () => number,
  out: MachineBlock,
): void {
  const { span } = instruction;
  const read = (to: number, offset: number) =>
    out.push({ op: 'load', to, base: framePointer, offset, width: 8, span });
  const write = (from: number, offset: number) =>
    out.push({ op: 'store', base: framePointer, offset, width: 8, from, span });
  const to = definition(instruction);
  const slot = offsets.get(to);
  if (instruction.op === 'move' && !instruction.half) {
    const from = offsets.get(instruction.from);
    if (slot !== undefined && slot === from) return;
    if (slot !== undefined && from === undefined) {
      write(instruction.from, slot);
      return;
    }
    if (slot === undefined && from !== undefined) {
      read(to, from);
      return;
    }
  }
  const changed = { ...instruction } as MachineInstruction & Record<string, unknown>;
  const held = new Map<number, number>();
  for (const part of ['from', 'base', 'left', 'right'] as const) {
    const register = changed[part];
    const offset = typeof register === 'number' ? offsets.get(register) : undefined;
    if (offset === undefined) continue;
    let brought = held.get(register as number);
    if (brought === undefined) {
      brought = temporary();
      held.set(register as number, brought);
      read(brought, offset);
    }
    Object.assign(changed, { [part]: brought });
  }
  if (slot !== undefined) {
    let result = held.get(to);
    if (result === undefined) {
      result = temporary();
      if (readsTarget(instruction)) read(result, slot);
    } else if (instruction.op === 'compare' || instruction.op === 'compareImmediate') {
      // It writes its target before it reads.
      result = temporary();
    }
    Object.assign(changed, { to: result });
    out.push(changed);
    write(result, slot);
  } else {
    out.push(changed);
  }
}

function readsTarget(instruction: MachineInstruction): boolean {
  return ['alu', 'aluImmediate', 'negate', 'swap'].includes(instruction.op);
}
