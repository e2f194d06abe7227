// Reaching into values: fields, elements, what pointers point to. Whose memory that is decides whether a namespaced job may.
// Neighbours: expression.ts, layouts.ts, tenancy.ts.

import type { Expression } from '../ast.ts';
import type { Span } from '../source.ts';
import type { Layout, Type } from '../types.ts';
import { failed, isInteger, nameOf, near, type Pass, report, valueType } from './pass.ts';
import { refusedMemory, refusedMemoryOfTracer } from './tenancy.ts';
import { typeText } from './type-text.ts';
import { integer, uint64, unknown, withSpace } from './unify.ts';

type Member = Layout['members'][number];

/** Whose memory an address is in of which nothing else is known. A namespaced job reads the traced process's memory only. */
export function usualSpace(pass: Pass): 'kernel' | 'user' {
  return pass.env.options.tenancy === 'pods' ? 'user' : pass.place.context.space;
}

/** A pointer is followed: its space, or said that it may not be. */
export function follow(pass: Pass, type: Extract<Type, { kind: 'pointer' }>, span: Span): 'kernel' | 'user' {
  const space = type.space === 'none' ? usualSpace(pass) : type.space;
  if (pass.env.options.tenancy === 'node') return space;
  const { context, point } = pass.place;
  const words =
    space === 'kernel' ? refusedMemory() : context.task ? null : refusedMemoryOfTracer(point.provider);
  if (words !== null) report(pass, span, words.message, words.hint);
  return space;
}

export function layoutOf(pass: Pass, name: string): Layout | undefined {
  const args = pass.place.context.args?.layout;
  return args?.name === name ? args : pass.env.names.layouts.of(name);
}

/** Members of unnamed structs and unions are the outer's. */
export function findMember(
  layoutOf: (name: string) => Layout | undefined,
  layout: Layout,
  name: string,
): Member | undefined {
  for (const member of layout.members) {
    if (member.name === name) return member;
    if (member.name !== '' || member.type.kind !== 'struct') continue;
    const inner = layoutOf(member.type.name);
    const found = inner === undefined ? undefined : findMember(layoutOf, inner, name);
    if (found !== undefined) return { ...found, offsetBits: found.offsetBits + member.offsetBits };
  }
  return undefined;
}

function memberNames(pass: Pass, layout: Layout): string[] {
  return layout.members.flatMap((member) => {
    if (member.name !== '' || member.type.kind !== 'struct') return [member.name];
    const inner = layoutOf(pass, member.type.name);
    return inner === undefined ? [] : memberNames(pass, inner);
  });
}

export function field(pass: Pass, expression: Extract<Expression, { kind: 'field' }>): Type {
  const { of, name, nameSpan } = expression;
  const outer = valueType(pass, of);
  if (outer.kind === 'unknown') return unknown;
  if (outer.kind === 'record') {
    const member = outer.members.find((each) => each.name === name);
    if (member === undefined)
      return noMember(
        pass,
        nameSpan,
        name,
        outer,
        outer.members.map((each) => each.name),
      );
    return member.type;
  }
  const type = outer.kind === 'pointer' ? pointedAt(pass, outer, of.span) : outer;
  if (type.kind === 'unknown') return unknown;
  if (type.kind !== 'struct')
    return failed(
      pass,
      nameSpan,
      `${nameOf(of)} is ${typeText(outer)}, which has no member '${name}'`,
      outer.kind === 'integer' ? `cast it: ((struct NAME *)${nameOf(of)}).${name}` : undefined,
    );
  const layout = layoutOf(pass, type.name);
  if (layout === undefined)
    return pass.env.kernel === null
      ? unknown
      : failed(pass, nameSpan, `what ${type.name} holds is not known`, 'declare it before the first probe');
  const member = findMember((of) => layoutOf(pass, of), layout, name);
  if (member === undefined) return noMember(pass, nameSpan, name, type, memberNames(pass, layout));
  return memberType(pass, member, type.space);
}

function pointedAt(pass: Pass, pointer: Extract<Type, { kind: 'pointer' }>, span: Span): Type {
  const space = follow(pass, pointer, span);
  return withSpace(pointer.to, space);
}

