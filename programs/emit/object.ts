// Writes the object file of a module: the same that clang would, so that libbpf links it with the runtime and loads it (docs/decisions/0013).

import type { IrFunction, IrMap, IrModule } from '../ir.ts';
import { type Assembled, compileFunction } from './assemble.ts';
import { Btf, btfExt, type SectionInfo, sizeOf } from './btf.ts';
import { relocationType, type Section, type SymbolEntry, sectionFlags, writeElf } from './elf.ts';
import { EmitError } from './errors.ts';
import type { Externs } from './externs.ts';
import type { Reference } from './machine.ts';
import { SourceLines } from './source-lines.ts';

/** enum bpf_map_type */
const mapTypes: Record<IrMap['type'], number> = {
  hash: 1,
  array: 2,
  percpuHash: 5,
  percpuArray: 6,
  lruHash: 9,
  lruPercpuHash: 10,
};

/** externs: what the runtime has; without, the module may use nothing that is not its own.
 *  @throws EmitError */
export function emitObject(module: IrModule, externs?: Externs): Uint8Array {
  return new ObjectWriter(module, externs).write();
}

class ObjectWriter {
  private readonly module: IrModule;
  private readonly externs: Externs | undefined;
  private readonly btf = new Btf();
  private readonly sections = new Map<string, Section & { info: SectionInfo }>();
  private readonly symbols = new Map<string, SymbolEntry>();
  private readonly constants = new Map<string, { offset: number; bytes: Uint8Array }>();
  private constantsSize = 0;
  private constantsSymbol: SymbolEntry | undefined;
  private text: SymbolEntry | undefined;

  constructor(module: IrModule, externs: Externs | undefined) {
    this.module = module;
    this.externs = externs;
  }

  write(): Uint8Array {
    const { module, btf } = this;
    const data: Section[] = [];
    if (module.maps.length > 0) data.push(this.maps());
    if (module.globals.length > 0) data.push(this.globals());
    const functions = this.place();
    const lines = new SourceLines(module.source);
    for (const { ir, code, section, offset } of functions) {
      const { info } = section;
      info.functions.push({ offset, type: this.functionType(ir) });
      // The verifier wants a line for each function's first instruction.
      const [first] = code.places;
      const places =
        first?.at === 0
          ? code.places
          : [{ at: 0, span: first?.span ?? { start: 0, end: 0 } }, ...code.places];
      for (const { at, span } of places)
        info.lines.push({ offset: offset + at * 8, file: module.source.name, ...lines.of(span.start) });
      for (const { at, call, reference } of code.references) {
        const { symbol, addend } = this.resolve(reference, call);
        if (addend !== 0) new DataView(section.bytes.buffer).setInt32(offset + at * 8 + 4, addend, true);
        section.relocations.push({
          offset: offset + at * 8,
          symbol,
          type: call ? relocationType.call : relocationType.wide,
        });
      }
    }
    if (this.constantsSymbol?.section) {
      const bytes = new Uint8Array(this.constantsSize);
      for (const constant of this.constants.values()) bytes.set(constant.bytes, constant.offset);
      this.constantsSymbol.section.bytes = bytes;
      data.push(this.constantsSymbol.section);
    }
    data.push(
      newSection('license', sectionFlags.alloc | sectionFlags.write, 1, Buffer.from(`${module.license}\0`)),
    );
    const code = [...this.sections.values()];
    const ext = btfExt(
      btf,
      code.map((section) => section.info),
    );
    const types = [newSection('.BTF', 0, 4, btf.bytes()), newSection('.BTF.ext', 0, 4, ext)];
    const symbols = [...this.symbols.values()];
    if (this.constantsSymbol) symbols.push(this.constantsSymbol);
    if (this.text) symbols.push(this.text);
    return writeElf([...code, ...data, ...types], symbols);
  }

  /** All functions' code, in the sections where they belong, with a symbol each. */
  private place(): {
    ir: IrFunction;
    code: Assembled;
    section: Section & { info: SectionInfo };
    offset: number;
  }[] {
    const parts = new Map<string, Uint8Array[]>();
    const placed = this.module.functions.map((ir) => {
      const code = compileFunction(ir);
      const name = ir.section ?? '.text';
      let section = this.sections.get(name);
      if (!section) {
        const flags = sectionFlags.alloc | sectionFlags.code;
        const info = { section: name, functions: [], lines: [] };
        section = { ...newSection(name, flags, 8, new Uint8Array()), info };
        this.sections.set(name, section);
      }
      const own = parts.get(name) ?? [];
      parts.set(name, own);
      const offset = own.reduce((sum, bytes) => sum + bytes.length, 0);
      own.push(code.bytes);
      this.symbols.set(ir.name, {
        name: ir.name,
        kind: 'function',
        global: ir.section !== null,
        section,
        value: offset,
        size: code.bytes.length,
      });
      return { ir, code, section, offset };
    });
    for (const [name, section] of this.sections) section.bytes = concatenated(parts.get(name) ?? []);
    return placed;
  }

