// Chooses eBPF operations for a function of programs/ir.ts: two-address arithmetic, immediates where they fit, the registers of calls. Before it
// programs/optimize.ts, after it allocate.ts.

import { assignedOnce } from '../flow.ts';
import type { BinaryOperation, Instruction, IrFunction, Operand, Register, Width } from '../ir.ts';
import type { Span } from '../source.ts';
import { EmitError } from './errors.ts';
import { alu, fitsImmediate, mirrored } from './instructions.ts';
import {
  firstVirtual,
  framePointer,
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
  type MachineRegister,
  type Reference,
} from './machine.ts';

const commutative = new Set<BinaryOperation>(['add', 'mul', 'and', 'or', 'xor']);

/** A value that costs nothing to make again where it is used, so that it needs no register in between. */
type Remade =
  | { kind: 'constant'; value: bigint }
  | { kind: 'frame'; offset: number }
  | { kind: 'address'; reference: Reference };

export function select(source: IrFunction): MachineFunction {
  return new Selection(source).run();
}

class Selection {
  private readonly source: IrFunction;
  private readonly remade: (Remade | undefined)[];
  private readonly frames: number[] = [];
  private readonly blocks: MachineBlock[] = [];
  private block: MachineBlock = [];
  private span: Span | undefined;
  private next: number;
  private readonly parameters: MachineRegister[] = [];

  constructor(source: IrFunction) {
    this.source = source;
    this.next = firstVirtual + source.registers;
    let depth = 0;
    for (const size of source.frames) {
      depth += Math.ceil(size / 8) * 8;
      this.frames.push(-depth);
    }
    this.remade = this.findRemade();
  }

  run(): MachineFunction {
    const { source } = this;
    const used = new Set<number>();
    for (const block of source.blocks)
      for (const instruction of block.instructions) {
        if (instruction.op === 'context') used.add(0);
        if (instruction.op === 'parameter') used.add(instruction.index);
      }
    source.blocks.forEach((block, index) => {
      this.block = [];
      this.blocks.push(this.block);
      if (index === 0)
        for (const parameter of [...used].sort()) {
          this.parameters[parameter] = this.fresh();
          this.add({ op: 'move', to: this.parameters[parameter] as number, from: 1 + parameter });
        }
      for (const instruction of block.instructions) {
        this.span = instruction.span;
        this.instruction(instruction);
      }
      this.end(block.end);
    });
    const depth = -(this.frames.at(-1) ?? 0);
    if (depth > 512)
      throw new EmitError('StackTooLarge', `${source.name} needs ${depth} bytes of stack; eBPF has 512`);
    return { name: source.name, blocks: this.blocks, registers: this.next, stack: depth };
  }

