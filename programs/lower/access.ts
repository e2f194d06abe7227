// Fields, elements, what a pointer points to: first where it lies, then what is there. Neighbours: context.ts (`args` and the like), memory.ts (reads).

import type { Expression } from '../ast.ts';
import { findMember } from '../check/access.ts';
import type { Register } from '../ir.ts';
import type { Span } from '../source.ts';
import type { Layout, Type } from '../types.ts';
import { fit } from './arithmetic.ts';
import type { Body } from './body.ts';
import { argumentAt, isContext } from './context.ts';
import { constantOf, lower, scalar, typeOf } from './expression.ts';
import { addressOf, loadScalar, valueAt } from './memory.ts';
import { beyond, type Location, type Value } from './place.ts';
import { CannotLower } from './shared.ts';

type Of<K extends Expression['kind']> = Extract<Expression, { kind: K }>;
type Access = Of<'field' | 'tupleElement' | 'index' | 'dereference' | 'addressOf'>;

export function accessValue(body: Body, expression: Access): Value {
  const type = typeOf(body, expression);
  const { span } = expression;
  switch (expression.kind) {
    case 'field':
      return fieldValue(body, expression, type);
    case 'addressOf':
      return { kind: 'scalar', register: addressOf(body, locate(body, expression.of)), type };
    case 'tupleElement':
    case 'index':
    case 'dereference':
      return valueAt(body, locate(body, expression), type, span);
  }
}

function fieldValue(body: Body, expression: Of<'field'>, type: Type): Value {
  if (isContext(body, expression.of)) return argumentAt(body, expression.name, type, expression.span);
  const { location, member } = memberOf(body, expression);
  if (member?.bits !== undefined) {
    const register = bitField(body, location, member, type, expression.span);
    return { kind: 'scalar', register, type };
  }
  return valueAt(body, location, type, expression.span);
}

/** Where an expression lies, if it lies somewhere. */
export function locate(body: Body, expression: Expression): Location {
  const { span } = expression;
  switch (expression.kind) {
    case 'field':
      if (!isContext(body, expression.of)) return memberOf(body, expression).location;
      break;
    case 'dereference': {
      const type = typeOf(body, expression.of);
      const address = scalar(body, expression.of);
      return { at: 'remote', address, offset: 0, space: type.kind === 'pointer' ? type.space : 'none' };
    }
    case 'tupleElement':
      return element(body, expression.of, expression.index, span);
    case 'index':
      return indexed(body, expression);
  }
  const value = lower(body, expression);
  if (value.kind === 'located') return value.location;
  throw new CannotLower('this lies nowhere: it is a number', span);
}

function element(body: Body, of: Expression, index: number, span: Span): Location {
  const tuple = typeOf(body, of);
  if (tuple.kind !== 'tuple' && tuple.kind !== 'record') throw new CannotLower('this is no tuple', span);
  const offset = body.shared.elementsOf(tuple)[index]?.offset ?? 0;
  return beyond(locate(body, of), offset);
}

function indexed(body: Body, expression: Of<'index'>): Location {
  const of = typeOf(body, expression.of);
  const { span } = expression;
  const constant = constantOf(body, expression.index);
  const known =
    typeof constant === 'bigint'
      ? Number(constant)
      : expression.index.kind === 'integer'
        ? Number(expression.index.value)
        : undefined;
  if (of.kind === 'tuple') return element(body, expression.of, known ?? 0, span);
  const each = of.kind === 'pointer' ? of.to : of.kind === 'array' ? of.of : byte;
  const size = body.shared.sizeOf(each);
  const start: Location =
    of.kind === 'pointer'
      ? { at: 'remote', address: scalar(body, expression.of), offset: 0, space: of.space }
      : locate(body, expression.of);
  // A length of 0 is that of an array at a struct's end: as long as one likes.
  const room =
    of.kind === 'array' && of.length > 0
      ? of.length
      : of.kind === 'string' || of.kind === 'buffer'
        ? of.size
        : undefined;
  const first = of.kind === 'buffer' ? beyond(start, 4) : start;
  if (known !== undefined) {
    if (room !== undefined && (known < 0 || known >= room))
      throw new CannotLower(`there are only ${room} elements`, span);
    return beyond(first, known * size);
  }
  // The helper reads also one's own memory: the verifier need not know how far.
  let index: Register = scalar(body, expression.index);
  if (room !== undefined) {
    const bounded = body.f.register();
    body.f.move(bounded, index);
    body.f.when('ge', bounded, { value: BigInt(room) }, () =>
      body.f.emit({ op: 'constant', to: bounded, value: 0n }),
    );
    index = bounded;
  }
  const bytes = body.f.binary('mul', index, { value: BigInt(size) });
  const address = body.f.binary('add', addressOf(body, first), bytes);
  return { at: 'remote', address, offset: 0, space: start.at === 'remote' ? start.space : 'kernel' };
}

const byte: Type = { kind: 'integer', bits: 8, signed: true };

type Member = Layout['members'][number];

function memberOf(body: Body, expression: Of<'field'>): { location: Location; member: Member | undefined } {
  const of = typeOf(body, expression.of);
  const { span, name } = expression;
  if (of.kind === 'record') {
    const index = of.members.findIndex((member) => member.name === name);
    const offset = body.shared.elementsOf(of)[index]?.offset ?? 0;
    return { location: beyond(locate(body, expression.of), offset), member: undefined };
  }
  const struct = of.kind === 'pointer' ? of.to : of;
  if (struct.kind !== 'struct') throw new CannotLower(`.${name}: this is no struct`, span);
  const member = findMember(
    (of) => body.shared.layout(of, span),
    body.shared.layout(struct.name, span),
    name,
  );
  if (member === undefined) throw new CannotLower(`${struct.name} has no member ${name}`, span);
  const start: Location =
    of.kind === 'pointer'
      ? { at: 'remote', address: scalar(body, expression.of), offset: 0, space: of.space }
      : locate(body, expression.of);
  const bytes = member.bits === undefined ? member.offsetBits / 8 : storageOf(body, member).offset;
  return { location: beyond(start, bytes), member };
}

/** The unit of the declared type that a bit field lies in. */
function storageOf(body: Body, member: Member): { offset: number; shift: number } {
  const size = body.shared.sizeOf(member.type) || 8;
  const offset = Math.floor(member.offsetBits / (size * 8)) * size;
  return { offset, shift: member.offsetBits - offset * 8 };
}

function bitField(body: Body, location: Location, member: Member, type: Type, span: Span): Register {
  const { shift } = storageOf(body, member);
  const bits = member.bits ?? 0;
  const unit = loadScalar(body, location, unsigned(member.type), span);
  const { f } = body;
  const left = f.binary('shl', unit, { value: BigInt(64 - bits - shift) });
  const signed = type.kind === 'integer' && type.signed;
  return fit(body, f.binary(signed ? 'sar' : 'shr', left, { value: BigInt(64 - bits) }), type);
}

function unsigned(type: Type): Type {
  return type.kind === 'integer' ? { ...type, signed: false } : type;
}