  private functionType({ name, section, parameters }: IrFunction): number {
    const { btf } = this;
    const long = btf.memory({ kind: 'integer', bits: 64, signed: false });
    const prototype =
      section === null
        ? btf.prototype(
            long,
            Array.from({ length: parameters }, (_, i) => ({ name: `p${i}`, type: long })),
          )
        : btf.prototype(btf.integer('int', 4, 1), [{ name: 'ctx', type: btf.pointer(0) }]);
    return btf.function(name, prototype, section === null ? 'static' : 'global');
  }

  private maps(): Section {
    const { btf } = this;
    const section = newSection('.maps', sectionFlags.alloc | sectionFlags.write, 8, new Uint8Array());
    const number = (value: number) => btf.pointer(btf.array(btf.integer('int', 4, 1), value));
    const variables = this.module.maps.map((map, i) => {
      const members: [string, number][] = [
        ['type', number(mapTypes[map.type])],
        ['key', btf.pointer(btf.memory(map.key))],
        ['value', btf.pointer(btf.memory(map.value))],
        ['max_entries', number(map.entries)],
      ];
      const type = btf.struct(
        '',
        32,
        members.map(([name, type], m) => ({ name, type, bits: m * 64 })),
      );
      this.define(map.name, 'object', section, i * 32, 32);
      return { type: btf.variable(map.name, type, 'global'), offset: i * 32, size: 32 };
    });
    section.bytes = new Uint8Array(variables.length * 32);
    btf.section('.maps', section.bytes.length, variables);
    return section;
  }

  private globals(): Section {
    const { btf } = this;
    let size = 0;
    const section = newSection('.bss', sectionFlags.alloc | sectionFlags.write, 8, new Uint8Array());
    section.type = 'zeros';
    const variables = this.module.globals.map(({ name, type }) => {
      const offset = size;
      size += Math.ceil(sizeOf(type) / 8) * 8;
      this.define(name, 'object', section, offset, sizeOf(type));
      return { type: btf.variable(name, btf.memory(type), 'global'), offset, size: sizeOf(type) };
    });
    section.bytes = new Uint8Array(size);
    btf.section('.bss', size, variables);
    return section;
  }

  private define(name: string, kind: 'object', section: Section, value: number, size: number): void {
    this.symbols.set(name, { name, kind, global: true, section, value, size });
  }

  private resolve(reference: Reference, call: boolean): { symbol: SymbolEntry; addend: number } {
    if (reference.kind === 'data') return this.constant(reference.bytes);
    const { kind, name } = reference;
    let symbol = this.symbols.get(name);
    // libbpf knows the address of a static function only as a place in .text.
    if (symbol?.kind === 'function' && !symbol.global && !call) {
      const { section, value } = symbol;
      this.text ??= { name: '', kind: 'section', global: false, section, value: 0, size: 0 };
      return { symbol: this.text, addend: value };
    }
    if (!symbol) {
      if (!this.externs?.has(kind, name))
        throw new EmitError('UnknownName', `neither the program nor its runtime has a ${kind} ${name}`);
      this.externs.declare(this.btf, kind, name);
      symbol = { name, kind: 'none', global: true, section: null, value: 0, size: 0 };
      this.symbols.set(name, symbol);
    }
    return { symbol, addend: 0 };
  }

  private constant(bytes: Uint8Array): { symbol: SymbolEntry; addend: number } {
    this.constantsSymbol ??= {
      name: '',
      kind: 'section',
      global: false,
      section: newSection('.rodata', sectionFlags.alloc, 8, bytes),
      value: 0,
      size: 0,
    };
    const key = Buffer.from(bytes).toString('latin1');
    let known = this.constants.get(key);
    if (!known) {
      known = { offset: this.constantsSize, bytes };
      this.constants.set(key, known);
      this.constantsSize += Math.ceil(bytes.length / 8) * 8;
    }
    return { symbol: this.constantsSymbol, addend: known.offset };
  }
}

function newSection(name: string, flags: number, align: number, bytes: Uint8Array): Section {
  return { name, type: 'bits', flags, align, bytes, relocations: [] };
}

function concatenated(parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
