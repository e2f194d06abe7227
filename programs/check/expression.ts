// The type of an expression: each kind is handled here or in the file named after it. Neighbours: statements.ts, check.ts (which makes the Pass).

import type { Expression } from '../ast.ts';
import { stringBytes } from '../parse/strings.ts';
import type { Span } from '../source.ts';
import type { Type } from '../types.ts';
import { dereference, element, field, findMember, layoutOf, tupleElement } from './access.ts';
import { inferCall } from './call.ts';
import { cast, namedType } from './cast.ts';
import { identifier } from './identifier.ts';
import { readMap } from './maps.ts';
import { binary, increment, unary } from './operators.ts';
import { condition, failed, isTrue, type Pass, report, tupleOf, valueType } from './pass.ts';
import { baseText, typeText } from './type-text.ts';
import { boolean, literalType, none, uint64, unify, unknown } from './unify.ts';
import { useVariable } from './variables.ts';

export function infer(pass: Pass, expression: Expression): Type {
  switch (expression.kind) {
    case 'integer':
      pass.constants.set(expression, expression.value);
      return literalType(expression.value);
    case 'boolean':
      pass.constants.set(expression, expression.value);
      return boolean;
    case 'string':
      pass.constants.set(expression, expression.value);
      return { kind: 'string', size: stringBytes(expression.value).length + 1 };
    case 'positional':
    case 'positionalCount':
      return failed(pass, expression.span, 'there are no parameters here');
    case 'variable':
      return useVariable(pass, expression);
    case 'map':
      return readMap(pass, expression);
    case 'identifier':
      return identifier(pass, expression);
    case 'call':
      return inferCall(pass, expression, expression);
    case 'field':
      return introspected(pass, expression) ?? field(pass, expression);
    case 'tupleElement':
      return tupleElement(pass, expression);
    case 'index':
      return element(pass, expression);
    case 'dereference':
      return dereference(pass, expression);
    case 'addressOf':
      return addressOf(pass, expression);
    case 'unary':
      return unary(pass, expression);
    case 'increment':
      return increment(pass, expression);
    case 'binary':
      return binary(pass, expression);
    case 'ternary':
      return ternary(pass, expression);
    case 'cast':
      return cast(pass, expression);
    case 'tuple':
      return tupleOf(
        pass,
        expression.elements.map((each) => valueType(pass, each)),
        expression.span,
      );
    case 'record':
      return record(pass, expression);
    case 'sizeof':
      return sizeOf(pass, expression);
    case 'offsetof':
      return offsetOf(pass, expression);
    case 'typeof':
      typeMeant(pass, expression);
      return failed(
        pass,
        expression.span,
        'typeinfo() is asked for one of its members',
        'write typeinfo(…).full_ty, .base_ty or .btf_id',
      );
    case 'comptime':
      return comptime(pass, expression);
    case 'block':
      return pass.block(expression.body);
  }
}

/** `typeinfo(x).full_ty`: known as soon as the type is. */
function introspected(pass: Pass, expression: Extract<Expression, { kind: 'field' }>): Type | undefined {
  const { of, name } = expression;
  const inner = of.kind === 'comptime' ? of.of : of;
  if (inner.kind !== 'typeof') return undefined;
  const type = typeMeant(pass, inner);
  if (pass.env.level === 0 || type.kind === 'unknown') return unknown;
  const value =
    name === 'full_ty'
      ? typeText(type)
      : name === 'base_ty'
        ? baseText(type)
        : name === 'btf_id'
          ? 0n
          : undefined;
  if (value === undefined) return noSuch(pass, expression.nameSpan, 'typeinfo()', name);
  pass.constants.set(expression, value);
  return typeof value === 'bigint' ? literalType(value) : { kind: 'string', size: value.length + 1 };
}

function ternary(pass: Pass, expression: Extract<Expression, { kind: 'ternary' }>): Type {
  const { condition: asked, then, otherwise, span } = expression;
  const constant = condition(pass, asked);
  if (constant !== undefined) {
    const taken = isTrue(constant) ? then : otherwise;
    const type = pass.typeOf(taken);
    const value = pass.constants.get(taken);
    if (value !== undefined) pass.constants.set(expression, value);
    return type;
  }
  const a = pass.typeOf(then);
  const b = pass.typeOf(otherwise);
  if (a.kind === 'none' && b.kind === 'none') return none;
  const both = unify(a, b);
  return both === null || a.kind === 'none' || b.kind === 'none'
    ? failed(pass, span, `both sides of ':' have one type, and these are ${typeText(a)} and ${typeText(b)}`)
    : both;
}

function record(pass: Pass, expression: Extract<Expression, { kind: 'record' }>): Type {
  const seen = new Set<string>();
  const members = expression.members.map(({ name, value }) => {
    if (seen.has(name)) report(pass, value.span, `the record has two members '${name}'`);
    seen.add(name);
    return { name, type: valueType(pass, value) };
  });
  const type: Type = { kind: 'record', members };
  // Counted as a tuple is.
  return tupleOf(pass, [type], expression.span).kind === 'unknown' ? unknown : type;
}

function addressOf(pass: Pass, expression: Extract<Expression, { kind: 'addressOf' }>): Type {
  const { of, span } = expression;
  if (pass.env.refused.has('unstable_addr'))
    return failed(pass, span, "'&' is switched off by unstable_addr");
  pass.typeOf(of);
  return failed(
    pass,
    span,
    'variables and maps of Sonde have no address',
    'use the value; what a pointer leads to needs no &',
  );
}

function sizeOf(pass: Pass, expression: Extract<Expression, { kind: 'sizeof' }>): Type {
  const type = typeMeant(pass, expression);
  const size = pass.env.names.layouts.size(type);
  if (size !== undefined) pass.constants.set(expression, BigInt(size));
  else if (type.kind !== 'unknown' && pass.env.kernel !== null)
    return failed(pass, expression.span, `the size of ${typeText(type)} is not known`);
  return uint64;
}

function typeMeant(
  pass: Pass,
  expression: Extract<Expression, { kind: 'sizeof' | 'offsetof' | 'typeof' }>,
): Type {
  if (expression.type !== null) return namedType(pass, expression.type);
  return expression.of === null ? unknown : pass.typeOf(expression.of);
}

function offsetOf(pass: Pass, expression: Extract<Expression, { kind: 'offsetof' }>): Type {
  let type = typeMeant(pass, expression);
  let offset = 0;
  for (const name of expression.path) {
    if (type.kind === 'pointer') type = type.to;
    if (type.kind === 'unknown') return uint64;
    const layout = type.kind === 'struct' ? layoutOf(pass, type.name) : undefined;
    if (layout === undefined)
      return pass.env.kernel === null && type.kind === 'struct'
        ? uint64
        : failed(pass, expression.span, `${typeText(type)} has no members`);
    const member = findMember((of) => layoutOf(pass, of), layout, name);
    if (member === undefined) return noSuch(pass, expression.span, layout.name, name);
    offset += Math.floor(member.offsetBits / 8);
    type = member.type;
  }
  pass.constants.set(expression, BigInt(offset));
  return uint64;
}

function noSuch(pass: Pass, span: Span, struct: string, name: string): Type {
  return failed(pass, span, `${struct} has no member '${name}'`);
}

function comptime(pass: Pass, expression: Extract<Expression, { kind: 'comptime' }>): Type {
  const type = valueType(pass, expression.of);
  const value = pass.constants.get(expression.of);
  if (value !== undefined) pass.constants.set(expression, value);
  else if (type.kind !== 'unknown' && type.kind !== 'record')
    return failed(pass, expression.span, 'this is not known while compiling');
  return type;
}
