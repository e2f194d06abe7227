// Expressions: which step writes which. Neighbours: arithmetic.ts, access.ts (fields and what they lie in), builtins.ts, calls.ts, maps.ts.

import type { Expression } from '../ast.ts';
import type { Constant } from '../check/checked.ts';
import type { Operand, Register } from '../ir.ts';
import type { Span } from '../source.ts';
import { isAggregate, type Type } from '../types.ts';
import { accessValue } from './access.ts';
import { binaryValue, castValue, condition, incrementValue, unaryValue } from './arithmetic.ts';
import type { Body } from './body.ts';
import { identifierValue, nameOf } from './builtins.ts';
import { callInto, callValue } from './calls.ts';
import { aggregateNumber, mapNumber, mapValue } from './maps.ts';
import { addressOf, clear, padded, valueAt, writeBytes, writeValue } from './memory.ts';
import { beyond, isScalar, type Place, type Value } from './place.ts';
import { CannotLower } from './shared.ts';
import { lowerStatements } from './statement.ts';

export function typeOf(body: Body, expression: Expression): Type {
  return body.probe.types.get(expression) ?? { kind: 'none' };
}

export function constantOf(body: Body, expression: Expression): Constant | undefined {
  return body.probe.constants.get(expression);
}

/** Writes what gives an expression's value. */
export function lower(body: Body, expression: Expression): Value {
  body.f.span = expression.span;
  const constant = constantOf(body, expression);
  const type = typeOf(body, expression);
  if (constant !== undefined && type.kind !== 'none') return constantValue(body, constant, type);
  switch (expression.kind) {
    case 'integer':
      return { kind: 'scalar', register: body.f.constant(expression.value), type };
    case 'boolean':
      return { kind: 'scalar', register: body.f.constant(expression.value ? 1n : 0n), type };
    case 'string':
      return constantValue(body, expression.value, type);
    case 'variable':
      return variableValue(body, expression, type);
    case 'map':
      return mapValue(body, expression);
    case 'identifier':
      return identifierValue(body, expression.name, expression);
    case 'call':
      return callValue(body, expression);
    case 'field':
    case 'tupleElement':
    case 'index':
    case 'dereference':
    case 'addressOf':
      return accessValue(body, expression);
    case 'unary':
      return unaryValue(body, expression);
    case 'increment':
      return incrementValue(body, expression, true);
    case 'binary':
      return binaryValue(body, expression);
    case 'cast':
      return castValue(body, expression);
    case 'ternary':
      return ternaryValue(body, expression, type);
    case 'tuple':
    case 'record': {
      const place = body.temporary(body.shared.sizeOf(type), expression.span);
      lowerInto(body, expression, place, type);
      return { kind: 'located', location: place, type, padded: true };
    }
    case 'comptime':
      return lower(body, expression.of);
    case 'block': {
      lowerStatements(body, expression.body.statements);
      return expression.body.value === null ? { kind: 'none' } : lower(body, expression.body.value);
    }
    default:
      throw new CannotLower(`${expression.kind} has no value that is known while compiling`, expression.span);
  }
}

/** A number in a register; a map's aggregate as the number that it stands for. */
export function scalar(body: Body, expression: Expression): Register {
  const type = typeOf(body, expression);
  if (isAggregate(type) && expression.kind === 'map') return mapNumber(body, expression);
  const value = lower(body, expression);
  if (value.kind === 'scalar') return value.register;
  if (value.kind === 'located' && isAggregate(value.type))
    return aggregateNumber(body, value.type, addressOf(body, value.location), expression.span);
  if (value.kind === 'located' && value.type.kind === 'array') return addressOf(body, value.location);
  if (value.kind === 'located' && value.type.kind === 'struct') return addressOf(body, value.location);
  throw new CannotLower('a number is needed here', expression.span);
}

/** A number, or a constant as itself. */
export function operand(body: Body, expression: Expression): Operand {
  const constant = constantOf(body, expression);
  const value =
    typeof constant === 'bigint'
      ? constant
      : typeof constant === 'boolean'
        ? BigInt(constant)
        : expression.kind === 'integer'
          ? expression.value
          : undefined;
  if (value !== undefined && value >= -(1n << 31n) && value < 1n << 31n) return { value };
  return scalar(body, expression);
}

/** Writes an expression's value to memory, as a type that it was widened to; with zeros behind text, unless not asked for. Gives the bytes of text that
 *  is read just now, with its NUL (or an error). */
