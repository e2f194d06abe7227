// Places the blocks of a function one after the other and writes its bytes. After allocate.ts, before object.ts, which makes symbols of references.

import type { IrFunction } from '../ir.ts';
import type { Span } from '../source.ts';
import { allocate } from './allocate.ts';
import { EmitError } from './errors.ts';
import {
  alu,
  atomic,
  Code,
  call,
  exit,
  fitsImmediate,
  fromRegister,
  insnClass,
  inverse,
  jump,
  jumpAlways,
  loadWide,
  memory,
  pseudo,
  sizeBits,
} from './instructions.ts';
import type { MachineFunction, MachineInstruction, Reference } from './machine.ts';
import { select } from './select.ts';
import { tidy } from './tidy.ts';

export interface Assembled {
  name: string;
  bytes: Uint8Array;
  /** at: the instruction's number. A call's reference is its function. */
  references: { at: number; call: boolean; reference: Reference }[];
  /** From which instruction on the code is that of which place in the source. */
  places: { at: number; span: Span }[];
}

export function compileFunction(source: IrFunction): Assembled {
  const machine = select(source);
  return assemble(tidy(allocate(machine), machine.stack));
}

function assemble(machine: MachineFunction): Assembled {
  const { order, follows } = layOut(machine);
  const code = new Code();
  const starts = new Map<number, number>();
  const jumps: { at: number; target: number }[] = [];
  const references: Assembled['references'] = [];
  const places: Assembled['places'] = [];
  let place: Span | undefined;
  for (const index of order) {
    starts.set(index, code.length);
    const next = follows.get(index);
    for (const instruction of machine.blocks[index] ?? []) {
      if (instruction.span && instruction.span.start !== place?.start) {
        place = instruction.span;
        if (places.at(-1)?.at === code.length) places.pop();
        places.push({ at: code.length, span: place });
      }
      write(instruction, next);
    }
  }
  for (const { at, target } of jumps) {
    const distance = (starts.get(target) ?? 0) - at - 1;
    if (distance < -32768 || distance > 32767)
      throw new EmitError(
        'FunctionTooLarge',
        `${machine.name} has a jump over ${Math.abs(distance)} instructions`,
      );
    code.setOffset(at, distance);
  }
  return { name: machine.name, bytes: code.finish(), references, places };

  function jumpTo(opcode: number, left: number, right: number, value: number, target: number): void {
    jumps.push({ at: code.length, target });
    code.add(opcode, left, right, 0, value);
  }

  function write(i: MachineInstruction, next: number | undefined): void {
    switch (i.op) {
      case 'move':
        code.add((i.half ? insnClass.alu : insnClass.alu64) | alu.move | fromRegister, i.to, i.from, 0, 0);
        return;
      case 'constant': {
        const value = BigInt.asUintN(64, i.value);
        if (fitsImmediate(value)) {
          code.add(insnClass.alu64 | alu.move, i.to, 0, 0, Number(BigInt.asIntN(32, value)));
          return;
        }
        // A move of the low half clears the upper bits.
        if (value < 1n << 32n) {
          code.add(insnClass.alu | alu.move, i.to, 0, 0, Number(BigInt.asIntN(32, value)));
          return;
        }
        code.add(loadWide, i.to, 0, 0, Number(BigInt.asIntN(32, value)));
        code.add(0, 0, 0, 0, Number(BigInt.asIntN(32, value >> 32n)));
        return;
      }
      case 'address':
        references.push({ at: code.length, call: false, reference: i.reference });
        code.add(loadWide, i.to, i.reference.kind === 'function' ? pseudo.function : 0, 0, 0);
        code.add(0, 0, 0, 0, 0);
        return;
      case 'frame':
        code.add(insnClass.alu64 | alu.move | fromRegister, i.to, 10, 0, 0);
        if (i.offset !== 0) code.add(insnClass.alu64 | alu.add, i.to, 0, 0, i.offset);
        return;
      case 'alu':
        code.add(insnClass.alu64 | i.code | fromRegister, i.to, i.from, 0, 0);
        return;
      case 'aluImmediate':
        code.add(insnClass.alu64 | i.code, i.to, 0, 0, i.value);
        return;
      case 'negate':
        code.add(insnClass.alu64 | alu.negate, i.to, 0, 0, 0);
        return;
      case 'swap':
        // To big endian, which both architectures are not.
        code.add(insnClass.alu | alu.swap | fromRegister, i.to, 0, 0, i.bits);
        return;
      case 'compare':
      case 'compareImmediate': {
        const register = i.op === 'compare';
        code.add(insnClass.alu64 | alu.move, i.to, 0, 0, 1);
        code.add(
          insnClass.jmp | jump[i.condition] | (register ? fromRegister : 0),
          i.left,
          register ? i.right : 0,
          1,
          register ? 0 : i.value,
        );
        code.add(insnClass.alu64 | alu.move, i.to, 0, 0, 0);
        return;
      }
      case 'load':
        code.add(insnClass.ldx | memory | sizeBits[i.width], i.to, i.base, i.offset, 0);
        return;
      case 'store':
        code.add(insnClass.stx | memory | sizeBits[i.width], i.base, i.from, i.offset, 0);
        return;
      case 'storeImmediate':
        code.add(insnClass.st | memory | sizeBits[i.width], i.base, 0, i.offset, i.value);
        return;
      case 'atomicAdd':
        code.add(insnClass.stx | atomic | sizeBits[i.width], i.base, i.from, i.offset, 0);
        return;
      case 'helper':
        code.add(call, 0, 0, 0, i.helper);
        return;
      case 'call':
        references.push({
          at: code.length,
          call: true,
          reference: { kind: 'function', name: i.function },
        });
        code.add(call, 0, pseudo.call, 0, -1);
        return;
      case 'exit':
        code.add(exit, 0, 0, 0, 0);
        return;
      case 'jump':
        if (i.target !== next) jumpTo(jumpAlways, 0, 0, 0, i.target);
        return;
      case 'branch':
      case 'branchImmediate': {
        const register = i.op === 'branch';
        const falls = i.target === next;
        const condition = falls ? inverse[i.condition] : i.condition;
        jumpTo(
          insnClass.jmp | jump[condition] | (register ? fromRegister : 0),
          i.left,
          register ? i.right : 0,
          register ? 0 : i.value,
          falls ? i.otherwise : i.target,
        );
        if (!falls && i.otherwise !== next) jumpTo(jumpAlways, 0, 0, 0, i.otherwise);
      }
    }
  }
}

