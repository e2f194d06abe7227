// Lines that begin with #: constants, conditions, and includes, whose types come from the kernel's BTF and whose numbers from headers.ts.
// Neighbours: programs/parse/preamble.ts, constants.ts; programs/expand.ts puts the constants in.

import type { Expression, Macro, Program } from '../ast.ts';
import type { Span } from '../source.ts';
import { constantValue } from './constants.ts';
import { Cursor, SyntaxProblem, shorten } from './cursor.ts';
import { parseExpression } from './expressions.ts';
import { headerConstantsIn } from './headers.ts';
import type { Token } from './lexer.ts';

export interface Directives {
  /** `#if` that are open, outermost first. taken: one of its branches was read. */
  conditions: { taken: boolean; elseSeen: boolean; span: Span }[];
  /** What the first `#include` found: looking through the source once is enough. */
  headers: [string, bigint][] | null;
}

/** The kernel's types are known without their headers. */
const predefined = new Set(['BPFTRACE_HAVE_BTF']);

/** A line that is wrong is said to be, and over. */
export function parseDirective(cursor: Cursor, program: Program, directives: Directives): void {
  const { start } = cursor.take();
  const end = lineEnd(cursor.source, start);
  const line = new Cursor(cursor.source.slice(0, end), cursor);
  line.moveTo(start + 1);
  cursor.moveTo(end);
  cursor.end = end;
  try {
    readLine(cursor, program, directives, line, start);
  } catch (caught) {
    if (!(caught instanceof SyntaxProblem)) throw caught;
    cursor.report(caught.diagnostic);
  }
}

function readLine(
  cursor: Cursor,
  program: Program,
  directives: Directives,
  line: Cursor,
  start: number,
): void {
  const { conditions } = directives;
  const end = line.source.length;
  const word = line.peek();
  const span = { start, end: Math.max(word.end, start + 1) };
  if (word.kind === 'end') return;
  line.take();
  switch (word.text) {
    case 'include':
      include(cursor, program, directives, { start, end }, cursor.source.slice(word.end, end));
      break;
    case 'define':
      define(cursor, program, line, start);
      break;
    case 'undef':
      undefine(cursor, program, line.identifier('a name').text);
      break;
    case 'ifdef':
      open(cursor, conditions, span, isDefined(program, line.identifier('a name').text));
      break;
    case 'ifndef':
      open(cursor, conditions, span, !isDefined(program, line.identifier('a name').text));
      break;
    case 'if':
      open(cursor, conditions, span, condition(cursor, program, line));
      break;
    case 'elif':
    case 'else': {
      const innermost = conditions.pop();
      if (innermost === undefined || innermost.elseSeen) cursor.error(span, `#${word.text} without #if`);
      else if (innermost.taken) skipBranches(cursor, conditions, innermost.span, false);
      else open(cursor, conditions, innermost.span, condition(cursor, program, line));
      break;
    }
    case 'endif':
      if (conditions.pop() === undefined) cursor.error(span, '#endif without #if');
      break;
    case 'error':
      cursor.error({ start, end }, `#error ${shorten(cursor.source.slice(word.end, end).trim())}`);
      break;
    case 'pragma':
    case 'line':
    case 'warning':
      break;
    default:
      cursor.error(span, `unknown directive #${shorten(word.text)}`);
  }
}

/** At the end of the source. */
export function checkConditions(cursor: Cursor, conditions: Directives['conditions']): void {
  const innermost = conditions.at(-1);
  if (innermost !== undefined) cursor.error(innermost.span, 'this #if has no #endif');
}

function open(cursor: Cursor, conditions: Directives['conditions'], span: Span, taken: boolean): void {
  cursor.limit(conditions, '#if within each other');
  if (taken) conditions.push({ taken, elseSeen: false, span });
  else skipBranches(cursor, conditions, span, true);
}