/** Text in a record's tail, and characters in an array, are strings. */
function memberType(pass: Pass, member: Member, space: 'kernel' | 'user' | 'none'): Type {
  const { type } = member;
  if (member.dataLoc) {
    const of = type.kind === 'array' ? type.of : type.kind === 'pointer' ? type.to : type;
    if (of.kind === 'integer' && of.bits === 8) return { kind: 'string', size: pass.env.config.maxStrlen };
    if (type.kind === 'pointer') return type;
    return { kind: 'buffer', size: pass.env.config.maxStrlen };
  }
  if (
    type.kind === 'array' &&
    type.of.kind === 'integer' &&
    type.of.bits === 8 &&
    type.of.signed &&
    type.length > 0
  )
    return { kind: 'string', size: type.length };
  return space === 'none' ? type : withSpace(type, space);
}

function noMember(pass: Pass, span: Span, name: string, of: Type, known: readonly string[]): Type {
  const similar = near(pass, name, () => known);
  const shown = of.kind === 'struct' ? of.name : 'this record';
  return failed(
    pass,
    span,
    `${shown} has no member '${name}'`,
    similar !== undefined
      ? `did you mean '${similar}'?`
      : known.length > 0 && known.length <= 12
        ? `it has ${known.join(', ')}`
        : undefined,
  );
}

export function dereference(pass: Pass, expression: Extract<Expression, { kind: 'dereference' }>): Type {
  const { of, span } = expression;
  const type = valueType(pass, of);
  if (type.kind === 'unknown') return unknown;
  if (type.kind === 'integer') {
    follow(pass, { kind: 'pointer', to: uint64, space: 'none' }, of.span);
    return uint64;
  }
  if (type.kind !== 'pointer') return failed(pass, span, `'*' is of a pointer, not of ${typeText(type)}`);
  if (type.to.kind === 'none')
    return failed(pass, span, 'what a void * points to is not known', 'cast it first: *(uint64 *)…');
  return pointedAt(pass, type, of.span);
}

export function element(pass: Pass, expression: Extract<Expression, { kind: 'index' }>): Type {
  const { of, index, span } = expression;
  const type = valueType(pass, of);
  const at = valueType(pass, index);
  if (!isInteger(at)) report(pass, index.span, `an index is an integer, not ${typeText(at)}`);
  const constant = pass.constants.get(index);
  const number = typeof constant === 'bigint' ? constant : undefined;
  switch (type.kind) {
    case 'unknown':
      return unknown;
    case 'pointer':
      if (type.to.kind === 'none') return failed(pass, span, 'what a void * points to is not known');
      return pointedAt(pass, type, of.span);
    case 'array':
      // `y[]` at a struct's end has the length 0 and as many as there are.
      outOfBounds(pass, index.span, number, type.length === 0 ? undefined : type.length);
      return type.space === 'none' ? type.of : withSpace(type.of, type.space);
    case 'string':
    case 'buffer':
      outOfBounds(pass, index.span, number, type.size);
      return integer(8, type.kind === 'string');
    case 'tuple': {
      if (number === undefined)
        return failed(pass, index.span, 'which element of a tuple must be known while compiling');
      return elementOfTuple(pass, type, Number(number), index.span);
    }
    default:
      return failed(pass, span, `${typeText(type)} has no elements`);
  }
}

function outOfBounds(pass: Pass, span: Span, index: bigint | undefined, length: number | undefined): void {
  if (index === undefined) return;
  if (index < 0n) report(pass, span, `${index} is before the first element, which is 0`);
  else if (length !== undefined && index >= BigInt(length))
    report(pass, span, `there is no element ${index}: it has ${length}`);
}

export function tupleElement(pass: Pass, expression: Extract<Expression, { kind: 'tupleElement' }>): Type {
  const type = valueType(pass, expression.of);
  if (type.kind === 'unknown') return unknown;
  if (type.kind !== 'tuple') return failed(pass, expression.span, `${typeText(type)} is no tuple`);
  return elementOfTuple(pass, type, expression.index, expression.span);
}

function elementOfTuple(
  pass: Pass,
  { elements }: Extract<Type, { kind: 'tuple' }>,
  index: number,
  span: Span,
): Type {
  return (
    elements[index] ?? failed(pass, span, `there is no element ${index}: the tuple has ${elements.length}`)
  );
}
