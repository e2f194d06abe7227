// What stands outside of probes: directives, C declarations, the config block, maps, macros, imports. Neighbours: programs/parse/parse.ts (the loop),
// directives.ts, declarations.ts.

import type { Macro, Program } from '../ast.ts';
import { parseBlock } from './blocks.ts';
import { type Cursor, SyntaxProblem } from './cursor.ts';
import { isDeclaration, parseCDeclaration } from './declarations.ts';
import { type Directives, parseDirective } from './directives.ts';
import type { Token } from './lexer.ts';
import { integerValue } from './numbers.ts';
import { readString } from './operands.ts';

export interface Reading {
  cursor: Cursor;
  program: Program;
  /** A probe was read: what belongs before them comes too late. */
  inProbes: boolean;
  directives: Directives;
}

/** Reads one thing that is no probe; false: here is none. */
export function parseDeclaration(reading: Reading): boolean {
  const { cursor, program } = reading;
  const token = cursor.peek();
  if (token.text === '#') {
    if (reading.inProbes) tooLate(reading, token, 'directives');
    parseDirective(cursor, program, reading.directives);
    return true;
  }
  if (cursor.accept(';')) return true;
  if (token.kind !== 'identifier') return false;
  const next = cursor.after(token);
  if (isDeclaration(cursor, token)) {
    if (reading.inProbes) tooLate(reading, token, 'declarations of types');
    parseCDeclaration(cursor, program);
    return true;
  }
  if (token.text === 'config' && (next.text === '=' || next.text === '{')) {
    if (reading.inProbes) tooLate(reading, token, 'config');
    else if (program.config.length > 0) cursor.error(token, 'there is a config block already');
    parseConfig(cursor, program);
    return true;
  }
  if (token.text === 'import' && next.kind === 'string') {
    if (reading.inProbes) tooLate(reading, token, 'imports');
    cursor.take();
    const name = readString(cursor, cursor.take());
    program.imports.push({ name, span: cursor.spanFrom(token.start) });
    cursor.expect(';');
    return true;
  }
  if (token.text === 'let' && next.kind !== 'symbol') {
    parseMapDeclaration(cursor, program);
    return true;
  }
  if (token.text === 'macro' && next.kind === 'identifier') {
    parseMacro(cursor, program);
    return true;
  }
  if (token.text === 'fn' && next.kind === 'identifier')
    cursor.fail(token, 'functions (fn) are not supported', 'a macro can do the same: macro name($x) { … }');
  return false;
}

function tooLate(reading: Reading, token: Token, what: string): void {
  reading.cursor.error(token, `${what} must come before the first probe`);
}

function parseConfig(cursor: Cursor, program: Program): void {
  cursor.take();
  cursor.expect('=');
  cursor.expect('{');
  while (!cursor.is('}')) {
    try {
      const name = cursor.identifier("the name of a setting or '}'");
      cursor.expect('=');
      const value = configValue(cursor);
      cursor.limit(program.config, 'settings');
      program.config.push({ name: name.text, value, span: cursor.spanFrom(name.start) });
      if (!cursor.is('}') && !cursor.accept(';')) cursor.unexpected("';' or '}'");
    } catch (caught) {
      if (!(caught instanceof SyntaxProblem)) throw caught;
      cursor.report(caught.diagnostic);
      while (!cursor.is('}') && cursor.peek().kind !== 'end' && cursor.take().text !== ';');
      if (cursor.peek().kind === 'end') return;
    }
  }
  cursor.take();
  cursor.accept(';');
}

function configValue(cursor: Cursor): string {
  const sign = cursor.accept('-') === undefined ? '' : '-';
  const token = cursor.peek();
  if (token.kind === 'integer') {
    cursor.take();
    const result = integerValue(token.text);
    return 'value' in result ? `${sign}${result.value}` : cursor.fail(token, result.wrong);
  }
  if (token.kind === 'string' && sign === '') return readString(cursor, cursor.take());
  if (token.kind === 'identifier' && sign === '') return cursor.take().text;
  return cursor.unexpected('a number, a word or a string');
}

function parseMapDeclaration(cursor: Cursor, program: Program): void {
  cursor.limit(program.maps, 'declarations of maps');
  const { start } = cursor.take();
  const map = cursor.peek();
  if (map.kind !== 'map')
    cursor.unexpected('a map', 'outside of probes only maps are declared: let @a = hash(100);');
  cursor.take();
  cursor.expect('=');
  const type = cursor.identifier('the type of a map');
  cursor.expect('(');
  const entries = cursor.peek();
  if (entries.kind !== 'integer') cursor.unexpected('the number of entries');
  cursor.take();
  const result = integerValue(entries.text);
  if ('wrong' in result) cursor.fail(entries, result.wrong);
  else if (result.value > 0xffff_ffffn) cursor.fail(entries, 'a map has room for at most 4294967295 entries');
  else {
    cursor.expect(')');
    const span = cursor.spanFrom(start);
    if (program.maps.some((each) => each.name === map.text))
      cursor.error(span, `the map ${map.text} is declared already`);
    program.maps.push({ name: map.text, type: type.text, entries: Number(result.value), span });
    cursor.expect(';');
  }
}

function parseMacro(cursor: Cursor, program: Program): void {
  cursor.limit(program.macros, 'macros');
  const { start } = cursor.take();
  const name = cursor.take();
  cursor.expect('(');
  const parameters: Macro['parameters'] = [];
  while (!cursor.is(')')) {
    const token = cursor.peek();
    const kind =
      token.kind === 'variable' || token.kind === 'map'
        ? token.kind
        : token.kind === 'identifier'
          ? 'expression'
          : cursor.unexpected('a parameter ($variable, @map or a name)');
    cursor.limit(parameters, 'parameters');
    cursor.take();
    if (parameters.some((each) => each.name === token.text))
      cursor.error(token, `the parameter ${token.text} is there twice`);
    parameters.push({ kind, name: token.text, span: { start: token.start, end: token.end } });
    if (!cursor.accept(',')) break;
  }
  if (!cursor.accept(')')) cursor.unexpected("',' or ')'");
  if (!cursor.is('{')) cursor.unexpected("'{'");
  // A parameter is a value while the body is read: `(x) - 1` is no cast.
  const outer = parameters.map((each) => cursor.values.get(each.name));
  for (const each of parameters) cursor.values.set(each.name, null);
  const body = cursor.nested(() => parseBlock(cursor));
  for (const [index, each] of parameters.entries()) {
    const before = outer[index];
    if (before === undefined) cursor.values.delete(each.name);
    else cursor.values.set(each.name, before);
  }
  const span = cursor.spanFrom(start);
  if (program.macros.some((each) => each.name === name.text))
    cursor.error(name, `there is a macro '${name.text}' already`);
  else program.macros.push({ name: name.text, parameters, body, span });
}
