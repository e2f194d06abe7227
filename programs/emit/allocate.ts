// Gives each virtual register one of eBPF's, or a place on the stack. Registers are given out by how often they are used for how long they are
// held; what finds none is written to an 8-byte slot where it is assigned and read back where it is used, so that the verifier keeps its type.
// After select.ts, before assemble.ts.

import { EmitError } from './errors.ts';
import { type Joined, join } from './join.ts';
import { type Liveness, liveness } from './liveness.ts';
import {
  definition,
  firstVirtual,
  framePointer,
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
} from './machine.ts';
import { Occupied } from './occupied.ts';
import { spill } from './spill.ts';

/** Last first where a call may come between: what arguments go into is taken last. */
const order = [5, 4, 3, 2, 1, 0, 6, 7, 8, 9];

export function allocate(machine: MachineFunction): MachineFunction {
  let current = withoutUnused(machine);
  /** Those that hold a spilled value for one instruction: they must get a register. */
  const brief = new Set<number>();
  for (;;) {
    let live = liveness(current);
    if (live.unset.length > 0) {
      current = withZeros(current, live.unset);
      live = liveness(current);
    }
    const { chosen, spilled, joined } = choose(current, live, brief);
    if (spilled.length === 0) return rename(current, chosen);
    current = spill(current, live, spilled, joined, brief);
  }
}

/** Instructions whose value nobody reads and that do nothing else. */
function withoutUnused(machine: MachineFunction): MachineFunction {
  const uses = new Uint32Array(machine.registers);
  for (const block of machine.blocks)
    for (const instruction of block)
      forEachRead(instruction, (r) => {
        uses[r] = (uses[r] ?? 0) + 1;
      });
  const blocks = machine.blocks.map((block) =>
    block.filter((instruction) => {
      const to = definition(instruction);
      return to < firstVirtual || uses[to] !== 0;
    }),
  );
  return { ...machine, blocks };
}

function forEachRead(instruction: MachineInstruction, visit: (register: number) => void): void {
  if ('from' in instruction) visit(instruction.from);
  if ('base' in instruction) visit(instruction.base);
  if ('left' in instruction) visit(instruction.left);
  if ('right' in instruction) visit(instruction.right);
}

/** What some path does not assign is zero there, as a variable of the language is. */
function withZeros(machine: MachineFunction, unset: number[]): MachineFunction {
  const [entry, ...rest] = machine.blocks;
  const zeros = unset.map((to): MachineInstruction => ({ op: 'constant', to, value: 0n }));
  // After the arguments have been taken from their registers.
  const begin = entry?.findIndex((i) => !(i.op === 'move' && i.from < firstVirtual)) ?? 0;
  const first: MachineBlock = [...(entry?.slice(0, begin) ?? []), ...zeros, ...(entry?.slice(begin) ?? [])];
  // A loop may lead back to the entry.
  const again = rest.some((block) => leadsTo(block, 0)) || leadsTo(entry ?? [], 0);
  if (!again) return { ...machine, blocks: [first, ...rest] };
  const moved = machine.blocks.map((block) => block.map(shifted));
  return { ...machine, blocks: [[...zeros, { op: 'jump', target: 1 }], ...moved] };
}

function leadsTo(block: MachineBlock, target: number): boolean {
  const end = block.at(-1);
  return (
    end !== undefined &&
    'target' in end &&
    (end.target === target || ('otherwise' in end && end.otherwise === target))
  );
}

function shifted(instruction: MachineInstruction): MachineInstruction {
  if (instruction.op === 'jump') return { ...instruction, target: instruction.target + 1 };
  if (instruction.op === 'branch' || instruction.op === 'branchImmediate')
    return { ...instruction, target: instruction.target + 1, otherwise: instruction.otherwise + 1 };
  return instruction;
}

