// What two types have in common: what a variable, a map or a ternary becomes that is given both. Pure.
// Neighbours: infer/* asks; type-text.ts says types in words.

import { isAggregate, type Type } from '../types.ts';

export type IntegerType = Extract<Type, { kind: 'integer' }>;

export const unknown: Type = { kind: 'unknown' };
export const none: Type = { kind: 'none' };
export const boolean: Type = { kind: 'boolean' };

export function integer(bits: IntegerType['bits'], signed = false): IntegerType {
  return { kind: 'integer', bits, signed };
}

export const uint64 = integer(64);
export const int64 = integer(64, true);

/** The smallest type that holds a literal: unsigned where it is not negative. */
export function literalType(value: bigint): IntegerType {
  const signed = value < 0n;
  for (const bits of [8, 16, 32] as const) {
    const fits = signed ? value >= -(1n << BigInt(bits - 1)) : value < 1n << BigInt(bits);
    if (fits) return integer(bits, signed);
  }
  return integer(64, signed);
}

/** The smallest type that holds the values of both; null: there is none (uint64 with a signed type). */
export function unifyIntegers(a: IntegerType, b: IntegerType): IntegerType | null {
  const named = a.enum !== undefined && a.enum === b.enum ? { enum: a.enum } : {};
  if (a.signed === b.signed) return { ...integer(a.bits > b.bits ? a.bits : b.bits, a.signed), ...named };
  const [signed, unsigned] = a.signed ? [a, b] : [b, a];
  if (unsigned.bits === 64) return null;
  const wider = (unsigned.bits * 2) as 16 | 32 | 64;
  return integer(signed.bits > wider ? signed.bits : wider, true);
}

/** null: they have nothing in common. Commutative, associative where it is defined, and unknown is its identity. */
export function unify(a: Type, b: Type): Type | null {
  if (a.kind === 'unknown') return b;
  if (b.kind === 'unknown') return a;
  switch (a.kind) {
    case 'integer':
      return b.kind === 'integer' ? unifyIntegers(a, b) : null;
    case 'string':
    case 'buffer':
      return b.kind === a.kind ? { kind: a.kind, size: Math.max(a.size, b.size) } : null;
    case 'pointer':
      return b.kind === 'pointer' ? unifyPointers(a, b) : null;
    case 'struct':
      if (b.kind !== 'struct' || a.name !== b.name) return null;
      return { ...a, space: a.space === 'none' ? b.space : a.space };
    case 'array': {
      if (b.kind !== 'array' || a.length !== b.length || !sameType(a.of, b.of)) return null;
      return { ...a, space: a.space === 'none' ? b.space : a.space };
    }
    case 'tuple': {
      if (b.kind !== 'tuple' || a.elements.length !== b.elements.length) return null;
      const elements = a.elements.map((element, index) => unify(element, b.elements[index] ?? unknown));
      return elements.every((element) => element !== null) ? { kind: 'tuple', elements } : null;
    }
    case 'record':
      return b.kind === 'record' ? unifyRecords(a, b) : null;
    default:
      return sameType(a, b) ? a : null;
  }
}

function unifyPointers(
  a: Extract<Type, { kind: 'pointer' }>,
  b: Extract<Type, { kind: 'pointer' }>,
): Type | null {
  const space = a.space === 'none' ? b.space : a.space;
  if (a.to.kind === 'none' || a.to.kind === 'unknown') return { kind: 'pointer', to: b.to, space };
  if (b.to.kind === 'none' || b.to.kind === 'unknown') return { kind: 'pointer', to: a.to, space };
  return sameType(a.to, b.to) ? { kind: 'pointer', to: a.to, space } : null;
}

function unifyRecords(
  a: Extract<Type, { kind: 'record' }>,
  b: Extract<Type, { kind: 'record' }>,
): Type | null {
  if (a.members.length !== b.members.length) return null;
  const members: { name: string; type: Type }[] = [];
  for (const [index, { name, type }] of a.members.entries()) {
    const other = b.members[index];
    const both = other?.name === name ? unify(type, other.type) : null;
    if (both === null) return null;
    members.push({ name, type: both });
  }
  return { kind: 'record', members };
}

