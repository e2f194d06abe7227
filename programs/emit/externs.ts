// What the runtime's object (bpf/program/runtime.bpf.c) has: its functions, globals and maps by their BTF. A use of one is declared in the
// generated object with the same types, for libbpf's linker joins nothing else.

import { type Btf, btfKind } from './btf.ts';
import { sectionOf } from './elf.ts';
import { EmitError } from './errors.ts';

const modifiers: ReadonlySet<number> = new Set([
  btfKind.typedef,
  btfKind.volatile,
  btfKind.const,
  btfKind.restrict,
  btfKind.typeTag,
]);

interface ReadType {
  name: string;
  kind: number;
  count: number;
  flag: boolean;
  /** Size or type, then what follows. */
  words: number[];
}

export class Externs {
  private readonly strings: Buffer;
  private readonly types: ReadType[];
  private readonly functions = new Map<string, ReadType>();
  private readonly variables = new Map<string, ReadType>();
  private readonly maps = new Set<string>();

  /** @throws EmitError InvalidRuntime */
  constructor(runtime: Uint8Array) {
    const btf = sectionOf(runtime, '.BTF');
    if (!btf) throw new EmitError('InvalidRuntime', "the runtime's object has no BTF: run `npm run build`");
    const view = new DataView(btf.buffer, btf.byteOffset, btf.byteLength);
    this.strings = Buffer.from(btf.subarray(view.getUint32(4, true) + view.getUint32(16, true)));
    this.types = this.read(btf);
    for (const type of this.types) {
      if (type.kind === btfKind.function && type.count === 1) this.functions.set(type.name, type);
      if (type.kind === btfKind.variable && type.words[1] === 1) this.variables.set(type.name, type);
      if (type.kind === btfKind.section && type.name === '.maps')
        for (let i = 1; i < type.words.length; i += 3) {
          const map = this.types[type.words[i] as number];
          if (map) this.maps.add(map.name);
        }
    }
  }

  /** How many arguments a function takes; undefined: there is none of that name. */
  parameters(name: string): number | undefined {
    const found = this.functions.get(name);
    return found && this.types[found.words[0] as number]?.count;
  }

  has(kind: 'function' | 'map' | 'global', name: string): boolean {
    if (kind === 'function') return this.functions.has(name);
    return this.variables.has(name) && this.maps.has(name) === (kind === 'map');
  }

  /** Adds a declaration of it; has(kind, name) must be true. */
  declare(btf: Btf, kind: 'function' | 'map' | 'global', name: string): void {
    if (kind === 'function') {
      const found = this.functions.get(name) as ReadType;
      btf.function(name, this.copy(btf, found.words[0] as number, 0), 'extern');
    } else {
      const found = this.variables.get(name) as ReadType;
      // A map's definition is a struct of pointers to the types that it speaks of.
      btf.variable(name, this.copy(btf, found.words[0] as number, kind === 'map' ? 1 : 0), 'extern');
    }
  }

  /** The linker compares what pointers point to by name only, except in definitions of maps; pointers: how many are followed. */
  private copy(btf: Btf, id: number, pointers: number): number {
    const type = this.types[id];
    if (!type || type.kind === 0) return 0;
    const words = type.words;
    const first = words[0] as number;
    if (modifiers.has(type.kind)) return this.copy(btf, first, pointers);
    switch (type.kind) {
      case btfKind.int:
        return btf.integer(type.name, first, (words[1] as number) >>> 24);
      case btfKind.pointer:
        return btf.pointer(pointers > 0 ? this.copy(btf, first, pointers - 1) : this.outline(btf, first));
      case btfKind.array:
        return btf.array(this.copy(btf, words[1] as number, pointers), words[3] as number);
      case btfKind.struct:
      case btfKind.union: {
        const members: { name: string; type: number; bits: number }[] = [];
        for (let i = 1; i < words.length; i += 3)
          members.push({
            name: this.text(words[i] as number),
            type: this.copy(btf, words[i + 1] as number, pointers),
            bits: words[i + 2] as number,
          });
        const kind = type.kind === btfKind.struct ? 'struct' : 'union';
        return btf.struct(type.name, first, members, kind, type.flag);
      }
      case btfKind.enum:
        return btf.enum(type.name, first);
      case btfKind.float:
        return btf.float(type.name, first);
      case btfKind.forward:
        return btf.forward(type.name, type.flag);
      case btfKind.prototype: {
        const parameters: { name: string; type: number }[] = [];
        for (let i = 1; i < words.length; i += 2)
          parameters.push({
            name: this.text(words[i] as number),
            type: this.copy(btf, words[i + 1] as number, 0),
          });
        return btf.prototype(this.copy(btf, first, 0), parameters);
      }
      default:
        throw new EmitError(
          'InvalidRuntime',
          `the runtime's BTF has a type of kind ${type.kind} where none can be`,
        );
    }
  }

  private outline(btf: Btf, id: number): number {
    const type = this.types[id];
    if (type?.kind === btfKind.struct || type?.kind === btfKind.union)
      if (type.name !== '') return btf.forward(type.name, type.kind === btfKind.union);
    if (type && modifiers.has(type.kind)) return this.outline(btf, type.words[0] as number);
    return this.copy(btf, id, 0);
  }

  private text(offset: number): string {
    return this.strings.toString('utf8', offset, this.strings.indexOf(0, offset));
  }

  /** Type 0 is void. */
  private read(btf: Uint8Array): ReadType[] {
    const view = new DataView(btf.buffer, btf.byteOffset, btf.byteLength);
    const start = view.getUint32(4, true);
    const types: ReadType[] = [{ name: '', kind: 0, count: 0, flag: false, words: [0] }];
    const end = start + view.getUint32(8, true) + view.getUint32(12, true);
    for (let at = start + view.getUint32(8, true); at < end; ) {
      const info = view.getUint32(at + 4, true);
      const kind = (info >>> 24) & 0x1f;
      const count = info & 0xffff;
      const length = 1 + wordsAfter(kind, count);
      const words = Array.from({ length }, (_, i) => view.getUint32(at + 8 + i * 4, true));
      types.push({ name: this.text(view.getUint32(at, true)), kind, count, flag: info >>> 31 === 1, words });
      at += 8 + length * 4;
    }
    return types;
  }
}

/** How many words follow a type's first three. */
function wordsAfter(kind: number, count: number): number {
  switch (kind) {
    case btfKind.int:
    case btfKind.variable:
    case btfKind.declarationTag:
      return 1;
    case btfKind.array:
      return 3;
    case btfKind.struct:
    case btfKind.union:
    case btfKind.section:
    case btfKind.enum64:
      return 3 * count;
    case btfKind.enum:
    case btfKind.prototype:
      return 2 * count;
    default:
      return 0;
  }
}
