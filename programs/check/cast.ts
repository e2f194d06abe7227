// Casts: `(uint32)x`, `(struct sock *)arg0`, `(int8[8])x`. Neighbours: names.ts reads the type, expression.ts asks.

import type { Expression, TypeName } from '../ast.ts';
import type { Type } from '../types.ts';
import { usualSpace } from './access.ts';
import { failed, isInteger, type Pass, valueType } from './pass.ts';
import { typeText } from './type-text.ts';
import { withSpace } from './unify.ts';

/** The type that a name means; typeof takes that of an expression. */
export function namedType(pass: Pass, name: TypeName): Type {
  if (name.of !== undefined) {
    let type = pass.typeOf(name.of);
    for (let depth = 0; depth < name.pointers; depth++) type = { kind: 'pointer', to: type, space: 'none' };
    return type;
  }
  const type = pass.env.names.resolve(name, pass.place.path);
  return 'message' in type ? failed(pass, name.span, type.message, type.hint) : type;
}

export function cast(pass: Pass, expression: Extract<Expression, { kind: 'cast' }>): Type {
  const from = valueType(pass, expression.of);
  const to = namedType(pass, expression.type);
  if (to.kind === 'unknown' || (from.kind === 'unknown' && to.kind !== 'pointer')) return to;
  const result = converted(pass, from, to);
  if (result === undefined)
    return failed(
      pass,
      expression.span,
      `${typeText(from)} can not be cast to ${typeText(to)}`,
      hintFor(from, to, expression),
    );
  enumValue(pass, expression, result);
  return result;
}

function hintFor(
  from: Type,
  to: Type,
  { type, of }: Extract<Expression, { kind: 'cast' }>,
): string | undefined {
  if (to.kind === 'struct') return `cast to a pointer and follow it: *(${type.tag ?? ''} ${type.name} *)…`;
  if (to.kind === 'array' && isInteger(from)) return 'both must have the same size';
  return of.kind === 'map' && from.kind === 'string' ? 'strings are not numbers' : undefined;
}

/** undefined: there is no such cast. */
function converted(pass: Pass, from: Type, to: Type): Type | undefined {
  const size = (type: Type) => pass.env.names.layouts.size(type);
  switch (to.kind) {
    case 'integer':
      if (isInteger(from) || from.kind === 'pointer') return to;
      return from.kind === 'array' && isInteger(from.of) && size(from) === to.bits / 8 ? to : undefined;
    case 'boolean':
      return isInteger(from) || from.kind === 'pointer' || from.kind === 'string' ? to : undefined;
    case 'pointer':
      return toPointer(pass, from, to);
    case 'array':
      return toArray(from, to, size);
    case 'string':
      return from.kind === 'string' && to.size >= from.size ? to : undefined;
    case 'buffer':
      return from.kind === 'buffer' && to.size >= from.size ? to : undefined;
    case 'struct':
      return from.kind === 'struct' && from.name === to.name ? from : undefined;
    case 'symbol':
    case 'macAddress':
    case 'ipAddress':
      return from.kind === to.kind ? from : undefined;
    default:
      return undefined;
  }
}

/** A pointer stays in its space; an integer points where this place's addresses do. */
function toPointer(pass: Pass, from: Type, to: Extract<Type, { kind: 'pointer' }>): Type | undefined {
  if (!isInteger(from) && from.kind !== 'pointer') return undefined;
  const space = from.kind === 'pointer' && from.space !== 'none' ? from.space : usualSpace(pass);
  return withSpace(to, space);
}

function toArray(
  from: Type,
  to: Extract<Type, { kind: 'array' }>,
  size: (type: Type) => number | undefined,
): Type | undefined {
  const element = size(to.of);
  const whole = size(from);
  if (!isInteger(to.of) || element === undefined || whole === undefined) return undefined;
  if (!isInteger(from) && from.kind !== 'string' && from.kind !== 'array' && from.kind !== 'buffer')
    return undefined;
  if (to.length === 0) return whole % element === 0 ? { ...to, length: whole / element } : undefined;
  // A plain number takes the array's size: `(int8[8])12345`.
  if (from.kind === 'integer') return [1, 2, 4, 8].includes(element * to.length) ? to : undefined;
  return element * to.length === whole ? to : undefined;
}

function enumValue(pass: Pass, expression: Extract<Expression, { kind: 'cast' }>, type: Type): void {
  const value = pass.constants.get(expression.of);
  if (typeof value !== 'bigint' || type.kind !== 'integer') return;
  if (type.enum !== undefined) {
    const values = pass.env.names.enumValues(type.enum);
    if (values !== undefined && !values.has(value))
      failed(pass, expression.span, `enum ${type.enum} has no value ${value}`);
  }
  pass.constants.set(
    expression,
    type.signed ? BigInt.asIntN(type.bits, value) : BigInt.asUintN(type.bits, value),
  );
}