function choose(
  machine: MachineFunction,
  live: Liveness,
  brief: ReadonlySet<number>,
): { chosen: Int32Array; spilled: number[]; joined: Joined } {
  const chosen = new Int32Array(machine.registers).fill(-1);
  const taken = Array.from({ length: 10 }, () => new Occupied(live.positions));
  for (let r = 0; r < 10; r++) {
    chosen[r] = r;
    taken[r]?.take(live.ranges[r] ?? []);
  }
  chosen[framePointer] = framePointer;
  const joined = join(machine, live, brief);
  const moves = movesBetween(machine, joined.of);
  const priorities = new Float64Array(machine.registers);
  const all: number[] = [];
  for (let r = firstVirtual; r < machine.registers; r++) {
    const ranges = joined.ranges[r] as number[];
    if (ranges.length === 0 || joined.of(r) !== r) continue;
    all.push(r);
    priorities[r] = brief.has(r) ? Infinity : (joined.weights[r] as number) / held(ranges);
  }
  all.sort((a, b) => (priorities[b] as number) - (priorities[a] as number) || a - b);
  const spilled: number[] = [];
  for (const r of all) {
    const ranges = joined.ranges[r] as number[];
    const free = (register: number) => taken[register]?.isFree(ranges) ?? false;
    const wished = moves.get(r) ?? [];
    let found = -1;
    for (const other of wished) {
      const register = chosen[other] as number;
      if (register >= 0 && register < 10 && free(register)) {
        found = register;
        break;
      }
    }
    // What a register that is moved to, and has none yet, would like.
    if (found < 0)
      for (const other of wished)
        for (const further of moves.get(other) ?? [])
          if (found < 0 && further < 10 && free(further)) found = further;
    if (found < 0) found = order.find(free) ?? -1;
    if (found < 0) {
      if (brief.has(r)) throw new EmitError('FunctionTooLarge', `${machine.name}: no register is left`);
      spilled.push(r);
    } else {
      chosen[r] = found;
      taken[found]?.take(ranges);
    }
  }
  // What was given out early did not know where its neighbours would be: a move fewer where it can be with one of them.
  for (const r of all) {
    const register = chosen[r] as number;
    const ranges = joined.ranges[r] as number[];
    const wished = (moves.get(r) ?? []).map((other) => chosen[other] as number);
    if (register < 0 || wished.includes(register)) continue;
    const better = wished.find((other) => other >= 0 && other < 10 && taken[other]?.isFree(ranges));
    if (better === undefined) continue;
    taken[register]?.release(ranges);
    taken[better]?.take(ranges);
    chosen[r] = better;
  }
  const homeless = new Set(spilled);
  for (let r = firstVirtual; r < machine.registers; r++) {
    const representative = joined.of(r);
    if (representative === r) continue;
    chosen[r] = chosen[representative] as number;
    if (homeless.has(representative)) spilled.push(r);
  }
  return { chosen, spilled, joined };
}

function held(ranges: number[]): number {
  let sum = 0;
  for (let i = 0; i < ranges.length; i += 2) sum += (ranges[i + 1] as number) - (ranges[i] as number);
  return sum;
}

function movesBetween(machine: MachineFunction, of: (register: number) => number): Map<number, number[]> {
  const moves = new Map<number, number[]>();
  const note = (a: number, b: number) => {
    const list = moves.get(a);
    if (list) list.push(b);
    else moves.set(a, [b]);
  };
  for (const block of machine.blocks)
    for (const instruction of block)
      if (instruction.op === 'move') {
        const [to, from] = [of(instruction.to), of(instruction.from)];
        if (to === from) continue;
        note(to, from);
        note(from, to);
      } else if ((instruction.op === 'constant' || instruction.op === 'frame') && instruction.to < 10) {
        note(instruction.to, instruction.to);
      }
  return moves;
}

function rename(machine: MachineFunction, chosen: Int32Array): MachineFunction {
  const blocks = machine.blocks.map((block) => {
    const out: MachineBlock = [];
    for (const instruction of block) {
      const renamed = { ...instruction } as MachineInstruction & Record<string, unknown>;
      for (const part of ['to', 'from', 'base', 'left', 'right'] as const) {
        const register = renamed[part];
        if (typeof register === 'number') Object.assign(renamed, { [part]: chosen[register] });
      }
      if (renamed.op === 'move' && !renamed.half && renamed.to === renamed.from) continue;
      out.push(renamed);
    }
    return out;
  });
  return { ...machine, blocks };
}
