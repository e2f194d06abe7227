// Reads eBPF back as text, in the verifier's words where it is simple: goldens, and tests of what a program begins with. Neighbour: instructions.ts.

import { insnClass } from './instructions.ts';

const aluSigns: Record<number, string> = {
  0: '+=',
  16: '-=',
  32: '*=',
  48: '/=',
  64: '|=',
  80: '&=',
  96: '<<=',
  112: '>>=',
  144: '%=',
  160: '^=',
  176: '=',
  192: 's>>=',
};

const jumpSigns: Record<number, string> = {
  16: '==',
  32: '>',
  48: '>=',
  64: '&',
  80: '!=',
  96: 's>',
  112: 's>=',
  160: '<',
  176: '<=',
  192: 's<',
  208: 's<=',
};

const widths: Record<number, string> = { 0: 'u32', 8: 'u16', 16: 'u8', 24: 'u64' };

/** One line for each instruction, with its number; jumps name the number that they go to. names: what stands at an instruction by relocation. */
export function disassemble(code: Uint8Array, names: ReadonlyMap<number, string> = new Map()): string[] {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const lines: string[] = [];
  for (let at = 0; at * 8 < code.length; at++) {
    const opcode = view.getUint8(at * 8);
    const wide = opcode === 0x18;
    const high = wide ? view.getInt32(at * 8 + 12, true) : 0;
    lines.push(`${at}: ${instruction(view, at, names.get(at), high)}`);
    if (wide) at++;
  }
  return lines;
}

function instruction(view: DataView, at: number, name: string | undefined, high: number): string {
  const opcode = view.getUint8(at * 8);
  const registers = view.getUint8(at * 8 + 1);
  const to = `r${registers & 15}`;
  const from = `r${registers >> 4}`;
  const offset = view.getInt16(at * 8 + 2, true);
  const value = view.getInt32(at * 8 + 4, true);
  const kind = opcode & 7;
  const operand = opcode & 8 ? from : String(value);
  const place = (base: string) =>
    `*(${widths[opcode & 0x18]} *)(${base} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)})`;
  switch (kind) {
    case insnClass.ld: {
      if (name !== undefined) return `${to} = ${name}`;
      return `${to} = ${(BigInt(high) << 32n) | BigInt(value >>> 0)} ll`;
    }
    case insnClass.ldx:
      return `${to} = ${place(from)}`;
    case insnClass.st:
      return `${place(to)} = ${value}`;
    case insnClass.stx:
      return (opcode & 0xe0) === 0xc0 ? `lock ${place(to)} += ${from}` : `${place(to)} = ${from}`;
    case insnClass.alu:
    case insnClass.alu64: {
      const half = kind === insnClass.alu;
      const operation = opcode & 0xf0;
      if (operation === 0xd0) return `${to} = be${value} ${to}`;
      const names = (text: string) => (half ? text.replaceAll('r', 'w') : text);
      if (operation === 0x80) return names(`${to} = -${to}`);
      return names(`${to} ${aluSigns[operation]} ${operand}`);
    }
    default: {
      if (opcode === 0x95) return 'exit';
      if (opcode === 0x85)
        return `call ${name ?? (registers >> 4 ? `pc${value < 0 ? value : `+${value}`}` : value)}`;
      const target = at + 1 + offset;
      if (opcode === 0x05) return `goto ${target}`;
      return `if ${to} ${jumpSigns[opcode & 0xf0]} ${operand} goto ${target}`;
    }
  }
}
