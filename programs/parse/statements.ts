// Statements. Neighbours: programs/parse/blocks.ts (what they stand in), expressions.ts, operands.ts, types.ts.

import type { AssignOperator, Expression, Statement } from '../ast.ts';
import { beginsProbe } from './attach-points.ts';
import { asStatement, parseBlock, parseBody, withoutValue } from './blocks.ts';
import type { Cursor } from './cursor.ts';
import { isAssignable, parseExpression } from './expressions.ts';
import { keywordSuggestion, readString } from './operands.ts';
import { parseType } from './types.ts';

const assignOperators = new Set(['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>=']);

/** value: what was read is the value of the block around it. */
type Read = { statement: Statement; value: null } | { statement: null; value: Expression };

export function parseStatement(cursor: Cursor): Read {
  const token = cursor.peek();
  const { start } = token;
  cursor.height = 0;
  if (cursor.is('{')) {
    const body = cursor.nested(() => parseBlock(cursor));
    cursor.accept(';');
    if (cursor.is('}') && body.value !== null) {
      const block: Expression = { kind: 'block', body, span: body.span };
      return { statement: null, value: cursor.grown(block, cursor.height) };
    }
    return statement({ kind: 'block', body: withoutValue(body), span: body.span });
  }
  if (token.kind === 'identifier') {
    const read = parseKeyword(cursor, token.text, start);
    if (read !== undefined) return read;
  }
  const expression = parseExpression(cursor);
  const operator = cursor.peek();
  if (operator.kind === 'symbol' && assignOperators.has(operator.text)) {
    const height = cursor.height;
    if (expression.kind === 'tupleElement')
      cursor.fail(expression.span, 'a tuple can not be changed; assign a new one');
    if (!isAssignable(expression))
      return cursor.fail(expression.span, 'only a variable or a map can be assigned to');
    cursor.take();
    const value = parseExpression(cursor);
    cursor.height = Math.max(height, cursor.height);
    const span = cursor.spanFrom(start);
    endOfStatement(cursor);
    return statement({
      kind: 'assign',
      target: expression,
      operator: operator.text as AssignOperator,
      value,
      span,
    });
  }
  if (cursor.is('}')) return { statement: null, value: expression };
  if (!cursor.is(';') && expression.kind === 'call' && cursor.is('{'))
    cursor.unexpected("';'", keywordSuggestion(expression.function));
  endOfStatement(cursor);
  return statement({ kind: 'expression', expression, span: expression.span });
}

function parseKeyword(cursor: Cursor, word: string, start: number): Read | undefined {
  switch (word) {
    case 'if': {
      const { expression } = parseIf(cursor, false);
      cursor.accept(';');
      // A value only where it is the last of a block and each branch has one.
      if (cursor.is('}') && hasValue(expression)) return { statement: null, value: expression };
      return statement(asStatement(expression));
    }
    case 'while': {
      cursor.take();
      const condition = parseExpression(cursor);
      const height = cursor.height;
      const body = parseBody(cursor);
      cursor.height = 1 + Math.max(height, cursor.height);
      return compound(cursor, { kind: 'while', condition, body, span: cursor.spanFrom(start) });
    }
    case 'unroll': {
      cursor.take();
      const times = parseExpression(cursor);
      const height = cursor.height;
      const body = parseBody(cursor);
      cursor.height = 1 + Math.max(height, cursor.height);
      return compound(cursor, { kind: 'unroll', times, body, span: cursor.spanFrom(start) });
    }
    case 'for':
      return compound(cursor, parseFor(cursor));
    case 'let':
      return statement(parseLet(cursor));
    case 'break':
    case 'continue': {
      cursor.take();
      const span = cursor.spanFrom(start);
      endOfStatement(cursor);
      return statement({ kind: word, span });
    }
    case 'return': {
      cursor.take();
      const value = cursor.is(';') || cursor.is('}') ? null : parseExpression(cursor);
      const span = cursor.spanFrom(start);
      endOfStatement(cursor);
      return statement({ kind: 'return', value, span });
    }
    case 'import': {
      cursor.take();
      const name = cursor.peek();
      if (name.kind !== 'string') cursor.unexpected('the name of a module in quotes');
      cursor.take();
      cursor.imports.push({ name: readString(cursor, name), span: cursor.spanFrom(start) });
      const span = cursor.spanFrom(start);
      endOfStatement(cursor);
      // Where it stands makes no difference: what is imported is known to the whole program.
      return statement({ kind: 'block', body: { statements: [], value: null, span }, span });
    }
    case 'else':
      return cursor.unexpected('a statement');
    case '_': {
      if (cursor.after(cursor.peek()).text !== '=') return undefined;
      cursor.take();
      cursor.take();
      const value = parseExpression(cursor);
      const span = cursor.spanFrom(start);
      endOfStatement(cursor);
      return statement({ kind: 'discard', value, span });
    }
    default:
      return undefined;
  }
}

