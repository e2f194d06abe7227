// BTF as bytes: the types of maps, globals and functions, and .BTF.ext, which says of which function and which line of the source each
// instruction is. object.ts fills it; externs.ts copies the runtime's types into it.

import type { MemoryType } from '../ir.ts';
import { Strings } from './elf.ts';

export const btfKind = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  forward: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  function: 12,
  prototype: 13,
  variable: 14,
  section: 15,
  float: 16,
  declarationTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

const wholeNumbers: [name: string, size: number, encoding: number][] = [
  ['unsigned char', 1, 0],
  ['signed char', 1, 1],
  ['unsigned short', 2, 0],
  ['short', 2, 1],
  ['unsigned int', 4, 0],
  ['int', 4, 1],
  ['unsigned long long', 8, 0],
  ['long long', 8, 1],
];

export type Linkage = 'static' | 'global' | 'extern';
const linkages: Record<Linkage, number> = { static: 0, global: 1, extern: 2 };

export class Btf {
  readonly strings = new Strings();
  private readonly types: number[][] = [];
  private readonly known = new Map<string, number>();

  /** Type 0 is void. Equal types are kept once. */
  private add(name: string, kind: number, count: number, flag: boolean, rest: number[]): number {
    const words = [this.strings.add(name), (count | (kind << 24) | (flag ? 0x80000000 : 0)) >>> 0, ...rest];
    const key = words.join();
    let id = this.known.get(key);
    if (id === undefined) {
      id = this.types.push(words);
      this.known.set(key, id);
    }
    return id;
  }

  integer(name: string, bytes: number, encoding: number): number {
    return this.add(name, btfKind.int, 0, false, [bytes, ((encoding << 24) | (bytes * 8)) >>> 0]);
  }

  pointer(to: number): number {
    return this.add('', btfKind.pointer, 0, false, [to]);
  }

  array(of: number, length: number): number {
    const index = this.integer('__ARRAY_SIZE_TYPE__', 4, 0);
    return this.add('', btfKind.array, 0, false, [0, of, index, length]);
  }

  /** Offsets in bits; with bit fields, as the kind flag has it. */
  struct(
    name: string,
    size: number,
    members: { name: string; type: number; bits: number }[],
    kind: 'struct' | 'union' = 'struct',
    bitFields = false,
  ): number {
    const rest = members.flatMap((m) => [this.strings.add(m.name), m.type, m.bits]);
    return this.add(name, btfKind[kind], members.length, bitFields, [size, ...rest]);
  }

  forward(name: string, union: boolean): number {
    return this.add(name, btfKind.forward, 0, union, [0]);
  }

  /** Without its values. */
  enum(name: string, size: number): number {
    return this.add(name, btfKind.enum, 0, false, [size]);
  }

  float(name: string, size: number): number {
    return this.add(name, btfKind.float, 0, false, [size]);
  }

  prototype(returns: number, parameters: { name: string; type: number }[]): number {
    const rest = parameters.flatMap((p) => [this.strings.add(p.name), p.type]);
    return this.add('', btfKind.prototype, parameters.length, false, [returns, ...rest]);
  }

  function(name: string, prototype: number, linkage: Linkage): number {
    return this.add(name, btfKind.function, linkages[linkage], false, [prototype]);
  }

  variable(name: string, type: number, linkage: Linkage): number {
    return this.add(name, btfKind.variable, 0, false, [type, linkages[linkage]]);
  }

  section(name: string, size: number, variables: { type: number; offset: number; size: number }[]): number {
    const rest = variables.flatMap((v) => [v.type, v.offset, v.size]);
    return this.add(name, btfKind.section, variables.length, false, [size, ...rest]);
  }

  /** As C calls them, all of them in each object: native/src/kernel_types.cc keeps the kernel's types by the names that an object has, and
   *  finds them again when another program has the same. */
  private wholeNumber(bits: number, signed: boolean): number {
    for (const [name, size, encoding] of wholeNumbers) this.integer(name, size, encoding);
    const [name, size, encoding] = wholeNumbers[Math.log2(bits / 8) * 2 + (signed ? 1 : 0)] ?? ['int', 4, 1];
    return this.integer(name, size, encoding);
  }

  memory(type: MemoryType): number {
    switch (type.kind) {
      case 'integer':
        return this.wholeNumber(type.bits, type.signed);
      case 'bytes':
        return this.array(this.wholeNumber(8, false), type.length);
      case 'array':
        return this.array(this.memory(type.of), type.length);
      case 'struct': {
        const members = type.members.map((m) => ({
          name: m.name,
          type: this.memory(m.type),
          bits: m.offset * 8,
        }));
        // Without its name: see wholeNumber.
        return this.struct('', type.size, members);
      }
    }
  }

  bytes(): Uint8Array {
    const words = this.types.flat();
    const out = new Uint8Array(24 + words.length * 4 + this.strings.size);
    const view = new DataView(out.buffer);
    view.setUint16(0, 0xeb9f, true);
    view.setUint8(2, 1);
    [24, 0, words.length * 4, words.length * 4, this.strings.size].forEach((word, i) => {
      view.setUint32(4 + i * 4, word, true);
    });
    words.forEach((word, i) => {
      view.setUint32(24 + i * 4, word, true);
    });
    out.set(this.strings.bytes(), 24 + words.length * 4);
    return out;
  }
}

/** Bytes of a value as C lays it out. */
export function sizeOf(type: MemoryType): number {
  if (type.kind === 'integer') return type.bits / 8;
  if (type.kind === 'bytes') return type.length;
  if (type.kind === 'array') return sizeOf(type.of) * type.length;
  return type.size;
}

/** Of one ELF section with code; offsets in bytes from its start, ascending. */
export interface SectionInfo {
  section: string;
  functions: { offset: number; type: number }[];
  lines: { offset: number; file: string; text: string; line: number; column: number }[];
}

export function btfExt(btf: Btf, sections: SectionInfo[]): Uint8Array {
  const functions: number[] = [8];
  const lines: number[] = [16];
  for (const { section, functions: own, lines: places } of sections) {
    functions.push(btf.strings.add(section), own.length);
    for (const f of own) functions.push(f.offset, f.type);
    if (places.length === 0) continue;
    lines.push(btf.strings.add(section), places.length);
    for (const p of places)
      lines.push(
        p.offset,
        btf.strings.add(p.file),
        btf.strings.add(p.text),
        // 22 bits for the line, 10 for the column.
        ((p.line << 10) | Math.min(p.column, 1023)) >>> 0,
      );
  }
  const words = [24, 0, functions.length * 4, functions.length * 4, lines.length * 4, ...functions, ...lines];
  const view = new DataView(new ArrayBuffer(4 + words.length * 4));
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  words.forEach((word, i) => {
    view.setUint32(4 + i * 4, word, true);
  });
  return new Uint8Array(view.buffer);
}
