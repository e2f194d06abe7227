// eBPF as bytes: eight-byte instructions of cpu v1 to v3, as kernel 5.10 takes them. select.ts chooses them, assemble.ts places them,
// disassemble.ts reads them back.

import type { BinaryOperation, Condition, Width } from '../ir.ts';

export const insnClass = { ld: 0, ldx: 1, st: 2, stx: 3, alu: 4, jmp: 5, jmp32: 6, alu64: 7 } as const;

/** The bit that says: the second operand is a register. */
export const fromRegister = 0x08;

export const memory = 0x60;
export const atomic = 0xc0;
export const loadWide = 0x18;
export const call = 0x85;
export const exit = 0x95;
export const jumpAlways = 0x05;

/** src_reg of an instruction that a relocation or the verifier gives another meaning. */
export const pseudo = { mapFd: 1, call: 1, mapValue: 2, function: 4 } as const;

export const alu = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  udiv: 0x30,
  or: 0x40,
  and: 0x50,
  shl: 0x60,
  shr: 0x70,
  negate: 0x80,
  umod: 0x90,
  xor: 0xa0,
  move: 0xb0,
  sar: 0xc0,
  swap: 0xd0,
} as const satisfies Partial<Record<BinaryOperation, number>> & Record<string, number>;

export const jump: Record<Condition, number> = {
  eq: 0x10,
  gt: 0x20,
  ge: 0x30,
  ne: 0x50,
  sgt: 0x60,
  sge: 0x70,
  lt: 0xa0,
  le: 0xb0,
  slt: 0xc0,
  sle: 0xd0,
};

export const sizeBits: Record<Width, number> = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 };

export const inverse: Record<Condition, Condition> = {
  eq: 'ne',
  ne: 'eq',
  lt: 'ge',
  ge: 'lt',
  gt: 'le',
  le: 'gt',
  slt: 'sge',
  sge: 'slt',
  sgt: 'sle',
  sle: 'sgt',
};

/** The condition with its sides exchanged. */
export const mirrored: Record<Condition, Condition> = {
  eq: 'eq',
  ne: 'ne',
  lt: 'gt',
  gt: 'lt',
  le: 'ge',
  ge: 'le',
  slt: 'sgt',
  sgt: 'slt',
  sle: 'sge',
  sge: 'sle',
};

/** What an instruction's 32 bits, sign-extended, can say. */
export function fitsImmediate(value: bigint): boolean {
  return BigInt.asIntN(32, value) === BigInt.asIntN(64, value);
}

/** Bytes that grow. */
export class Code {
  private bytes = new Uint8Array(1024);
  private view = new DataView(this.bytes.buffer);
  /** In instructions; a wide load counts twice. */
  length = 0;

  add(code: number, destination: number, source: number, offset: number, immediate: number): void {
    const at = this.length++ * 8;
    if (at + 8 > this.bytes.length) {
      const more = new Uint8Array(this.bytes.length * 2);
      more.set(this.bytes);
      this.bytes = more;
      this.view = new DataView(more.buffer);
    }
    this.view.setUint8(at, code);
    this.view.setUint8(at + 1, destination | (source << 4));
    this.view.setInt16(at + 2, offset, true);
    this.view.setInt32(at + 4, immediate, true);
  }

  setOffset(at: number, offset: number): void {
    this.view.setInt16(at * 8 + 2, offset, true);
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length * 8);
  }
}
