// Arithmetic in eBPF's two-address form, and what eBPF before v4 has no instruction for. select.ts calls it.

import type { BinaryOperation, Operand } from '../ir.ts';
import { alu, fitsImmediate } from './instructions.ts';
import type { MachineRegister } from './machine.ts';
import type { Writer } from './writer.ts';

const commutative = new Set<BinaryOperation>(['add', 'mul', 'and', 'or', 'xor']);

export function binary(
  writer: Writer,
  operation: BinaryOperation,
  to: MachineRegister,
  left: Operand,
  right: Operand,
): void {
  if (operation === 'sdiv' || operation === 'smod') {
    divideSigned(writer, operation, to, left, right);
    return;
  }
  if (
    commutative.has(operation) &&
    writer.constantOf(left) !== undefined &&
    writer.constantOf(right) === undefined
  )
    [left, right] = [right, left];
  const value = writer.constantOf(right);
  if (value !== undefined) {
    binaryConstant(writer, operation, to, left, value);
    return;
  }
  const other = writer.register(right);
  if (other !== to) {
    writer.put(to, left);
    writer.add({ op: 'alu', code: alu[operation], to, from: other });
    return;
  }
  if (commutative.has(operation)) {
    writer.add({ op: 'alu', code: alu[operation], to, from: writer.register(left) });
    return;
  }
  const result = writer.fresh();
  writer.put(result, left);
  writer.add({ op: 'alu', code: alu[operation], to: result, from: other });
  writer.add({ op: 'move', to, from: result });
}

function binaryConstant(
  writer: Writer,
  operation: Exclude<BinaryOperation, 'sdiv' | 'smod'>,
  to: MachineRegister,
  left: Operand,
  value: bigint,
): void {
  // The verifier refuses what it knows to be a division by zero or a shift by more than the width.
  if (value === 0n && operation === 'udiv') {
    writer.add({ op: 'constant', to, value: 0n });
    return;
  }
  writer.put(to, left);
  if (value === 0n && operation === 'umod') return;
  const shift = operation === 'shl' || operation === 'shr' || operation === 'sar';
  const by = shift ? value & 63n : value;
  if (fitsImmediate(by)) {
    writer.add({
      op: 'aluImmediate',
      code: alu[operation],
      to,
      value: Number(BigInt.asIntN(32, by)),
    });
    return;
  }
  writer.add({ op: 'alu', code: alu[operation], to, from: writer.register({ value }) });
}

/** eBPF before v4 divides without sign only: by magnitudes, then the sign put on, without a branch. s is all ones where the sign changes. */
function divideSigned(
  writer: Writer,
  operation: 'sdiv' | 'smod',
  to: MachineRegister,
  left: Operand,
  right: Operand,
): void {
  const [dividend, leftSign] = magnitude(writer, left);
  let sign = leftSign;
  const value = writer.constantOf(right);
  if (value !== undefined) {
    const signed = BigInt.asIntN(64, value);
    binaryOnto(writer, operation, dividend, { value: signed < 0n ? -signed : signed });
    if (operation === 'sdiv' && signed < 0n) {
      sign = writer.fresh();
      writer.add({ op: 'move', to: sign, from: leftSign });
      writer.add({ op: 'aluImmediate', code: alu.xor, to: sign, value: -1 });
    }
  } else {
    const [divisor, rightSign] = magnitude(writer, right);
    writer.add({
      op: 'alu',
      code: operation === 'sdiv' ? alu.udiv : alu.umod,
      to: dividend,
      from: divisor,
    });
    if (operation === 'sdiv') writer.add({ op: 'alu', code: alu.xor, to: sign, from: rightSign });
  }
  writer.add({ op: 'alu', code: alu.xor, to: dividend, from: sign });
  writer.add({ op: 'alu', code: alu.sub, to: dividend, from: sign });
  writer.add({ op: 'move', to, from: dividend });
}

function binaryOnto(
  writer: Writer,
  operation: 'sdiv' | 'smod',
  to: MachineRegister,
  right: { value: bigint },
): void {
  const value = right.value;
  if (value === 0n) {
    if (operation === 'sdiv') writer.add({ op: 'constant', to, value: 0n });
    return;
  }
  const code = operation === 'sdiv' ? alu.udiv : alu.umod;
  if (fitsImmediate(value)) writer.add({ op: 'aluImmediate', code, to, value: Number(value) });
  else writer.add({ op: 'alu', code, to, from: writer.register(right) });
}

function magnitude(writer: Writer, operand: Operand): [magnitude: MachineRegister, sign: MachineRegister] {
  const magnitude = writer.fresh();
  const sign = writer.fresh();
  writer.put(magnitude, operand);
  writer.add({ op: 'move', to: sign, from: magnitude });
  writer.add({ op: 'aluImmediate', code: alu.sar, to: sign, value: 63 });
  writer.add({ op: 'alu', code: alu.xor, to: magnitude, from: sign });
  writer.add({ op: 'alu', code: alu.sub, to: magnitude, from: sign });
  return [magnitude, sign];
}

export function extend(
  writer: Writer,
  to: MachineRegister,
  from: MachineRegister,
  bits: 8 | 16 | 32,
  signed: boolean,
): void {
  if (signed) {
    if (to !== from) writer.add({ op: 'move', to, from });
    writer.add({ op: 'aluImmediate', code: alu.shl, to, value: 64 - bits });
    writer.add({ op: 'aluImmediate', code: alu.sar, to, value: 64 - bits });
  } else if (bits === 32) {
    writer.add({ op: 'move', to, from, half: true });
  } else {
    if (to !== from) writer.add({ op: 'move', to, from });
    writer.add({ op: 'aluImmediate', code: alu.and, to, value: bits === 8 ? 0xff : 0xffff });
  }
}