/** Moves behind the `#else` or before the `#elif` that is to be looked at (when wanted), or behind the `#endif`. */
function skipBranches(
  cursor: Cursor,
  conditions: Directives['conditions'],
  span: Span,
  elseWanted: boolean,
): void {
  let depth = 0;
  let at = cursor.at;
  while (at < cursor.source.length) {
    const end = lineEnd(cursor.source, at + 1);
    const word = /^\s*#\s*([a-z]+)/.exec(cursor.source.slice(at, end))?.[1];
    const before = at;
    at = end;
    if (word === undefined) continue;
    if (word.startsWith('if')) depth++;
    else if (word === 'elif' && depth === 0 && elseWanted) {
      conditions.push({ taken: false, elseSeen: false, span });
      cursor.moveTo(before);
      return;
    } else if (word === 'endif' && depth-- === 0) {
      cursor.moveTo(at);
      return;
    } else if (word === 'else' && depth === 0 && elseWanted) {
      conditions.push({ taken: true, elseSeen: true, span });
      cursor.moveTo(at);
      return;
    }
  }
  cursor.moveTo(at);
  cursor.error(span, 'this #if has no #endif');
}

function isDefined(program: Program, name: string): boolean {
  return predefined.has(name) || program.defines.some((each) => each.name === name);
}

/** `#if`: `defined(x)` and arithmetic; a name that is not defined is 0. */
function condition(cursor: Cursor, program: Program, line: Cursor): boolean {
  const expression = parseExpression(line);
  const value = constantValue(expression, {
    get: (name) => {
      if (name.startsWith('defined ')) return isDefined(program, name.slice('defined '.length)) ? 1n : 0n;
      return cursor.values.get(name) ?? (predefined.has(name) ? 1n : 0n);
    },
  });
  if (value === undefined) cursor.fail(expression.span, 'the condition of #if must be a constant');
  return value !== 0n;
}

function include(cursor: Cursor, program: Program, directives: Directives, span: Span, text: string): void {
  const name = /^\s*(?:<[^>]+>|"[^"]+")/.exec(text);
  if (name === null) cursor.error(span, '#include needs the name of a header: #include <linux/socket.h>');
  // Which header has which of them is not told apart: they include each other, and differently in each kernel.
  directives.headers ??= headerConstantsIn(cursor.source);
  for (const [constant, value] of directives.headers) {
    if (cursor.values.has(constant)) continue;
    program.defines.push({ name: constant, value: { kind: 'integer', value, span }, span });
    cursor.values.set(constant, value);
  }
}

function define(cursor: Cursor, program: Program, line: Cursor, start: number): void {
  const name = line.identifier('a name');
  const span = { start, end: line.source.trimEnd().length };
  const body = (): Expression | null => (line.peek().kind === 'end' ? null : wholeExpression(line));
  undefine(cursor, program, name.text);
  cursor.limit(program.defines, 'defines');
  cursor.limit(program.macros, 'macros');
  if (line.source[name.end] === '(') {
    const macro = functionMacro(line, name, body, span);
    for (const each of macro?.parameters ?? []) cursor.values.delete(each.name);
    if (macro !== undefined) program.macros.push(macro);
    return;
  }
  const value = body();
  program.defines.push({ name: name.text, value, span });
  cursor.values.set(name.text, value === null ? null : (constantValue(value, cursor.values) ?? null));
}

function undefine(cursor: Cursor, program: Program, name: string): void {
  program.defines = program.defines.filter((each) => each.name !== name);
  program.macros = program.macros.filter((each) => each.name !== name);
  cursor.values.delete(name);
}

/** null: it is no expression. That matters only where it is used. */
function wholeExpression(line: Cursor): Expression | null {
  try {
    const value = parseExpression(line);
    return line.peek().kind === 'end' && line.diagnostics.length === 0 ? value : null;
  } catch (caught) {
    if (caught instanceof SyntaxProblem) return null;
    throw caught;
  }
}

/** `#define f(a, b) …` is a macro of expressions. */
function functionMacro(
  line: Cursor,
  name: Token,
  body: () => Expression | null,
  span: Span,
): Macro | undefined {
  line.expect('(');
  const parameters: Macro['parameters'] = [];
  while (!line.is(')')) {
    const parameter = line.identifier('a parameter');
    line.values.set(parameter.text, null);
    parameters.push({ kind: 'expression', name: parameter.text, span: parameter });
    if (!line.accept(',')) break;
  }
  line.expect(')');
  const value = body();
  return value === null
    ? undefined
    : { name: name.text, parameters, body: { statements: [], value, span }, span };
}

/** A backslash before it carries a line on. */
function lineEnd(source: string, from: number): number {
  let end = source.indexOf('\n', from);
  while (end > 0 && /\\\r?$/.test(source.slice(Math.max(0, end - 2), end)))
    end = source.indexOf('\n', end + 1);
  return end < 0 ? source.length : end;
}
