// How structs lie in memory, and how large types are: the program's own declarations by C's rules, the kernel's by BTF, a binary's by DWARF.
// Neighbours: names.ts turns names of types into types, access.ts looks members up.

import type { Program, StructDeclaration, TypeName } from '../ast.ts';
import type { Kernel } from '../kernel.ts';
import type { Layout, Type } from '../types.ts';

type Member = Layout['members'][number];

/** Joins a struct's name and the binary that says what it is: other binaries have others of the name. */
const inBinary = ' in ';

export interface Layouts {
  /** By `struct x` or `union x`, or as a type has it. undefined: there is none, or no kernel to ask. */
  of(name: string): Layout | undefined;
  /** The name by which a binary's struct is known here; undefined: it has none. */
  nameIn(path: string, name: string): string | undefined;
  /** Bytes; undefined: not known. */
  size(type: Type): number | undefined;
}

export function makeLayouts(
  program: Program,
  kernel: Kernel | null,
  resolve: (type: TypeName) => Type,
): Layouts {
  const known = new Map<string, Layout | undefined>();
  const declared = new Map(
    program.structs.map((each) => [`${each.union ? 'union' : 'struct'} ${each.name}`, each]),
  );

  function find(name: string): Layout | undefined {
    const declaration = declared.get(name);
    if (declaration !== undefined) return layOut(name, declaration, resolve, size);
    const split = name.indexOf(inBinary);
    if (split < 0) return kernel?.layout(name);
    const path = name.slice(split + inBinary.length);
    const layout = kernel?.userLayout(path, name.slice(0, split));
    if (layout === undefined) return undefined;
    const members = layout.members.map((member) => ({ ...member, type: ofBinary(member.type, path) }));
    return { ...layout, name, members };
  }

  function of(name: string): Layout | undefined {
    if (!known.has(name)) {
      // A struct that holds itself by value has no size: it finds itself unknown.
      known.set(name, undefined);
      known.set(name, find(name));
    }
    return known.get(name);
  }

  function size(type: Type): number | undefined {
    return sizeOf(type, of);
  }

  function nameIn(path: string, name: string): string | undefined {
    return kernel?.userLayout(path, name) === undefined ? undefined : `${name}${inBinary}${path}`;
  }

  return { of, nameIn, size };
}

/** The type with the names of its structs as those of a binary. */
export function ofBinary(type: Type, path: string): Type {
  if (type.kind === 'pointer') return { ...type, to: ofBinary(type.to, path) };
  if (type.kind === 'array') return { ...type, of: ofBinary(type.of, path) };
  if (type.kind === 'struct' && !type.name.includes(inBinary))
    return { ...type, name: `${type.name}${inBinary}${path}` };
  return type;
}

function sizeOf(type: Type, layoutOf: (name: string) => Layout | undefined): number | undefined {
  switch (type.kind) {
    case 'none':
      return 1;
    case 'unknown':
      return undefined;
    case 'integer':
      return type.bits / 8;
    case 'boolean':
      return 1;
    case 'string':
    case 'buffer':
      return type.size;
    case 'struct':
      return layoutOf(type.name)?.size;
    case 'array': {
      const each = sizeOf(type.of, layoutOf);
      return each === undefined ? undefined : each * type.length;
    }
    case 'tuple':
      return together(type.elements, layoutOf);
    case 'record':
      return together(
        type.members.map((member) => member.type),
        layoutOf,
      );
    case 'ipAddress':
      return 20;
    case 'macAddress':
      return 6;
    default:
      return 8;
  }
}

/** One after the other, aligned as C has it. */
function together(
  types: readonly Type[],
  layoutOf: (name: string) => Layout | undefined,
): number | undefined {
  let end = 0;
  let widest = 1;
  for (const type of types) {
    const size = sizeOf(type, layoutOf);
    if (size === undefined) return undefined;
    const alignment = alignmentOf(type, layoutOf);
    widest = Math.max(widest, alignment);
    end = Math.ceil(end / alignment) * alignment + size;
  }
  return Math.ceil(end / widest) * widest;
}

function alignmentOf(type: Type, layoutOf: (name: string) => Layout | undefined): number {
  switch (type.kind) {
    case 'integer':
      return type.bits / 8;
    case 'array':
      return alignmentOf(type.of, layoutOf);
    case 'struct':
      return Math.max(
        1,
        ...(layoutOf(type.name)?.members ?? []).map((member) => alignmentOf(member.type, layoutOf)),
      );
    case 'tuple':
      return Math.max(1, ...type.elements.map((element) => alignmentOf(element, layoutOf)));
    case 'record':
      return Math.max(1, ...type.members.map((member) => alignmentOf(member.type, layoutOf)));
    case 'boolean':
    case 'string':
    case 'buffer':
    case 'none':
    case 'macAddress':
      return 1;
    default:
      return 8;
  }
}

function layOut(
  name: string,
  { union, packed, members: declared }: StructDeclaration,
  resolve: (type: TypeName) => Type,
  sizeOfType: (type: Type) => number | undefined,
): Layout | undefined {
  const alignments = new Map<string, number>();
  const members: Member[] = [];
  let endBits = 0;
  let widest = 1;
  for (const { name: member, type: written, bits } of declared) {
    const type = resolve(written);
    const size = sizeOfType(type);
    if (size === undefined) return undefined;
    const alignment = packed ? 1 : naturalAlignment(type, size, alignments);
    const unit = size * 8;
    let offsetBits = union ? 0 : endBits;
    if (bits === undefined) offsetBits = roundUp(offsetBits, alignment * 8);
    else if (bits === 0) offsetBits = roundUp(offsetBits, unit);
    else if (!packed && Math.floor(offsetBits / unit) !== Math.floor((offsetBits + bits - 1) / unit))
      offsetBits = roundUp(offsetBits, unit);
    const length = bits ?? unit;
    endBits = union ? Math.max(endBits, length) : offsetBits + length;
    widest = Math.max(widest, alignment);
    if (bits === 0) continue;
    members.push({ name: member, type, offsetBits, ...(bits === undefined ? {} : { bits }) });
  }
  return { name, size: roundUp(endBits, widest * 8) / 8, members };
}

/** Of a member by its own type; structs by the largest power of two that divides their size, at most 8, which their own layout has made true. */
function naturalAlignment(type: Type, size: number, seen: Map<string, number>): number {
  if (type.kind === 'array') return naturalAlignment(type.of, size / Math.max(1, type.length), seen);
  if (type.kind !== 'struct') return type.kind === 'integer' ? type.bits / 8 : Math.min(8, Math.max(1, size));
  const known = seen.get(type.name);
  if (known !== undefined) return known;
  let alignment = 8;
  while (alignment > 1 && size % alignment !== 0) alignment /= 2;
  seen.set(type.name, alignment);
  return alignment;
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
