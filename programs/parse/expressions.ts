// Expressions, by precedence. Neighbours: programs/parse/operands.ts (what operators stand between), statements.ts (blocks and their values).

import type { Assignable, BinaryOperator, Expression } from '../ast.ts';
import type { Cursor } from './cursor.ts';
import { skipBlanks, type Token } from './lexer.ts';
import { parseOperand } from './operands.ts';

const precedence: Record<BinaryOperator, number> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '<=': 7,
  '>': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
};

export function parseExpression(cursor: Cursor): Expression {
  return cursor.nested(() => {
    const condition = parseBinary(cursor, 1);
    const height = cursor.height;
    if (cursor.accept('?:')) return shortTernary(cursor, condition, height);
    if (!cursor.accept('?')) return condition;
    if (cursor.accept(':')) return shortTernary(cursor, condition, height);
    const then = parseExpression(cursor);
    const thenHeight = cursor.height;
    cursor.expect(':');
    const otherwise = parseExpression(cursor);
    const span = cursor.spanFrom(condition.span.start);
    const ternary: Expression = { kind: 'ternary', condition, then, otherwise, span };
    return cursor.grown(ternary, height, thenHeight, cursor.height);
  });
}

/** `a ?: b` is `a ? a : b` with a evaluated once. */
function shortTernary(cursor: Cursor, first: Expression, height: number): Expression {
  const otherwise = parseExpression(cursor);
  const span = cursor.spanFrom(first.span.start);
  const name = cursor.madeUp('$');
  const condition: Expression = { kind: 'variable', name, span: first.span };
  const then: Expression = { kind: 'variable', name, span: first.span };
  const value: Expression = { kind: 'ternary', condition, then, otherwise, span };
  const statement = { kind: 'let' as const, name, type: null, value: first, span: first.span };
  const block: Expression = { kind: 'block', body: { statements: [statement], value, span }, span };
  return cursor.grown(block, height + 1, cursor.height + 1);
}

function parseBinary(cursor: Cursor, weakest: number): Expression {
  let left = parseUnary(cursor);
  for (;;) {
    const height = cursor.height;
    const operator = binaryOperator(cursor, cursor.peek());
    if (operator === undefined || precedence[operator] < weakest) return left;
    cursor.take();
    const right = cursor.nested(() => parseBinary(cursor, precedence[operator] + 1));
    left = cursor.grown(
      { kind: 'binary', operator, left, right, span: cursor.spanFrom(left.span.start) },
      height,
      cursor.height,
    );
  }
}

function binaryOperator(cursor: Cursor, token: Token): BinaryOperator | undefined {
  if (token.kind !== 'symbol' || !Object.hasOwn(precedence, token.text)) return undefined;
  // The slash that ends a predicate, by what follows it.
  if (token.text === '/' && cursor.inPredicate && cursor.source[skipBlanks(cursor.source, token.end)] === '{')
    return undefined;
  return token.text as BinaryOperator;
}

/** Operators before an operand, and the operand. */
export function parseUnary(cursor: Cursor): Expression {
  const token = cursor.peek();
  if (token.kind !== 'symbol') return parseOperand(cursor);
  switch (token.text) {
    case '-':
    case '!':
    case '~': {
      cursor.take();
      const of = cursor.nested(() => parseUnary(cursor));
      const span = cursor.spanFrom(token.start);
      return cursor.grown({ kind: 'unary', operator: token.text, of, span }, cursor.height);
    }
    case '*': {
      cursor.take();
      const of = cursor.nested(() => parseUnary(cursor));
      return cursor.grown({ kind: 'dereference', of, span: cursor.spanFrom(token.start) }, cursor.height);
    }
    case '&': {
      cursor.take();
      const of = cursor.nested(() => parseUnary(cursor));
      if (of.kind !== 'variable' && of.kind !== 'map')
        return cursor.fail(of.span, 'the operator & can only be used on a variable or a map');
      return cursor.grown({ kind: 'addressOf', of, span: cursor.spanFrom(token.start) }, cursor.height);
    }
    case '++':
    case '--': {
      cursor.take();
      const of = incremented(
        cursor,
        cursor.nested(() => parseUnary(cursor)),
        token.text,
      );
      const span = cursor.spanFrom(token.start);
      return cursor.grown({ kind: 'increment', of, operator: token.text, prefix: true, span }, cursor.height);
    }
    default:
      return parseOperand(cursor);
  }
}

export function isAssignable(expression: Expression): expression is Assignable {
  return ['variable', 'map', 'field', 'index', 'dereference'].includes(expression.kind);
}

export function incremented(cursor: Cursor, of: Expression, operator: string): Assignable {
  if (isAssignable(of)) return of;
  return cursor.fail(of.span, `the operator ${operator} must be applied to a variable or a map`);
}
