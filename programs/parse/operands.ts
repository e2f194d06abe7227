// What operators stand between: literals, names, calls, maps, brackets (casts, tuples, records, groups), and what may follow them.
// Neighbours: programs/parse/expressions.ts (operators), types.ts, statements.ts (block expressions).

import type { Expression } from '../ast.ts';
import { parseBlock } from './blocks.ts';
import { type Cursor, keywords, suggestion } from './cursor.ts';
import { incremented, parseExpression, parseUnary } from './expressions.ts';
import type { Token } from './lexer.ts';
import { integerValue } from './numbers.ts';
import { parseIf } from './statements.ts';
import { stringValue } from './strings.ts';
import { beginsType, isKnownType, parseType, typeOrExpression } from './types.ts';

export function parseOperand(cursor: Cursor): Expression {
  let of = parsePrimary(cursor);
  for (;;) {
    const height = cursor.height;
    const token = cursor.peek();
    if (token.kind !== 'symbol') return of;
    const { start } = of.span;
    switch (token.text) {
      case '.':
      case '->': {
        cursor.take();
        const name = cursor.peek();
        if (name.kind === 'integer' && /^[0-9]{1,4}$/.test(name.text)) {
          cursor.take();
          const index = Number(name.text);
          of = cursor.grown({ kind: 'tupleElement', of, index, span: cursor.spanFrom(start) }, height);
          break;
        }
        cursor.identifier('the name of a field');
        const nameSpan = { start: name.start, end: name.end };
        const span = cursor.spanFrom(start);
        const arrow = token.text === '->';
        of = cursor.grown({ kind: 'field', of, name: name.text, nameSpan, arrow, span }, height);
        break;
      }
      case '[': {
        cursor.take();
        const index = parseExpression(cursor);
        cursor.expect(']');
        of = cursor.grown({ kind: 'index', of, index, span: cursor.spanFrom(start) }, height, cursor.height);
        break;
      }
      case '++':
      case '--': {
        const target = incremented(cursor, of, token.text);
        cursor.take();
        const span = cursor.spanFrom(start);
        of = cursor.grown(
          { kind: 'increment', of: target, operator: token.text, prefix: false, span },
          height,
        );
        break;
      }
      default:
        return of;
    }
  }
}

function parsePrimary(cursor: Cursor): Expression {
  const token = cursor.peek();
  const span = { start: token.start, end: token.end };
  cursor.height = 0;
  switch (token.kind) {
    case 'integer': {
      cursor.take();
      const result = integerValue(token.text);
      if ('wrong' in result) cursor.error(span, result.wrong);
      return cursor.grown({ kind: 'integer', value: 'value' in result ? result.value : 0n, span });
    }
    case 'string': {
      cursor.take();
      return cursor.grown({ kind: 'string', value: readString(cursor, token), span });
    }
    case 'variable':
      cursor.take();
      return cursor.grown({ kind: 'variable', name: token.text, span });
    case 'positional': {
      cursor.take();
      const index = Number(token.text.slice(1));
      if (index < 1 || index > 1_000) cursor.error(span, `there is no parameter ${token.text}`);
      return cursor.grown({ kind: 'positional', index, span });
    }
    case 'count':
      cursor.take();
      return cursor.grown({ kind: 'positionalCount', span });
    case 'map':
      return parseMap(cursor);
    case 'identifier':
      return parseWord(cursor, token);
    case 'symbol':
      if (token.text === '(') return cursor.nested(() => parseBrackets(cursor));
      if (token.text === '{') {
        const body = cursor.nested(() => parseBlock(cursor));
        if (body.value === null)
          cursor.error(
            body.span,
            'this block has no value',
            'its value is its last expression, without a semicolon',
          );
        return cursor.grown({ kind: 'block', body, span: body.span }, cursor.height);
      }
      return cursor.unexpected('an expression');
    case 'unknown':
      if (token.text === "'")
        cursor.unexpected(
          'an expression',
          "a string is written in double quotes; a character as its number, 65 for 'A'",
        );
      return cursor.unexpected('an expression');
    case 'end':
      return cursor.unexpected('an expression');
  }
}

export function readString(cursor: Cursor, token: Token): string {
  const { value, problems } = stringValue(token.text);
  for (const { at, length, message } of problems) {
    const start = token.start + at;
    cursor.error({ start, end: start + length }, message);
  }
  return value;
}

function parseMap(cursor: Cursor): Expression {
  const token = cursor.take();
  let key: Expression[] | null = null;
  let height = 0;
  if (cursor.accept('[')) {
    if (cursor.is(']')) cursor.unexpected('a key');
    key = parseList(cursor, ']');
    height = cursor.height;
  }
  return cursor.grown({ kind: 'map', name: token.text, key, span: cursor.spanFrom(token.start) }, height);
}

/** Expressions with commas between, and the bracket that closes. */
function parseList(cursor: Cursor, close: string): Expression[] {
  const list: Expression[] = [];
  let height = 0;
  while (!cursor.is(close)) {
    cursor.limit(list, 'values in a list');
    list.push(parseExpression(cursor));
    height = Math.max(height, cursor.height);
    if (!cursor.accept(',')) break;
    if (cursor.is(close)) cursor.unexpected('an expression');
  }
  if (!cursor.accept(close)) cursor.unexpected(`',' or '${close}'`);
  cursor.height = height;
  return list;
}

