// Arithmetic as eBPF has it, on values of 64 bits without sign. programs/interpret.ts runs by it, programs/optimize.ts folds constants by it.

import type { BinaryOperation, Condition } from './ir.ts';

export function readBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number);
  return value;
}

export function writeBytes(bytes: Uint8Array, value: bigint): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 0xffn);
}

export function evaluate(operation: BinaryOperation, left: bigint, right: bigint): bigint {
  const signed = (value: bigint) => BigInt.asIntN(64, value);
  const result = (() => {
    switch (operation) {
      case 'add':
        return left + right;
      case 'sub':
        return left - right;
      case 'mul':
        return left * right;
      case 'udiv':
        return right === 0n ? 0n : left / right;
      case 'umod':
        return right === 0n ? left : left % right;
      case 'sdiv':
        return right === 0n ? 0n : signed(left) / signed(right);
      case 'smod':
        return right === 0n ? left : signed(left) % signed(right);
      case 'and':
        return left & right;
      case 'or':
        return left | right;
      case 'xor':
        return left ^ right;
      case 'shl':
        return left << (right & 63n);
      case 'shr':
        return left >> (right & 63n);
      case 'sar':
        return signed(left) >> (right & 63n);
    }
  })();
  return BigInt.asUintN(64, result);
}

export function holds(condition: Condition, left: bigint, right: bigint): boolean {
  const [a, b] = condition.startsWith('s')
    ? [BigInt.asIntN(64, left), BigInt.asIntN(64, right)]
    : [left, right];
  switch (condition) {
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'lt':
    case 'slt':
      return a < b;
    case 'le':
    case 'sle':
      return a <= b;
    case 'gt':
    case 'sgt':
      return a > b;
    case 'ge':
    case 'sge':
      return a >= b;
  }
}

export function extended(value: bigint, bits: number, signed: boolean): bigint {
  return signed ? BigInt.asUintN(64, BigInt.asIntN(bits, value)) : BigInt.asUintN(bits, value);
}

export function swapped(value: bigint, bits: number): bigint {
  const bytes = new Uint8Array(bits / 8);
  writeBytes(bytes, value);
  return readBytes(bytes.reverse());
}