export function lowerInto(
  body: Body,
  expression: Expression,
  place: Place,
  type: Type,
  pad = true,
): Register | null {
  const { span } = expression;
  const constant =
    constantOf(body, expression) ?? (expression.kind === 'string' ? expression.value : undefined);
  if (typeof constant === 'string' && type.kind === 'string') {
    writeBytes(body, textBytes(constant, type.size), place, type.size);
    return null;
  }
  if (expression.kind === 'tuple' && type.kind === 'tuple') {
    lowerElements(body, expression.elements, place, type);
    return null;
  }
  if (expression.kind === 'record' && type.kind === 'record') {
    lowerElements(
      body,
      expression.members.map(({ value }) => value),
      place,
      type,
    );
    return null;
  }
  if (expression.kind === 'call' && constant === undefined && !isScalar(type)) {
    const { length } = callInto(body, expression, { place, type, pad });
    return length;
  }
  if (
    expression.kind === 'identifier' &&
    (expression.name === 'comm' || expression.name === 'pcomm') &&
    body.shared.sizeOf(type) >= 16
  ) {
    nameOf(body, expression.name, null, expression, place);
    if (pad) clear(body, beyond(place, 16), body.shared.sizeOf(type) - 16);
    return null;
  }
  if (isAggregate(typeOf(body, expression))) {
    const number = scalar(body, expression);
    return writeValue(body, { kind: 'scalar', register: number, type }, place, type, span);
  }
  return writeValue(body, lower(body, expression), place, type, span);
}

function lowerElements(
  body: Body,
  expressions: readonly Expression[],
  place: Place,
  type: Type & { kind: 'tuple' | 'record' },
): void {
  const size = body.shared.sizeOf(type);
  const elements = body.shared.elementsOf(type);
  let end = 0;
  for (const [index, element] of elements.entries()) {
    clear(body, beyond(place, end), element.offset - end);
    const expression = expressions[index];
    if (expression !== undefined) lowerInto(body, expression, beyond(place, element.offset), element.type);
    end = element.offset + body.shared.sizeOf(element.type);
  }
  clear(body, beyond(place, end), size - end);
}

/** A text's bytes with its NUL, cut to the room. Bytes that are no UTF-8 stand as U+DC00 + byte (programs/ast.ts). */
export function textBytes(text: string, size: number): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else bytes.push(...Buffer.from(character, 'utf8'));
  }
  return Uint8Array.from([...bytes.slice(0, Math.max(0, size - 1)), 0]);
}

function constantValue(body: Body, constant: Constant, type: Type): Value {
  if (typeof constant === 'bigint') return { kind: 'scalar', register: body.f.constant(constant), type };
  if (typeof constant === 'boolean')
    return { kind: 'scalar', register: body.f.constant(constant ? 1n : 0n), type };
  const bytes =
    typeof constant === 'string'
      ? textBytes(constant, type.kind === 'string' ? type.size : constant.length * 4 + 1)
      : constant;
  const room = new Uint8Array(Math.max(bytes.length, body.shared.sizeOf(type)));
  room.set(bytes);
  const location: Place = { at: 'pointer', register: body.f.data(padded(room)), offset: 0 };
  return { kind: 'located', location, type, padded: true };
}

function variableValue(body: Body, expression: Expression & { kind: 'variable' }, type: Type): Value {
  const variable = body.probe.variables.get(expression);
  const where = variable === undefined ? undefined : body.variables.get(variable);
  if (variable === undefined || where === undefined)
    throw new CannotLower(`${expression.name} has no value here`, expression.span);
  if (typeof where === 'number') {
    // A copy: what is assigned while an expression is evaluated does not change what was read before.
    const register = body.f.register();
    body.f.move(register, where);
    return { kind: 'scalar', register, type: variable.type };
  }
  const value = valueAt(body, where, variable.type, expression.span);
  return value.kind === 'located'
    ? { ...value, padded: true, type: variable.type }
    : ({ ...value, type } as Value);
}

function ternaryValue(body: Body, expression: Expression & { kind: 'ternary' }, type: Type): Value {
  const known = constantOf(body, expression.condition);
  if (known !== undefined) return lower(body, isTrue(known) ? expression.then : expression.otherwise);
  const { f } = body;
  const [then, otherwise, after] = [f.block(), f.block(), f.block()];
  const result = f.register();
  const place =
    type.kind === 'none' || isScalar(type) ? null : body.temporary(body.shared.sizeOf(type), expression.span);
  condition(body, expression.condition, then, otherwise);
  for (const [block, part] of [
    [then, expression.then],
    [otherwise, expression.otherwise],
  ] as const) {
    f.goto(block);
    if (place !== null) lowerInto(body, part, place, type);
    else if (type.kind === 'none') lower(body, part);
    else f.move(result, scalar(body, part));
    f.jump(after);
  }
  f.goto(after);
  if (type.kind === 'none') return { kind: 'none' };
  if (place === null) return { kind: 'scalar', register: result, type };
  return { kind: 'located', location: place, type, padded: true };
}

export function isTrue(constant: Constant): boolean {
  return typeof constant === 'bigint' ? constant !== 0n : constant !== false && constant !== '';
}

/** The place of an expression's value in memory, written there if it is not. */
export function located(body: Body, expression: Expression): Value & { kind: 'located' } {
  const value = lower(body, expression);
  if (value.kind === 'located') return value;
  if (value.kind === 'none') throw new CannotLower('this has no value', expression.span);
  const place = body.temporary(8, expression.span);
  writeValue(body, value, place, value.type, expression.span);
  return { kind: 'located', location: place, type: value.type, padded: false };
}

/** For messages about what is not there on every kernel. */
export function needs(body: Body, what: string, present: boolean, span: Span): void {
  if (!present) throw new CannotLower(`${what}; this one is ${body.shared.kernel.release}`, span);
}
