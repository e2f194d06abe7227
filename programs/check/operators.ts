// Types of operators. Arithmetic is in 64 bits, signed if either side is; what mixes signs so that a value may not fit is warned of.
// Neighbours: expression.ts, fold.ts (constants), statements.ts (`+=`).

import type { BinaryOperator, Expression } from '../ast.ts';
import type { Type } from '../types.ts';
import { foldBinary, foldUnary } from './fold.ts';
import { entryOf, widen } from './maps.ts';
import { condition, failed, isInteger, type Pass, report, valueType, warn } from './pass.ts';
import { typeText } from './type-text.ts';
import {
  boolean,
  identical,
  int64,
  integer,
  literalType,
  sameType,
  uint64,
  unify,
  unknown,
} from './unify.ts';
import { assignVariable, lookUp } from './variables.ts';

type Binary = Extract<Expression, { kind: 'binary' }>;

const comparisons: ReadonlySet<BinaryOperator> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const equalities: ReadonlySet<BinaryOperator> = new Set(['==', '!=']);

export function binary(pass: Pass, expression: Binary): Type {
  const { operator, left, right, span } = expression;
  const logical = operator === '&&' || operator === '||';
  if (logical) {
    condition(pass, left);
    condition(pass, right);
  }
  const a = logical ? boolean : valueType(pass, left);
  const b = logical ? boolean : valueType(pass, right);
  const folded = fold(pass, expression);
  if (folded !== undefined) return folded;
  if (logical) return boolean;
  if (comparisons.has(operator)) return compare(pass, operator, a, b, span);
  return arithmetic(pass, operator, a, b, span);
}

function fold(pass: Pass, expression: Binary): Type | undefined {
  const { operator, left, right, span } = expression;
  const a = pass.constants.get(left);
  const b = pass.constants.get(right);
  if (a === undefined || b === undefined) return undefined;
  const value = foldBinary(operator, a, b);
  if (value === undefined) return undefined;
  if (typeof value === 'object' && 'wrong' in value) return failed(pass, span, value.wrong);
  pass.constants.set(expression, value);
  if (typeof value === 'boolean') return boolean;
  if (typeof value === 'string') return { kind: 'string', size: Buffer.byteLength(value) + 1 };
  if (typeof value !== 'bigint') return undefined;
  if (isLiteral(left) && isLiteral(right)) return literalType(value);
  return value < 0n ? int64 : uint64;
}

/** Written as a number, or calculated of such: it has the smallest type. */
export function isLiteral(expression: Expression): boolean {
  switch (expression.kind) {
    case 'integer':
    case 'string':
    case 'boolean':
      return true;
    case 'unary':
    case 'comptime':
      return isLiteral(expression.of);
    case 'binary':
      return isLiteral(expression.left) && isLiteral(expression.right);
    default:
      return false;
  }
}

export function arithmetic(
  pass: Pass,
  operator: BinaryOperator,
  a: Type,
  b: Type,
  span: Expression['span'],
): Type {
  if (a.kind === 'pointer' || b.kind === 'pointer') return pointerArithmetic(pass, operator, a, b, span);
  if (!isInteger(a) || !isInteger(b))
    return failed(pass, span, `'${operator}' is of integers, not of ${typeText(a)} and ${typeText(b)}`);
  if (a.kind === 'boolean' && b.kind === 'boolean')
    return operator === '&' || operator === '|' || operator === '^' ? boolean : uint64;
  if (pass.env.level === 0) return unknown;
  if (operator === '<<' || operator === '>>')
    return a.kind === 'integer' && a.signed ? int64 : known(pass, a, b);
  const mixed = signsMixed(a, b);
  if (mixed)
    warn(
      pass,
      span,
      `'${operator}' of ${typeText(a)} and ${typeText(b)}: signs are mixed, and a value above 2^63 is taken for a negative one`,
      'cast one of them',
    );
  return known(pass, a, b);
}

/** 64 bits, signed if one is; unknown where one still is. */
function known(pass: Pass, a: Type, b: Type): Type {
  const waits = (a.kind === 'unknown' || b.kind === 'unknown') && (pass.env.level < 2 || a.kind === b.kind);
  if (waits) return unknown;
  const signed = (a.kind === 'integer' && a.signed) || (b.kind === 'integer' && b.signed);
  return signed ? int64 : uint64;
}

function signsMixed(a: Type, b: Type): boolean {
  return a.kind === 'integer' && b.kind === 'integer' && unify(a, b) === null;
}

function pointerArithmetic(
  pass: Pass,
  operator: BinaryOperator,
  a: Type,
  b: Type,
  span: Expression['span'],
): Type {
  if (a.kind === 'pointer' && isInteger(b) && (operator === '+' || operator === '-')) return a;
  if (b.kind === 'pointer' && isInteger(a) && operator === '+') return b;
  return failed(
    pass,
    span,
    `'${operator}' of ${typeText(a)} and ${typeText(b)} means nothing`,
    'an integer can be added to a pointer or subtracted from it; cast pointers to uint64 to calculate with addresses',
  );
}