/** Whether a block does little but return: what is tested for is seldom that. */
function leaves(machine: MachineFunction, block: number): boolean {
  const instructions = machine.blocks[block] ?? [];
  return instructions.length <= 2 && instructions.at(-1)?.op === 'exit';
}

/** The reachable blocks, each followed where it can be by the one that it goes on to. */
function layOut(machine: MachineFunction): { order: number[]; follows: Map<number, number> } {
  const order: number[] = [];
  const placed = new Set<number>();
  const waiting = [0];
  while (waiting.length > 0) {
    let index: number | undefined = waiting.pop();
    while (index !== undefined && !placed.has(index)) {
      placed.add(index);
      order.push(index);
      const end: MachineInstruction | undefined = machine.blocks[index]?.at(-1);
      if (end?.op === 'jump') {
        index = end.target;
      } else if (end?.op === 'branch' || end?.op === 'branchImmediate') {
        const [near, far] = leaves(machine, end.otherwise)
          ? [end.target, end.otherwise]
          : [end.otherwise, end.target];
        const straight = end.condition === 'ne' && !leaves(machine, end.target) ? end.target : near;
        waiting.push(straight === near ? far : near);
        index = placed.has(straight) ? undefined : straight;
      } else {
        index = undefined;
      }
    }
  }
  const follows = new Map(order.slice(1).map((block, i) => [order[i] as number, block]));
  return { order, follows };
}
