// Numbers: operators, conditions, casts, `++`. All numbers are held widened to 64 bits; what is narrower is cut to its width after each operation.

import type { BinaryOperator, Expression } from '../ast.ts';
import type { BinaryOperation, Condition, Operand, Register } from '../ir.ts';
import type { Span } from '../source.ts';
import { isAggregate, type Type } from '../types.ts';
import { assignTo, readAssignable } from './assign.ts';
import type { Body } from './body.ts';
import { compareLocated } from './compare.ts';
import { constantOf, isTrue, located, lower, operand, scalar, typeOf } from './expression.ts';
import { mapIncrement } from './maps.ts';
import { baseOf, copyBytes, isSigned, valueAt, widthOf } from './memory.ts';
import { warn } from './output.ts';
import { isScalar, type Value } from './place.ts';
import { CannotLower } from './shared.ts';

type Of<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

/** Cuts and widens a number to a type. */
export function fit(body: Body, register: Register, type: Type): Register {
  if (type.kind !== 'integer' || type.bits === 64) return register;
  const to = body.f.register();
  body.f.emit({ op: 'extend', to, from: register, bits: type.bits, signed: type.signed });
  return to;
}

/** A number of one type as another's. */
export function convert(body: Body, register: Register, from: Type, to: Type): Register {
  if (to.kind !== 'integer' || to.bits === 64) return register;
  if (from.kind === 'integer' && from.signed === to.signed && from.bits <= to.bits) return register;
  if (from.kind === 'boolean') return register;
  return fit(body, register, to);
}

export function binaryValue(body: Body, expression: Of<'binary'>): Value {
  const type = typeOf(body, expression);
  const { operator, left, right } = expression;
  if (operator === '&&' || operator === '||' || comparisons[operator] !== undefined)
    return { kind: 'scalar', register: conditionValue(body, expression), type };
  const leftType = typeOf(body, left);
  const first = scalar(body, left);
  if (leftType.kind === 'pointer' && (operator === '+' || operator === '-'))
    return { kind: 'scalar', register: movePointer(body, first, leftType, right, operator), type };
  const rightType = typeOf(body, right);
  if (rightType.kind === 'pointer' && operator === '+') {
    const pointer = scalar(body, right);
    return { kind: 'scalar', register: movePointer(body, pointer, rightType, left, operator, first), type };
  }
  return {
    kind: 'scalar',
    register: operate(body, operator, first, operand(body, right), type, expression.span),
    type,
  };
}

/** left operator right, as a number of the type. */
export function operate(
  body: Body,
  operator: BinaryOperator,
  left: Register,
  right: Operand,
  type: Type,
  span: Span,
): Register {
  const operation = operations(isSigned(type))[operator];
  if (operation === undefined) throw new Error(`no arithmetic is called ${operator}`);
  const { f } = body;
  const divides = operator === '/' || operator === '%';
  if (!divides || (isConstant(right) && right.value !== 0n))
    return fit(body, f.binary(operation, left, right), type);
  // As in bpftrace: by zero it is 1, and that is told.
  const result = f.constant(1n);
  const divisor = isConstant(right) ? f.constant(right.value) : right;
  f.choose(
    'eq',
    divisor,
    { value: 0n },
    () => warn(body, 'divide', f.constant(0n), span),
    () => f.move(result, f.binary(operation, left, divisor)),
  );
  return fit(body, result, type);
}

function isConstant(operand: Operand): operand is { value: bigint } {
  return typeof operand === 'object';
}

function operations(signed: boolean): Partial<Record<BinaryOperator, BinaryOperation>> {
  return {
    '+': 'add',
    '-': 'sub',
    '*': 'mul',
    '/': signed ? 'sdiv' : 'udiv',
    '%': signed ? 'smod' : 'umod',
    '&': 'and',
    '|': 'or',
    '^': 'xor',
    '<<': 'shl',
    // As in bpftrace: the sign is not kept.
    '>>': 'shr',
  };
}

/** Pointers move by what they point to. */
export function movePointer(
  body: Body,
  pointer: Register,
  type: Type & { kind: 'pointer' },
  by: Expression,
  operator: '+' | '-',
  byRegister?: Register,
): Register {
  const size = BigInt(Math.max(1, body.shared.sizeOf(type.to)));
  const steps = byRegister ?? scalar(body, by);
  const bytes = size === 1n ? steps : body.f.binary('mul', steps, { value: size });
  return body.f.binary(operator === '+' ? 'add' : 'sub', pointer, bytes);
}

const comparisons: Partial<Record<BinaryOperator, [unsigned: Condition, signed: Condition]>> = {
  '==': ['eq', 'eq'],
  '!=': ['ne', 'ne'],
  '<': ['lt', 'slt'],
  '<=': ['le', 'sle'],
  '>': ['gt', 'sgt'],
  '>=': ['ge', 'sge'],
};

/** Signed where every value of both types keeps its meaning in 64 signed bits, or a signed one meets a small constant. */
function comparesSigned(body: Body, left: Expression, right: Expression): boolean {
  const narrow = (expression: Expression): boolean => {
    const type = typeOf(body, expression);
    if (type.kind === 'boolean') return true;
    if (isAggregate(type)) return 'signed' in type && type.signed;
    if (type.kind !== 'integer') return false;
    if (type.signed || type.bits < 64) return true;
    const constant = constantOf(body, expression);
    return typeof constant === 'bigint' && constant < 1n << 63n;
  };
  return narrow(left) && narrow(right);
}