  /** Registers that are assigned once, and by what is cheap to say again. */
  private findRemade(): (Remade | undefined)[] {
    const { source } = this;
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
          const value = this.remake(instruction, remade, otherUses);
          if (!value) continue;
          remade[instruction.to] = value;
          found = true;
        }
    }
    return remade;
  }

  private remake(
    instruction: Instruction,
    remade: (Remade | undefined)[],
    otherUses: Set<Register>,
  ): Remade | undefined {
    switch (instruction.op) {
      case 'constant':
        return { kind: 'constant', value: instruction.value };
      case 'frame':
        return { kind: 'frame', offset: this.frames[instruction.frame] ?? 0 };
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

  private add(instruction: MachineInstruction): void {
    this.block.push(this.span ? { ...instruction, span: this.span } : instruction);
  }

  private fresh(): MachineRegister {
    return this.next++;
  }

  private constantOf(operand: Operand): bigint | undefined {
    if (typeof operand !== 'number') return BigInt.asUintN(64, operand.value);
    const remade = this.remade[operand];
    return remade?.kind === 'constant' ? BigInt.asUintN(64, remade.value) : undefined;
  }

  /** The value in a register, made there where it has none. */
  private register(operand: Operand): MachineRegister {
    if (typeof operand === 'number' && !this.remade[operand]) return firstVirtual + operand;
    const to = this.fresh();
    this.put(to, operand);
    return to;
  }

  private put(to: MachineRegister, operand: Operand): void {
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

  private instruction(instruction: Instruction): void {
    if ('to' in instruction && this.remade[instruction.to]) return;
    switch (instruction.op) {
      case 'constant':
        this.add({ op: 'constant', to: firstVirtual + instruction.to, value: instruction.value });
        return;
      case 'move':
        this.put(firstVirtual + instruction.to, instruction.from);
        return;
      case 'binary':
        this.binary(
          instruction.operation,
          firstVirtual + instruction.to,
          instruction.left,
          instruction.right,
        );
        return;
      case 'negate': {
        const to = firstVirtual + instruction.to;
        this.put(to, instruction.from);
        this.add({ op: 'negate', to });
        return;
      }
      case 'byteSwap': {
        const to = firstVirtual + instruction.to;
        this.put(to, instruction.from);
        this.add({ op: 'swap', to, bits: instruction.bits });
        return;
      }
      case 'extend':
        this.extend(
          firstVirtual + instruction.to,
          this.register(instruction.from),
          instruction.bits,
          instruction.signed,
        );
        return;
      case 'compare': {
        const to = firstVirtual + instruction.to;
        const { condition, left, right } = this.ordered(instruction);
        const value = this.constantOf(right);
        if (value !== undefined && fitsImmediate(value))
          this.add({
            op: 'compareImmediate',
            condition,
            to,
            left: this.apart(to, left),
            value: Number(BigInt.asIntN(32, value)),
          });
        else
          this.add({
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
        this.add({ op: 'load', to, base, offset, width: instruction.width });
        if (instruction.signed && instruction.width < 8)
          this.extend(to, to, (instruction.width * 8) as 8 | 16 | 32, true);
        return;
      }
      case 'store':
        this.store(instruction.base, instruction.offset, instruction.width, instruction.from);
        return;
      case 'atomicAdd': {
        const { base, offset } = this.address(instruction.base, instruction.offset);
        this.add({
          op: 'atomicAdd',
          base,
          offset,
          width: instruction.width,
          from: this.register(instruction.from),
        });
        return;
      }
      case 'context':
        this.add({
          op: 'move',
          to: firstVirtual + instruction.to,
          from: this.parameters[0] as number,
        });
        return;
      case 'parameter':
        this.add({
          op: 'move',
          to: firstVirtual + instruction.to,
          from: this.parameters[instruction.index] as number,
        });
        return;
      case 'frame':
        this.add({
          op: 'frame',
          to: firstVirtual + instruction.to,
          offset: this.frames[instruction.frame] ?? 0,
        });
        return;
      case 'map':
        this.add({
          op: 'address',
          to: firstVirtual + instruction.to,
          reference: { kind: 'map', name: instruction.map },
        });
        return;
      case 'data':
      case 'global':
      case 'function':
        this.add({
          op: 'address',
          to: firstVirtual + instruction.to,
          reference: reference(instruction),
        });
        return;
      case 'helper':
      case 'call': {
        const count = instruction.arguments.length;
        for (const [i, argument] of instruction.arguments.entries()) this.put(1 + i, argument);
        if (instruction.op === 'helper')
          this.add({ op: 'helper', helper: instruction.helper, arguments: count });
        else this.add({ op: 'call', function: instruction.function, arguments: count });
        this.add({ op: 'move', to: firstVirtual + instruction.to, from: 0 });
        return;
      }
    }
  }

  /** A register other than `to`, which is written first. */
  private apart(to: MachineRegister, operand: Operand): MachineRegister {
    const register = this.register(operand);
    if (register !== to) return register;
    const copy = this.fresh();
    this.add({ op: 'move', to: copy, from: register });
    return copy;
  }

  /** Constants to the right. */
  private ordered<C extends { condition: keyof typeof mirrored; left: Register; right: Operand }>(
    comparison: C,
  ): { condition: keyof typeof mirrored; left: Operand; right: Operand } {
    const { condition, left, right } = comparison;
    if (this.constantOf(left) === undefined || this.constantOf(right) !== undefined)
      return { condition, left, right };
    return { condition: mirrored[condition], left: right, right: left };
  }

  /** A base and an offset of 16 bits; frames are addressed from r10. */
  private address(base: Register, offset: number): { base: MachineRegister; offset: number } {
    const remade = this.remade[base];
    if (remade?.kind === 'frame') return { base: framePointer, offset: remade.offset + offset };
    const register = this.register(base);
    if (offset >= -32768 && offset <= 32767) return { base: register, offset };
    const far = this.fresh();
    this.add({ op: 'move', to: far, from: register });
    this.add({ op: 'aluImmediate', code: alu.add, to: far, value: offset });
    return { base: far, offset: 0 };
  }

  private store(to: Register, at: number, width: Width, from: Operand): void {
    const { base, offset } = this.address(to, at);
    const value = this.constantOf(from);
    // What is wider than the store does not matter.
    const stored = value === undefined ? undefined : BigInt.asIntN(width * 8, value);
    if (stored !== undefined && fitsImmediate(stored))
      this.add({ op: 'storeImmediate', base, offset, width, value: Number(stored) });
    else this.add({ op: 'store', base, offset, width, from: this.register(from) });
  }

  private extend(to: MachineRegister, from: MachineRegister, bits: 8 | 16 | 32, signed: boolean): void {
    if (signed) {
      if (to !== from) this.add({ op: 'move', to, from });
      this.add({ op: 'aluImmediate', code: alu.shl, to, value: 64 - bits });
      this.add({ op: 'aluImmediate', code: alu.sar, to, value: 64 - bits });
    } else if (bits === 32) {
      this.add({ op: 'move', to, from, half: true });
    } else {
      if (to !== from) this.add({ op: 'move', to, from });
      this.add({ op: 'aluImmediate', code: alu.and, to, value: bits === 8 ? 0xff : 0xffff });
    }
  }

  private binary(operation: BinaryOperation, to: MachineRegister, left: Operand, right: Operand): void {
    if (operation === 'sdiv' || operation === 'smod') {
      this.divideSigned(operation, to, left, right);
      return;
    }
    if (
      commutative.has(operation) &&
      this.constantOf(left) !== undefined &&
      this.constantOf(right) === undefined
    )
      [left, right] = [right, left];
    const value = this.constantOf(right);
    if (value !== undefined) {
      this.binaryConstant(operation, to, left, value);
      return;
    }
    const other = this.register(right);
    if (other !== to) {
      this.put(to, left);
      this.add({ op: 'alu', code: alu[operation], to, from: other });
      return;
    }
    if (commutative.has(operation)) {
      this.add({ op: 'alu', code: alu[operation], to, from: this.register(left) });
      return;
    }
    const result = this.fresh();
    this.put(result, left);
    this.add({ op: 'alu', code: alu[operation], to: result, from: other });
    this.add({ op: 'move', to, from: result });
  }

  private binaryConstant(
    operation: Exclude<BinaryOperation, 'sdiv' | 'smod'>,
    to: MachineRegister,
    left: Operand,
    value: bigint,
  ): void {
    // The verifier refuses what it knows to be a division by zero or a shift by more than the width.
    if (value === 0n && operation === 'udiv') {
      this.add({ op: 'constant', to, value: 0n });
      return;
    }
    this.put(to, left);
    if (value === 0n && operation === 'umod') return;
    const shift = operation === 'shl' || operation === 'shr' || operation === 'sar';
    const by = shift ? value & 63n : value;
    if (fitsImmediate(by)) {
      this.add({
        op: 'aluImmediate',
        code: alu[operation],
        to,
        value: Number(BigInt.asIntN(32, by)),
      });
      return;
    }
    this.add({ op: 'alu', code: alu[operation], to, from: this.register({ value }) });
  }

  /** eBPF before v4 divides without sign only: by magnitudes, then the sign put on, without a branch. s is all ones where the sign changes. */
  private divideSigned(operation: 'sdiv' | 'smod', to: MachineRegister, left: Operand, right: Operand): void {
    const [dividend, leftSign] = this.magnitude(left);
    let sign = leftSign;
    const value = this.constantOf(right);
    if (value !== undefined) {
      const signed = BigInt.asIntN(64, value);
      this.binaryOnto(operation, dividend, { value: signed < 0n ? -signed : signed });
      if (operation === 'sdiv' && signed < 0n) {
        sign = this.fresh();
        this.add({ op: 'move', to: sign, from: leftSign });
        this.add({ op: 'aluImmediate', code: alu.xor, to: sign, value: -1 });
      }
    } else {
      const [divisor, rightSign] = this.magnitude(right);
      this.add({
        op: 'alu',
        code: operation === 'sdiv' ? alu.udiv : alu.umod,
        to: dividend,
        from: divisor,
      });
      if (operation === 'sdiv') this.add({ op: 'alu', code: alu.xor, to: sign, from: rightSign });
    }
    this.add({ op: 'alu', code: alu.xor, to: dividend, from: sign });
    this.add({ op: 'alu', code: alu.sub, to: dividend, from: sign });
    this.add({ op: 'move', to, from: dividend });
  }

  private binaryOnto(operation: 'sdiv' | 'smod', to: MachineRegister, right: { value: bigint }): void {
    const value = right.value;
    if (value === 0n) {
      if (operation === 'sdiv') this.add({ op: 'constant', to, value: 0n });
      return;
    }
    const code = operation === 'sdiv' ? alu.udiv : alu.umod;
    if (fitsImmediate(value)) this.add({ op: 'aluImmediate', code, to, value: Number(value) });
    else this.add({ op: 'alu', code, to, from: this.register(right) });
  }

  private magnitude(operand: Operand): [magnitude: MachineRegister, sign: MachineRegister] {
    const magnitude = this.fresh();
    const sign = this.fresh();
    this.put(magnitude, operand);
    this.add({ op: 'move', to: sign, from: magnitude });
    this.add({ op: 'aluImmediate', code: alu.sar, to: sign, value: 63 });
    this.add({ op: 'alu', code: alu.xor, to: magnitude, from: sign });
    this.add({ op: 'alu', code: alu.sub, to: magnitude, from: sign });
    return [magnitude, sign];
  }

  private end(end: IrFunction['blocks'][number]['end']): void {
    if (end.op === 'jump') {
      this.add({ op: 'jump', target: end.to });
    } else if (end.op === 'return') {
      this.put(0, end.value);
      this.add({ op: 'exit' });
    } else {
      if (end.span) this.span = end.span;
      const { condition, left, right } = this.ordered(end);
      const targets = { target: end.then, otherwise: end.otherwise };
      const value = this.constantOf(right);
      const compared = this.register(left);
      if (value !== undefined && fitsImmediate(value))
        this.add({
          op: 'branchImmediate',
          condition,
          left: compared,
          value: Number(BigInt.asIntN(32, value)),
          ...targets,
        });
      else this.add({ op: 'branch', condition, left: compared, right: this.register(right), ...targets });
    }
  }
}

function reference(instruction: Extract<Instruction, { op: 'data' | 'global' | 'function' }>): Reference {
  if (instruction.op === 'data') return { kind: 'data', bytes: instruction.bytes };
  return { kind: instruction.op, name: instruction.name };
}
