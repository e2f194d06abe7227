// Chooses eBPF operations for a function of programs/ir.ts: two-address arithmetic, immediates where they fit, the registers of calls. Before it
// programs/optimize.ts, after it allocate.ts.

import type { Instruction, IrFunction, Operand, Register, Width } from '../ir.ts';
import { binary, extend } from './arithmetic.ts';
import { EmitError } from './errors.ts';
import { alu, fitsImmediate, mirrored } from './instructions.ts';
import { firstVirtual, framePointer, type MachineFunction, type MachineRegister } from './machine.ts';
import { findRemade, reference } from './remade.ts';
import { Writer } from './writer.ts';

export function select(source: IrFunction): MachineFunction {
  return new Selection(source).run();
}

class Selection {
  private readonly source: IrFunction;
  private readonly writer: Writer;
  private readonly frames: number[] = [];
  private readonly parameters: MachineRegister[] = [];

  constructor(source: IrFunction) {
    this.source = source;
    let depth = 0;
    for (const size of source.frames) {
      depth += Math.ceil(size / 8) * 8;
      this.frames.push(-depth);
    }
    this.writer = new Writer(source.registers, findRemade(source, this.frames));
  }

  run(): MachineFunction {
    const { source, writer } = this;
    const used = new Set<number>();
    for (const block of source.blocks)
      for (const instruction of block.instructions) {
        if (instruction.op === 'context') used.add(0);
        if (instruction.op === 'parameter') used.add(instruction.index);
      }
    source.blocks.forEach((block, index) => {
      writer.begin();
      if (index === 0)
        for (const parameter of [...used].sort()) {
          this.parameters[parameter] = this.writer.fresh();
          this.writer.add({ op: 'move', to: this.parameters[parameter] as number, from: 1 + parameter });
        }
      for (const instruction of block.instructions) {
        this.writer.span = instruction.span;
        this.instruction(instruction);
      }
      this.end(block.end);
    });
    const depth = -(this.frames.at(-1) ?? 0);
    if (depth > 512)
      throw new EmitError('StackTooLarge', `${source.name} needs ${depth} bytes of stack; eBPF has 512`);
    return { name: source.name, blocks: writer.blocks, registers: writer.registers, stack: depth };
  }

  private instruction(instruction: Instruction): void {
    if ('to' in instruction && this.writer.remadeOf(instruction.to)) return;
    switch (instruction.op) {
      case 'constant':
        this.writer.add({ op: 'constant', to: firstVirtual + instruction.to, value: instruction.value });
        return;
      case 'move':
        this.writer.put(firstVirtual + instruction.to, instruction.from);
        return;
      case 'binary':
        binary(
          this.writer,
          instruction.operation,
          firstVirtual + instruction.to,
          instruction.left,
          instruction.right,
        );
        return;
      case 'negate': {
        const to = firstVirtual + instruction.to;
        this.writer.put(to, instruction.from);
        this.writer.add({ op: 'negate', to });
        return;
      }
      case 'byteSwap': {
        const to = firstVirtual + instruction.to;
        this.writer.put(to, instruction.from);
        this.writer.add({ op: 'swap', to, bits: instruction.bits });
        return;
      }
      case 'extend':
        extend(
          this.writer,
          firstVirtual + instruction.to,
          this.writer.register(instruction.from),
          instruction.bits,
          instruction.signed,
        );
        return;
      case 'compare': {
        const to = firstVirtual + instruction.to;
        const { condition, left, right } = this.ordered(instruction);
        const value = this.writer.constantOf(right);
        if (value !== undefined && fitsImmediate(value))
          this.writer.add({
            op: 'compareImmediate',
            condition,
            to,
            left: this.apart(to, left),
            value: Number(BigInt.asIntN(32, value)),
          });
        else
          this.writer.add({
            op: 'compare',
            condition,
            to,
            left: this.apart(to, left),
            right: this.apart(to, right),
          });
        return;
      }
      case 'load': {
        const to = firstVirtual + instruction.to;
        const { base, offset } = this.address(instruction.base, instruction.offset);
        this.writer.add({ op: 'load', to, base, offset, width: instruction.width });
        if (instruction.signed && instruction.width < 8)
          extend(this.writer, to, to, (instruction.width * 8) as 8 | 16 | 32, true);
        return;
      }
      case 'store':
        this.store(instruction.base, instruction.offset, instruction.width, instruction.from);
        return;
      case 'atomicAdd': {
        const { base, offset } = this.address(instruction.base, instruction.offset);
        this.writer.add({
          op: 'atomicAdd',
          base,
          offset,
          width: instruction.width,
          from: this.writer.register(instruction.from),
        });
        return;
      }
      case 'context':
        this.writer.add({
          op: 'move',
          to: firstVirtual + instruction.to,
          from: this.parameters[0] as number,
        });
        return;
      case 'parameter':
        this.writer.add({
          op: 'move',
          to: firstVirtual + instruction.to,
          from: this.parameters[instruction.index] as number,
        });
        return;
      case 'frame':
        this.writer.add({
          op: 'frame',
          to: firstVirtual + instruction.to,
          offset: this.frames[instruction.frame] ?? 0,
        });
        return;
      case 'map':
        this.writer.add({
          op: 'address',
          to: firstVirtual + instruction.to,
          reference: { kind: 'map', name: instruction.map },
        });
        return;
      case 'data':
      case 'global':
      case 'function':
        this.writer.add({
          op: 'address',
          to: firstVirtual + instruction.to,
          reference: reference(instruction),
        });
        return;
      case 'helper':
      case 'call': {
        const count = instruction.arguments.length;
        for (const [i, argument] of instruction.arguments.entries()) this.writer.put(1 + i, argument);
        if (instruction.op === 'helper')
          this.writer.add({ op: 'helper', helper: instruction.helper, arguments: count });
        else this.writer.add({ op: 'call', function: instruction.function, arguments: count });
        this.writer.add({ op: 'move', to: firstVirtual + instruction.to, from: 0 });
        return;
      }
    }
  }

