// A relocatable ELF file for eBPF: sections, symbols, relocations, as clang writes them. object.ts says what is in it.

export interface Section {
  name: string;
  type: 'bits' | 'zeros';
  flags: number;
  align: number;
  bytes: Uint8Array;
  relocations: { offset: number; symbol: SymbolEntry; type: number }[];
}

export const sectionFlags = { write: 1, alloc: 2, code: 4 } as const;
export const relocationType = { wide: 1, call: 10 } as const;

export interface SymbolEntry {
  name: string;
  kind: 'none' | 'object' | 'function' | 'section';
  global: boolean;
  /** null: defined elsewhere. */
  section: Section | null;
  value: number;
  size: number;
}

const symbolKinds = { none: 0, object: 1, function: 2, section: 3 } as const;

/** Texts end to end, each once, each with a NUL. */
export class Strings {
  private readonly places = new Map<string, number>([['', 0]]);
  private readonly parts: Buffer[] = [Buffer.from([0])];
  size = 1;

  add(text: string): number {
    const known = this.places.get(text);
    if (known !== undefined) return known;
    const place = this.size;
    this.places.set(text, place);
    // A NUL within would end it: what comes after is left out.
    const bytes = Buffer.from(`${text.split('\0', 1)[0]}\0`);
    this.parts.push(bytes);
    this.size += bytes.length;
    return place;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.parts);
  }
}

export function writeElf(sections: Section[], symbols: SymbolEntry[]): Uint8Array {
  const strings = new Strings();
  // Local symbols come first, by the format's rule.
  const ordered = [...symbols.filter((s) => !s.global), ...symbols.filter((s) => s.global)];
  const numbers = new Map(sections.map((section, i) => [section, i + 1]));
  const places = new Map(ordered.map((symbol, i) => [symbol, i + 1]));
  const related = sections.filter((section) => section.relocations.length > 0);
  const symbolTable = sections.length + related.length + 1;

  const entries: { header: number[]; bytes: Uint8Array }[] = [];
  for (const section of sections)
    entries.push({
      header: [
        strings.add(section.name),
        section.type === 'bits' ? 1 : 8,
        section.flags,
        section.bytes.length,
        0,
        0,
        section.align,
        0,
      ],
      bytes: section.type === 'bits' ? section.bytes : new Uint8Array(),
    });
  for (const section of related) {
    const view = new DataView(new ArrayBuffer(section.relocations.length * 16));
    section.relocations.forEach(({ offset, symbol, type }, i) => {
      view.setBigUint64(i * 16, BigInt(offset), true);
      view.setUint32(i * 16 + 8, type, true);
      view.setUint32(i * 16 + 12, places.get(symbol) as number, true);
    });
    entries.push({
      header: [
        strings.add(`.rel${section.name}`),
        9,
        0x40,
        view.byteLength,
        symbolTable,
        numbers.get(section) as number,
        8,
        16,
      ],
      bytes: new Uint8Array(view.buffer),
    });
  }
  const table = new DataView(new ArrayBuffer((ordered.length + 1) * 24));
  ordered.forEach((symbol, i) => {
    const at = (i + 1) * 24;
    table.setUint32(at, strings.add(symbol.name), true);
    table.setUint8(at + 4, symbolKinds[symbol.kind] | (symbol.global ? 0x10 : 0));
    table.setUint16(at + 6, symbol.section ? (numbers.get(symbol.section) as number) : 0, true);
    table.setBigUint64(at + 8, BigInt(symbol.value), true);
    table.setBigUint64(at + 16, BigInt(symbol.size), true);
  });
  const locals = ordered.filter((s) => !s.global).length + 1;
  entries.push({
    header: [strings.add('.symtab'), 2, 0, table.byteLength, symbolTable + 1, locals, 8, 24],
    bytes: new Uint8Array(table.buffer),
  });
  const name = strings.add('.strtab');
  entries.push({ header: [name, 3, 0, strings.size, 0, 0, 1, 0], bytes: strings.bytes() });
  return fileOf(entries);
}

/** header: name, type, flags, size, link, info, alignment, size of an entry. */
function fileOf(entries: { header: number[]; bytes: Uint8Array }[]): Uint8Array {
  let end = 64;
  const offsets = entries.map(({ bytes }) => {
    const offset = Math.ceil(end / 8) * 8;
    end = offset + bytes.length;
    return offset;
  });
  const headers = Math.ceil(end / 8) * 8;
  const file = new Uint8Array(headers + (entries.length + 1) * 64);
  const view = new DataView(file.buffer);
  // 64 bits, little-endian, version 1; relocatable, for eBPF.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 1, true);
  view.setUint16(18, 247, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(40, BigInt(headers), true);
  view.setUint16(52, 64, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, entries.length + 1, true);
  view.setUint16(62, entries.length, true);
  entries.forEach(({ header, bytes }, i) => {
    const [name = 0, type = 0, flags = 0, size = 0, link = 0, info = 0, align = 0, entry = 0] = header;
    file.set(bytes, offsets[i]);
    const at = headers + (i + 1) * 64;
    view.setUint32(at, name, true);
    view.setUint32(at + 4, type, true);
    view.setBigUint64(at + 8, BigInt(flags), true);
    view.setBigUint64(at + 24, BigInt(offsets[i] as number), true);
    view.setBigUint64(at + 32, BigInt(size), true);
    view.setUint32(at + 40, link, true);
    view.setUint32(at + 44, info, true);
    view.setBigUint64(at + 48, BigInt(align), true);
    view.setBigUint64(at + 56, BigInt(entry), true);
  });
  return file;
}

/** The bytes of a section of an object file; undefined: it has none of that name, or is no such file. */
export function sectionOf(file: Uint8Array, name: string): Uint8Array | undefined {
  try {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    if (view.getUint32(0, false) !== 0x7f454c46) return undefined;
    const headers = Number(view.getBigUint64(40, true));
    const bytesOf = (index: number): Uint8Array => {
      const at = headers + index * 64;
      const from = Number(view.getBigUint64(at + 24, true));
      return file.subarray(from, from + Number(view.getBigUint64(at + 32, true)));
    };
    const names = Buffer.from(bytesOf(view.getUint16(62, true)));
    for (let i = 1; i < view.getUint16(60, true); i++) {
      const from = view.getUint32(headers + i * 64, true);
      if (names.toString('utf8', from, names.indexOf(0, from)) === name) return bytesOf(i);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}
