// What an instruction becomes when something is known about what it reads: constants computed, operations that do nothing left out, dear ones made
// cheap. values.ts asks; nothing here looks at blocks.

import { inverse } from '../emit/instructions.ts';
import { evaluate, extended, holds, swapped } from '../evaluate.ts';
import type { Instruction, Operand, Register, Terminator } from '../ir.ts';

/** The instruction that gave a register the value that it has, if that is known and what it read is unchanged. */
export type Known = (register: Register) => Instruction | undefined;

type Binary = Extract<Instruction, { op: 'binary' }>;

const all = (1n << 64n) - 1n;

export function constantOf(operand: Operand, known: Known): bigint | undefined {
  if (typeof operand !== 'number') return BigInt.asUintN(64, operand.value);
  const instruction = known(operand);
  return instruction?.op === 'constant' ? BigInt.asUintN(64, instruction.value) : undefined;
}

export function fold(instruction: Instruction, known: Known): Instruction {
  switch (instruction.op) {
    case 'binary':
      return foldBinary(instruction, known);
    case 'negate': {
      const value = constantOf(instruction.from, known);
      return value === undefined ? instruction : constant(instruction, -value);
    }
    case 'byteSwap': {
      const value = constantOf(instruction.from, known);
      return value === undefined ? instruction : constant(instruction, swapped(value, instruction.bits));
    }
    case 'extend': {
      const value = constantOf(instruction.from, known);
      if (value !== undefined)
        return constant(instruction, extended(value, instruction.bits, instruction.signed));
      // Signed, the highest bit must be known to be clear as well.
      const room = instruction.signed ? instruction.bits - 1 : instruction.bits;
      return widthOf(instruction.from, known) <= room ? move(instruction, instruction.from) : instruction;
    }
    case 'compare': {
      const left = constantOf(instruction.left, known);
      const right = constantOf(instruction.right, known);
      if (left !== undefined && right !== undefined)
        return constant(instruction, holds(instruction.condition, left, right) ? 1n : 0n);
      return { ...instruction, ...simplerTest(instruction, known) };
    }
    case 'load':
    case 'store':
    case 'atomicAdd': {
      const base = known(instruction.base);
      if (base?.op !== 'binary' || base.operation !== 'add' || typeof base.right === 'number')
        return instruction;
      const offset = instruction.offset + Number(BigInt.asIntN(64, base.right.value));
      return Math.abs(offset) > 32000 ? instruction : { ...instruction, base: base.left, offset };
    }
    default:
      return instruction;
  }
}

export function foldEnd(end: Terminator, known: Known): Terminator {
  if (end.op !== 'branch') return end;
  if (end.then === end.otherwise) return { op: 'jump', to: end.then };
  const left = constantOf(end.left, known);
  const right = constantOf(end.right, known);
  if (left !== undefined && right !== undefined)
    return { op: 'jump', to: holds(end.condition, left, right) ? end.then : end.otherwise };
  return { ...end, ...simplerTest(end, known) };
}

/** A test of what a comparison gave is that comparison. */
function simplerTest(
  test: Pick<Extract<Terminator, { op: 'branch' }>, 'condition' | 'left' | 'right'>,
  known: Known,
): typeof test {
  const { condition, left, right } = test;
  const compared = known(left);
  const value = constantOf(right, known);
  if (
    compared?.op === 'compare' &&
    value !== undefined &&
    value <= 1n &&
    (condition === 'eq' || condition === 'ne')
  ) {
    const same = (condition === 'eq') === (value === 1n);
    return {
      condition: same ? compared.condition : inverse[compared.condition],
      left: compared.left,
      right: compared.right,
    };
  }
  return { condition, left, right };
}

function foldBinary(instruction: Binary, known: Known): Instruction {
  const { operation, left, right } = instruction;
  const a = constantOf(left, known);
  const b = constantOf(right, known);
  if (a !== undefined && b !== undefined) return constant(instruction, evaluate(operation, a, b));
  if (b === undefined) return instruction;
  switch (operation) {
    case 'add':
    case 'sub': {
      if (b === 0n) return move(instruction, left);
      const by = operation === 'add' ? b : BigInt.asUintN(64, -b);
      const inner = known(left);
      if (inner?.op === 'binary' && inner.operation === 'add' && typeof inner.right !== 'number')
        return sum(instruction, inner.left, by + inner.right.value);
      return operation === 'sub' ? sum(instruction, left, by) : instruction;
    }
    case 'mul':
      if (b === 0n) return constant(instruction, 0n);
      if (b === 1n) return move(instruction, left);
      return powerOf(b) === undefined
        ? instruction
        : { ...instruction, operation: 'shl', right: { value: powerOf(b) as bigint } };
    case 'udiv':
      if (b === 1n) return move(instruction, left);
      return powerOf(b) === undefined
        ? instruction
        : { ...instruction, operation: 'shr', right: { value: powerOf(b) as bigint } };
    case 'umod':
      return powerOf(b) === undefined
        ? instruction
        : { ...instruction, operation: 'and', right: { value: b - 1n } };
    case 'sdiv':
      return b === 1n ? move(instruction, left) : instruction;
    case 'smod':
      return instruction;
    case 'and':
      if (b === 0n) return constant(instruction, 0n);
      if (b === all || masksNothing(left, b, known)) return move(instruction, left);
      if (b === 0xffffffffn)
        return placed({ op: 'extend', to: instruction.to, from: left, bits: 32, signed: false }, instruction);
      return instruction;
    case 'or':
    case 'xor':
      return b === 0n ? move(instruction, left) : instruction;
    case 'shl':
    case 'shr':
    case 'sar':
      return (b & 63n) === 0n ? move(instruction, left) : instruction;
  }
}

function masksNothing(register: Register, mask: bigint, known: Known): boolean {
  const bits = widthOf(register, known);
  return bits < 64 && (mask & ((1n << BigInt(bits)) - 1n)) === (1n << BigInt(bits)) - 1n;
}

/** How many low bits of a register can be other than 0, as far as its instruction tells. */
function widthOf(register: Register, known: Known): number {
  const instruction = known(register);
  if (!instruction) return 64;
  switch (instruction.op) {
    case 'compare':
      return 1;
    case 'load':
      return instruction.signed ? 64 : instruction.width * 8;
    case 'extend':
      return instruction.signed ? 64 : instruction.bits;
    case 'byteSwap':
      return instruction.bits;
    case 'binary': {
      const value = constantOf(instruction.right, known);
      if (value === undefined) return 64;
      if (instruction.operation === 'and') return value.toString(2).length;
      return instruction.operation === 'shr' ? 64 - Number(value & 63n) : 64;
    }
    default:
      return 64;
  }
}

/** n where value is 2^n. */
function powerOf(value: bigint): bigint | undefined {
  return value > 0n && (value & (value - 1n)) === 0n ? BigInt(value.toString(2).length - 1) : undefined;
}

function placed<I extends Instruction>(made: I, like: Instruction): I {
  return like.span ? { ...made, span: like.span } : made;
}

function constant(like: Instruction & { to: Register }, value: bigint): Instruction {
  return placed({ op: 'constant', to: like.to, value: BigInt.asIntN(64, value) }, like);
}

function move(like: Instruction & { to: Register }, from: Register): Instruction {
  return placed({ op: 'move', to: like.to, from }, like);
}

function sum(like: Binary, left: Register, by: bigint): Instruction {
  const value = BigInt.asIntN(64, by);
  return value === 0n
    ? move(like, left)
    : placed({ ...like, operation: 'add', left, right: { value } }, like);
}