  /** A register other than `to`, which is written first. */
  private apart(to: MachineRegister, operand: Operand): MachineRegister {
    const register = this.writer.register(operand);
    if (register !== to) return register;
    const copy = this.writer.fresh();
    this.writer.add({ op: 'move', to: copy, from: register });
    return copy;
  }

  /** Constants to the right. */
  private ordered<C extends { condition: keyof typeof mirrored; left: Register; right: Operand }>(
    comparison: C,
  ): { condition: keyof typeof mirrored; left: Operand; right: Operand } {
    const { condition, left, right } = comparison;
    if (this.writer.constantOf(left) === undefined || this.writer.constantOf(right) !== undefined)
      return { condition, left, right };
    return { condition: mirrored[condition], left: right, right: left };
  }

  /** A base and an offset of 16 bits; frames are addressed from r10. */
  private address(base: Register, offset: number): { base: MachineRegister; offset: number } {
    const remade = this.writer.remadeOf(base);
    if (remade?.kind === 'frame') return { base: framePointer, offset: remade.offset + offset };
    const register = this.writer.register(base);
    if (offset >= -32768 && offset <= 32767) return { base: register, offset };
    const far = this.writer.fresh();
    this.writer.add({ op: 'move', to: far, from: register });
    this.writer.add({ op: 'aluImmediate', code: alu.add, to: far, value: offset });
    return { base: far, offset: 0 };
  }

  private store(to: Register, at: number, width: Width, from: Operand): void {
    const { base, offset } = this.address(to, at);
    const value = this.writer.constantOf(from);
    // What is wider than the store does not matter.
    const stored = value === undefined ? undefined : BigInt.asIntN(width * 8, value);
    if (stored !== undefined && fitsImmediate(stored))
      this.writer.add({ op: 'storeImmediate', base, offset, width, value: Number(stored) });
    else this.writer.add({ op: 'store', base, offset, width, from: this.writer.register(from) });
  }

  private end(end: IrFunction['blocks'][number]['end']): void {
    if (end.op === 'jump') {
      this.writer.add({ op: 'jump', target: end.to });
    } else if (end.op === 'return') {
      this.writer.put(0, end.value);
      this.writer.add({ op: 'exit' });
    } else {
      if (end.span) this.writer.span = end.span;
      const { condition, left, right } = this.ordered(end);
      const targets = { target: end.then, otherwise: end.otherwise };
      const value = this.writer.constantOf(right);
      const compared = this.writer.register(left);
      if (value !== undefined && fitsImmediate(value))
        this.writer.add({
          op: 'branchImmediate',
          condition,
          left: compared,
          value: Number(BigInt.asIntN(32, value)),
          ...targets,
        });
      else
        this.writer.add({
          op: 'branch',
          condition,
          left: compared,
          right: this.writer.register(right),
          ...targets,
        });
    }
  }
}
