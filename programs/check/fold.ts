// Operators on what is known while compiling. Pure. Neighbours: operators.ts asks before it looks at types.

import type { BinaryOperator } from '../ast.ts';
import type { Constant } from './checked.ts';

const least = -(2n ** 63n);
const most = 2n ** 64n - 1n;

/** undefined: the operator does nothing for these. wrong: a clause. */
export function foldBinary(
  operator: BinaryOperator,
  left: Constant,
  right: Constant,
): Constant | { wrong: string } | undefined {
  if (left instanceof Uint8Array || right instanceof Uint8Array) return undefined;
  if (operator === '&&') return truth(left) && truth(right);
  if (operator === '||') return truth(left) || truth(right);
  if (typeof left === 'string' || typeof right === 'string') return foldText(operator, left, right);
  const a = BigInt(left);
  const b = BigInt(right);
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    default:
      return typeof left === 'boolean' && typeof right === 'boolean' ? undefined : calculate(operator, a, b);
  }
}

function truth(value: string | bigint | boolean): boolean {
  return typeof value === 'string' ? true : Boolean(value);
}

function foldText(
  operator: BinaryOperator,
  left: string | bigint | boolean,
  right: string | bigint | boolean,
) {
  if (typeof left === 'string' && typeof right === 'string') {
    if (operator === '==') return left === right;
    if (operator === '!=') return left !== right;
    return operator === '+' ? left + right : undefined;
  }
  // As in C: an offset into a literal.
  if (operator !== '+' || typeof left === 'boolean' || typeof right === 'boolean') return undefined;
  const [text, offset] = typeof left === 'string' ? [left, right as bigint] : [right as string, left];
  return offset >= 0n && offset <= BigInt(text.length)
    ? text.slice(Number(offset))
    : { wrong: `${offset} is not within "${text}"` };
}

function calculate(operator: BinaryOperator, a: bigint, b: bigint): bigint | { wrong: string } | undefined {
  const value = raw(operator, a, b);
  if (typeof value !== 'bigint') return value;
  return value < least || value > most ? { wrong: 'the result does not fit into 64 bits' } : value;
}

function raw(operator: BinaryOperator, a: bigint, b: bigint): bigint | { wrong: string } | undefined {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b === 0n ? { wrong: 'division by zero' } : a / b;
    case '%':
      return b === 0n ? { wrong: 'division by zero' } : a % b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '<<':
      return b < 0n || b > 63n ? { wrong: `a shift by ${b}` } : BigInt.asUintN(64, a << b);
    case '>>':
      return b < 0n || b > 63n ? { wrong: `a shift by ${b}` } : a >> b;
    default:
      return undefined;
  }
}

/** `~` as of 64 bits, signed. */
export function foldUnary(operator: '-' | '!' | '~', of: Constant): Constant | undefined {
  if (of instanceof Uint8Array || typeof of === 'string') return undefined;
  if (operator === '!') return !of;
  if (typeof of === 'boolean') return undefined;
  return operator === '-' ? -of : BigInt.asIntN(64, ~of);
}