function statement(read: Statement): Read {
  return { statement: read, value: null };
}

/** A statement that ends with a brace may have a semicolon behind it, and needs none. */
function compound(cursor: Cursor, read: Statement): Read {
  cursor.accept(';');
  return statement(read);
}

function endOfStatement(cursor: Cursor): void {
  if (cursor.accept(';') || cursor.is('}')) return;
  const token = cursor.peek();
  const newLine = cursor.source.slice(cursor.end, token.start).includes('\n');
  if (!newLine || token.kind === 'end' || beginsProbe(cursor)) cursor.unexpected("';'");
  // The next line is most likely the next statement: say it once, and read on there.
  const end = { start: cursor.end - 1, end: cursor.end };
  cursor.error(end, "syntax error, unexpected end of line, expecting ';'");
}

/** `if c { … } else if … else { … }` as a ternary of blocks. needed: it stands where a value is taken. */
export function parseIf(cursor: Cursor, needed: boolean): { expression: Expression } {
  return cursor.nested(() => {
    const { start } = cursor.expect('if');
    const condition = parseExpression(cursor);
    let height = cursor.height;
    const then = parseBranch(cursor);
    height = Math.max(height, cursor.height);
    let otherwise: Expression;
    if (cursor.accept('else')) {
      otherwise = cursor.is('if') ? parseIf(cursor, needed).expression : parseBranch(cursor);
      height = Math.max(height, cursor.height);
    } else {
      const span = { start: cursor.end, end: cursor.end };
      otherwise = { kind: 'block', body: { statements: [], value: null, span }, span };
    }
    const span = cursor.spanFrom(start);
    const expression: Expression = { kind: 'ternary', condition, then, otherwise, span };
    if (needed && !hasValue(expression))
      cursor.fail(
        span,
        'each branch of an if whose value is used must end with an expression, without a semicolon',
      );
    return { expression: cursor.grown(expression, height) };
  });
}

function parseBranch(cursor: Cursor): Expression {
  if (!cursor.is('{')) cursor.unexpected("'{'", 'the branches of an if are always written in braces');
  const body = cursor.nested(() => parseBlock(cursor));
  return { kind: 'block', body, span: body.span };
}

function hasValue(branch: Expression): boolean {
  if (branch.kind === 'ternary') return hasValue(branch.then) && hasValue(branch.otherwise);
  return branch.kind !== 'block' || branch.body.value !== null;
}

function parseFor(cursor: Cursor): Statement {
  const { start } = cursor.take();
  const bracket = cursor.accept('(') !== undefined;
  const variable = cursor.peek();
  if (variable.kind !== 'variable') cursor.unexpected('a variable');
  cursor.take();
  cursor.expect(':');
  const from = parseExpression(cursor);
  let height = cursor.height;
  const to = cursor.accept('..') ? parseExpression(cursor) : null;
  if (to !== null) height = Math.max(height, cursor.height);
  if (bracket) cursor.expect(')');
  if (to === null && (from.kind !== 'map' || from.key !== null))
    return cursor.fail(from.span, 'a loop runs over a map without keys, or a range like 0..10');
  const body = parseBody(cursor);
  cursor.height = 1 + Math.max(height, cursor.height);
  const span = cursor.spanFrom(start);
  if (to !== null) return { kind: 'forRange', variable: variable.text, from, to, body, span };
  const map = from.kind === 'map' ? from.name : '';
  return { kind: 'forMap', variable: variable.text, map, body, span };
}

function parseLet(cursor: Cursor): Statement {
  const { start } = cursor.take();
  const variable = cursor.peek();
  if (variable.kind === 'map')
    cursor.unexpected('a variable', 'maps are declared outside of probes: let @a = hash(100);');
  if (variable.kind !== 'variable') cursor.unexpected('a variable');
  cursor.take();
  const type = cursor.accept(':') ? parseType(cursor) : null;
  const value = cursor.accept('=') ? parseExpression(cursor) : null;
  const span = cursor.spanFrom(start);
  endOfStatement(cursor);
  return { kind: 'let', name: variable.text, type, value, span };
}
