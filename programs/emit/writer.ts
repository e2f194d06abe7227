// Writes machine code block by block, over registers that are not chosen yet. select.ts and arithmetic.ts say what.

import type { Operand } from '../ir.ts';
import type { Span } from '../source.ts';
import { firstVirtual, type MachineBlock, type MachineInstruction, type MachineRegister } from './machine.ts';
import type { Remade } from './remade.ts';

export class Writer {
  readonly blocks: MachineBlock[] = [];
  /** Of what is written from now on. */
  span: Span | undefined;
  /** One more than the highest register. */
  registers: number;
  private readonly remade: readonly (Remade | undefined)[];

  constructor(registers: number, remade: readonly (Remade | undefined)[]) {
    this.registers = firstVirtual + registers;
    this.remade = remade;
  }

  begin(): void {
    this.blocks.push([]);
  }

  remadeOf(operand: Operand): Remade | undefined {
    return typeof operand === 'number' ? this.remade[operand] : undefined;
  }

  add(instruction: MachineInstruction): void {
    this.blocks.at(-1)?.push(this.span ? { ...instruction, span: this.span } : instruction);
  }

  fresh(): MachineRegister {
    return this.registers++;
  }

  constantOf(operand: Operand): bigint | undefined {
    if (typeof operand !== 'number') return BigInt.asUintN(64, operand.value);
    const remade = this.remade[operand];
    return remade?.kind === 'constant' ? BigInt.asUintN(64, remade.value) : undefined;
  }

  /** The value in a register, made there where it has none. */
  register(operand: Operand): MachineRegister {
    if (typeof operand === 'number' && !this.remade[operand]) return firstVirtual + operand;
    const to = this.fresh();
    this.put(to, operand);
    return to;
  }

  put(to: MachineRegister, operand: Operand): void {
    if (typeof operand !== 'number') {
      this.add({ op: 'constant', to, value: operand.value });
      return;
    }
    const remade = this.remade[operand];
    if (remade?.kind === 'constant') this.add({ op: 'constant', to, value: remade.value });
    else if (remade?.kind === 'frame') this.add({ op: 'frame', to, offset: remade.offset });
    else if (remade) this.add({ op: 'address', to, reference: remade.reference });
    else this.add({ op: 'move', to, from: firstVirtual + operand });
  }
}