function compare(pass: Pass, operator: BinaryOperator, a: Type, b: Type, span: Expression['span']): Type {
  const numbers = (type: Type) => isInteger(type) || type.kind === 'pointer';
  if (numbers(a) && numbers(b)) {
    if (signsMixed(a, b))
      warn(
        pass,
        span,
        `'${operator}' of ${typeText(a)} and ${typeText(b)}: signs are mixed, and a value above 2^63 is taken for a negative one`,
        'cast one of them',
      );
    return boolean;
  }
  if (!comparable(a, b)) return failed(pass, span, `${typeText(a)} and ${typeText(b)} can not be compared`);
  if (!equalities.has(operator))
    return failed(
      pass,
      span,
      `${typeText(a)} can only be compared by == and !=`,
      a.kind === 'string' ? 'strncmp() tells which comes first' : undefined,
    );
  return boolean;
}

function comparable(a: Type, b: Type): boolean {
  if (a.kind === 'unknown' || b.kind === 'unknown') return true;
  if (isText(a) && isText(b)) return true;
  if (a.kind === 'array') return b.kind === 'array' && sameType(a, b);
  if (a.kind === 'tuple' || a.kind === 'record' || a.kind === 'buffer') return unify(a, b) !== null;
  return false;
}

/** A string, or an array of characters. */
export function isText(type: Type): boolean {
  return (
    type.kind === 'string' || (type.kind === 'array' && type.of.kind === 'integer' && type.of.bits === 8)
  );
}

export function unary(pass: Pass, expression: Extract<Expression, { kind: 'unary' }>): Type {
  const { operator, of, span } = expression;
  if (operator === '!') condition(pass, of);
  const type = operator === '!' ? boolean : valueType(pass, of);
  const constant = pass.constants.get(of);
  const value = constant === undefined ? undefined : foldUnary(operator, constant);
  if (value !== undefined) {
    if (typeof value === 'bigint' && value < -(2n ** 63n))
      return failed(pass, span, 'the result does not fit into 64 bits');
    pass.constants.set(expression, value);
    if (typeof value === 'boolean') return boolean;
    if (typeof value === 'bigint') return isLiteral(of) ? literalType(value) : value < 0n ? int64 : uint64;
  }
  if (operator === '!') return boolean;
  if (type.kind === 'unknown') return unknown;
  if (type.kind !== 'integer')
    return failed(pass, span, `'${operator}' is of an integer, not of ${typeText(type)}`);
  return operator === '-' ? int64 : integer(64, type.signed);
}

/** `$x++`, `--@a[k]`. */
export function increment(pass: Pass, expression: Extract<Expression, { kind: 'increment' }>): Type {
  const { of, operator, span } = expression;
  if (of.kind === 'variable') {
    const variable = lookUp(pass, of.name);
    const type = pass.typeOf(of);
    if (variable === undefined || type.kind === 'unknown') return unknown;
    if (type.kind === 'pointer') return type;
    if (type.kind !== 'integer')
      return failed(pass, span, `'${operator}' is of an integer, not of ${typeText(type)}`);
    if (!variable.fixed && pass.env.level > 0) assignVariable(pass, variable, integer(64, type.signed), span);
    return variable.type;
  }
  if (of.kind !== 'map') return unwritable(pass, of);
  const state = entryOf(pass, of);
  state.read = true;
  widen(pass, state, int64Step, true);
  pass.types.set(of, state.value);
  if (state.value.kind === 'unknown' || state.value.kind === 'integer' || state.value.kind === 'pointer')
    return state.value;
  return failed(
    pass,
    span,
    `'${operator}' is of an integer, and ${state.name} holds ${typeText(state.value)}`,
  );
}

/** One: it makes no unsigned map signed. */
const int64Step = integer(8);

/** What stands left of `=` and is no variable and no map. */
export function unwritable(pass: Pass, target: Expression): Type {
  pass.typeOf(target);
  report(
    pass,
    target.span,
    'only variables and maps can be assigned to',
    'Sonde changes nothing of what it traces',
  );
  return unknown;
}

/** `a += b` as `a = a + b`: its type, for variables. */
export function compound(
  pass: Pass,
  operator: BinaryOperator,
  a: Type,
  b: Type,
  span: Expression['span'],
): Type {
  if (a.kind === 'integer' && isInteger(b)) {
    if (pass.env.level === 0) return a;
    const signed = a.signed || (a.bits < 64 && b.kind === 'integer' && b.signed);
    const wide = integer(64, signed);
    return identical(wide, a) ? a : wide;
  }
  return arithmetic(pass, operator, a, b, span);
}