/** Equal but for where pointers point, which makes no difference to what is kept. */
export function sameType(a: Type, b: Type): boolean {
  if (a.kind === 'unknown' || b.kind === 'unknown') return true;
  if (a.kind === 'integer') return b.kind === 'integer' && a.bits === b.bits && a.signed === b.signed;
  if (a.kind === 'pointer') return b.kind === 'pointer' && sameType(a.to, b.to);
  if (a.kind === 'struct') return b.kind === 'struct' && a.name === b.name;
  if (a.kind === 'array') return b.kind === 'array' && a.length === b.length && sameType(a.of, b.of);
  if (a.kind === 'tuple')
    return (
      b.kind === 'tuple' &&
      a.elements.length === b.elements.length &&
      a.elements.every((element, index) => sameType(element, b.elements[index] ?? none))
    );
  if (a.kind === 'record')
    return (
      b.kind === 'record' &&
      a.members.length === b.members.length &&
      a.members.every(
        ({ name, type }, index) =>
          name === b.members[index]?.name && sameType(type, b.members[index]?.type ?? none),
      )
    );
  return a.kind === b.kind && sameMembers(a, b);
}

/** Exactly equal, spaces and enums too: nothing was learned. */
export function identical(a: Type, b: Type): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  if (a.kind === 'tuple' && b.kind === 'tuple')
    return (
      a.elements.length === b.elements.length &&
      a.elements.every((element, index) => identical(element, b.elements[index] ?? none))
    );
  if (a.kind === 'record' && b.kind === 'record')
    return (
      a.members.length === b.members.length &&
      a.members.every(({ name, type }, index) => {
        const other = b.members[index];
        return name === other?.name && identical(type, other.type);
      })
    );
  if (a.kind === 'pointer' && b.kind === 'pointer') return a.space === b.space && identical(a.to, b.to);
  if (a.kind === 'array' && b.kind === 'array')
    return a.length === b.length && a.space === b.space && identical(a.of, b.of);
  return sameMembers(a, b);
}

/** Of types without types inside. */
function sameMembers(a: Type, b: Type): boolean {
  const left = Object.entries(a) as [string, unknown][];
  const right = b as unknown as Record<string, unknown>;
  return left.length === Object.keys(b).length && left.every(([name, value]) => right[name] === value);
}

/** Elements in all, of tuples within tuples; counting ends at `most`. */
export function elementsIn(type: Type, most: number): number {
  const inner =
    type.kind === 'tuple'
      ? type.elements
      : type.kind === 'record'
        ? type.members.map((member) => member.type)
        : [];
  let count = 1;
  for (const each of inner) {
    if (count > most) break;
    count += elementsIn(each, most - count);
  }
  return count;
}

/** What an aggregate gives where it is read: an integer, or null where it is no single number. */
export function readAs(type: Type): IntegerType | null {
  if (!isAggregate(type)) return null;
  if (type.kind === 'count') return uint64;
  if (type.kind === 'sum' || type.kind === 'min' || type.kind === 'max' || type.kind === 'avg')
    return integer(64, type.signed);
  return null;
}

/** The type with its pointers pointing into a space, where nothing else is known of them. */
export function withSpace(type: Type, space: 'kernel' | 'user'): Type {
  switch (type.kind) {
    case 'pointer':
      return {
        ...type,
        to: withSpace(type.to, space),
        space: type.space === 'none' ? space : type.space,
      };
    case 'struct':
      return { ...type, space: type.space === 'none' ? space : type.space };
    case 'array':
      return {
        ...type,
        of: withSpace(type.of, space),
        space: type.space === 'none' ? space : type.space,
      };
    default:
      return type;
  }
}