function parseWord(cursor: Cursor, token: Token): Expression {
  const { start } = token;
  const span = { start, end: token.end };
  switch (token.text) {
    case 'true':
    case 'false':
      cursor.take();
      return cursor.grown({ kind: 'boolean', value: token.text === 'true', span });
    case 'if':
      return parseIf(cursor, true).expression;
    case 'sizeof':
    case 'typeof':
    case 'typeinfo': {
      cursor.take();
      cursor.expect('(');
      const operand = typeOrExpression(cursor);
      cursor.expect(')');
      const kind = token.text === 'sizeof' ? 'sizeof' : 'typeof';
      return cursor.grown({ kind, ...operand, span: cursor.spanFrom(start) }, cursor.height);
    }
    case 'offsetof': {
      cursor.take();
      cursor.expect('(');
      const operand = typeOrExpression(cursor);
      cursor.expect(',');
      const path = [cursor.identifier('the name of a field').text];
      while (cursor.accept('.')) path.push(cursor.identifier('the name of a field').text);
      cursor.expect(')');
      return cursor.grown(
        { kind: 'offsetof', ...operand, path, span: cursor.spanFrom(start) },
        cursor.height,
      );
    }
    case 'comptime': {
      cursor.take();
      const of = cursor.nested(() => parseUnary(cursor));
      return cursor.grown({ kind: 'comptime', of, span: cursor.spanFrom(start) }, cursor.height);
    }
  }
  if (keywords.includes(token.text)) cursor.unexpected('an expression');
  cursor.take();
  if (!cursor.accept('(')) return cursor.grown({ kind: 'identifier', name: token.text, span });
  const parameters = parseList(cursor, ')');
  return cursor.grown(
    {
      kind: 'call',
      function: token.text,
      nameSpan: span,
      arguments: parameters,
      span: cursor.spanFrom(start),
    },
    cursor.height,
  );
}

function parseBrackets(cursor: Cursor): Expression {
  const { start } = cursor.take();
  const first = cursor.peek();
  if (cursor.accept(')')) return cursor.grown({ kind: 'tuple', elements: [], span: cursor.spanFrom(start) });
  if (first.kind === 'identifier' && cursor.after(first).text === '=') return parseRecord(cursor, start);
  if (isCast(cursor, first)) {
    const type = parseType(cursor);
    cursor.expect(')');
    const of = parseUnary(cursor);
    return cursor.grown({ kind: 'cast', type, of, span: cursor.spanFrom(start) }, cursor.height);
  }
  const only = parseExpression(cursor);
  if (cursor.accept(')')) return only;
  if (!cursor.is(',')) cursor.unexpected("')'");
  const elements = [only];
  let height = cursor.height;
  while (cursor.accept(',') && !cursor.is(')')) {
    cursor.limit(elements, 'values in a tuple');
    elements.push(parseExpression(cursor));
    height = Math.max(height, cursor.height);
  }
  cursor.expect(')');
  return cursor.grown({ kind: 'tuple', elements, span: cursor.spanFrom(start) }, height);
}

function parseRecord(cursor: Cursor, start: number): Expression {
  const members: { name: string; value: Expression }[] = [];
  let height = 0;
  while (!cursor.is(')')) {
    const name = cursor.identifier('the name of a field');
    cursor.expect('=');
    cursor.limit(members, 'fields');
    if (members.some((member) => member.name === name.text))
      cursor.error(name, `the record has a field '${name.text}' already`);
    members.push({ name: name.text, value: parseExpression(cursor) });
    height = Math.max(height, cursor.height);
    if (!cursor.accept(',')) break;
  }
  if (!cursor.accept(')')) cursor.unexpected("',' or ')'");
  return cursor.grown({ kind: 'record', members, span: cursor.spanFrom(start) }, height);
}

/** Whether the bracket before `first` opens a cast. Looks ahead no further than the bracket that closes. */
function isCast(cursor: Cursor, first: Token): boolean {
  if (first.kind !== 'identifier' || cursor.values.has(first.text)) return false;
  if (first.text === 'typeof' || beginsTag(first.text)) return true;
  let last = cursor.after(first);
  const certain = beginsType(cursor, first);
  // `unsigned long *`, `const char *`: only types are words beside words.
  while (certain && last.kind === 'identifier') last = cursor.after(last);
  let decorated = false;
  while (last.text === '*' || last.text === '[') {
    if (last.text === '[') {
      const length = cursor.after(last);
      last = length.text === ']' ? length : cursor.after(length);
      if (last.text !== ']') return false;
    }
    decorated = true;
    last = cursor.after(last);
  }
  if (last.text !== ')') return false;
  const next = cursor.after(last);
  if (!beginsOperand(next)) return false;
  // `(x) - 1`, `(x) * y` and `(x) & y` compute, unless x is known to be a type.
  if (['-', '*', '&'].includes(next.text)) return certain || decorated || isKnownType(cursor, first.text);
  return true;
}

function beginsTag(word: string): boolean {
  return word === 'struct' || word === 'union' || word === 'enum';
}

function beginsOperand(token: Token): boolean {
  if (token.kind === 'symbol') return ['(', '-', '!', '~', '*', '&'].includes(token.text);
  return token.kind !== 'end' && token.kind !== 'unknown';
}

/** For a statement that can't be: a word beside what looks like its keyword. */
export function keywordSuggestion(word: string): string | undefined {
  return suggestion(word, ['if', 'while', 'for', 'unroll', 'else', 'return', 'let']);
}