/** A condition as a number, 0 or 1. */
function conditionValue(body: Body, expression: Expression): Register {
  const { f } = body;
  if (expression.kind === 'binary') {
    const comparison = comparisons[expression.operator];
    const { left, right } = expression;
    if (comparison !== undefined && isNumber(typeOf(body, left)) && isNumber(typeOf(body, right))) {
      const first = scalar(body, left);
      const how = comparison[comparesSigned(body, left, right) ? 1 : 0];
      return f.compare(how, first, operand(body, right));
    }
  }
  const result = f.register();
  const [yes, no, after] = [f.block(), f.block(), f.block()];
  condition(body, expression, yes, no);
  for (const [block, value] of [
    [yes, 1n],
    [no, 0n],
  ] as const) {
    f.goto(block);
    f.emit({ op: 'constant', to: result, value });
    f.jump(after);
  }
  f.goto(after);
  return result;
}

function isNumber(type: Type): boolean {
  return isScalar(type) || isAggregate(type);
}

/** Goes to one block where the expression is true, else to the other; the right side of && and || only where it counts. */
export function condition(body: Body, expression: Expression, yes: number, no: number): void {
  const { f } = body;
  f.span = expression.span;
  const constant = constantOf(body, expression);
  if (constant !== undefined) {
    f.jump(isTrue(constant) ? yes : no);
    return;
  }
  if (expression.kind === 'unary' && expression.operator === '!') {
    condition(body, expression.of, no, yes);
    return;
  }
  if (expression.kind === 'binary') {
    const { operator, left, right } = expression;
    if (operator === '&&' || operator === '||') {
      const next = f.block();
      if (operator === '&&') condition(body, left, next, no);
      else condition(body, left, yes, next);
      f.goto(next);
      condition(body, right, yes, no);
      return;
    }
    const comparison = comparisons[operator];
    if (comparison !== undefined) {
      if (!isNumber(typeOf(body, left)) || !isNumber(typeOf(body, right))) {
        const equal = compareLocated(body, left, right);
        f.branch(operator === '==' ? 'eq' : 'ne', equal, { value: 0n }, yes, no);
        return;
      }
      const first = scalar(body, left);
      const how = comparison[comparesSigned(body, left, right) ? 1 : 0];
      const second = operand(body, right);
      f.span = expression.span;
      f.branch(how, first, second, yes, no);
      return;
    }
  }
  if (typeOf(body, expression).kind === 'string') {
    // Text is true when it is not empty.
    const { location } = located(body, expression);
    const first = valueAt(body, location, { kind: 'integer', bits: 8, signed: false }, expression.span);
    if (first.kind === 'scalar') {
      f.branch('ne', first.register, { value: 0n }, yes, no);
      return;
    }
  }
  f.branch('ne', scalar(body, expression), { value: 0n }, yes, no);
}

export function unaryValue(body: Body, expression: Of<'unary'>): Value {
  const type = typeOf(body, expression);
  const { f } = body;
  if (expression.operator === '!')
    return { kind: 'scalar', register: conditionValue(body, expression), type };
  const of = scalar(body, expression.of);
  if (expression.operator === '~')
    return { kind: 'scalar', register: fit(body, f.binary('xor', of, { value: -1n }), type), type };
  const to = f.register();
  f.emit({ op: 'negate', to, from: of });
  return { kind: 'scalar', register: fit(body, to, type), type };
}

export function castValue(body: Body, expression: Of<'cast'>): Value {
  const type = typeOf(body, expression);
  const from = typeOf(body, expression.of);
  const { span } = expression;
  if (type.kind === 'array' && isScalar(from)) {
    // An integer as its bytes.
    const place = body.temporary(8, span);
    const { base, offset } = baseOf(body, place);
    body.f.store(base, offset, 8, scalar(body, expression.of));
    return { kind: 'located', location: place, type, padded: false };
  }
  if (isScalar(type) && !isScalar(from) && !isAggregate(from)) {
    // Bytes as an integer; an array as a pointer to it.
    const value = located(body, expression.of);
    if (type.kind === 'pointer') return { kind: 'scalar', register: scalar(body, expression.of), type };
    const place = body.temporary(8, span);
    copyBytes(body, value.location, place, widthOf(body, type));
    const number = valueAt(body, place, type, span);
    // Text is true when it is not empty.
    if (type.kind !== 'boolean' || number.kind !== 'scalar') return number;
    return { kind: 'scalar', register: body.f.compare('ne', number.register, { value: 0n }), type };
  }
  if (!isScalar(type)) {
    const value = lower(body, expression.of);
    if (value.kind !== 'located') return value;
    // Text keeps its room where that is smaller: nothing lies behind it.
    const grows = value.type.kind === 'string' && type.kind === 'string' && value.type.size < type.size;
    return grows ? value : { ...value, type };
  }
  const register = scalar(body, expression.of);
  if (type.kind === 'boolean')
    return { kind: 'scalar', register: body.f.compare('ne', register, { value: 0n }), type };
  return { kind: 'scalar', register: convert(body, register, from, type), type };
}

/** `x++` and its like; used: its value is. */
export function incrementValue(body: Body, expression: Of<'increment'>, used: boolean): Value {
  const { of, operator, prefix, span } = expression;
  const type = typeOf(body, of);
  if (of.kind === 'map') return mapIncrement(body, of, operator === '++' ? 1n : -1n, prefix, used);
  if (of.kind !== 'variable') throw new CannotLower('only variables and maps can be changed', span);
  const before = readAssignable(body, of);
  const step = type.kind === 'pointer' ? Math.max(1, body.shared.sizeOf(type.to)) : 1;
  const after = operate(body, operator === '++' ? '+' : '-', before, { value: BigInt(step) }, type, span);
  assignTo(body, of, { kind: 'scalar', register: after, type });
  return { kind: 'scalar', register: prefix ? after : before, type };
}
