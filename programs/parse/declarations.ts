// C's declarations of structs, unions, enums and typedefs. Neighbours: programs/parse/preamble.ts, types.ts (names of types), constants.ts.

import type { EnumDeclaration, Program, StructDeclaration, TypeName } from '../ast.ts';
import { constantValue } from './constants.ts';
import { type Cursor, SyntaxProblem } from './cursor.ts';
import { parseExpression } from './expressions.ts';
import type { Token } from './lexer.ts';
import { parseBaseType, parsePointersAndLengths, skipAttributes, skipQualifiers } from './types.ts';

/** What the preamble can hold beside directives. `struct x` may begin a probe's name as little as anything else. */
export function isDeclaration(cursor: Cursor, token: Token): boolean {
  if (token.text === 'typedef') return true;
  if (!/^(?:struct|union|enum)$/.test(token.text)) return false;
  const next = cursor.after(token);
  return next.text === '{' || next.kind === 'identifier';
}

export function parseCDeclaration(cursor: Cursor, program: Program): void {
  if (cursor.accept('typedef')) parseTypedef(cursor, program);
  else if (parseBody(cursor, program) === undefined) {
    // `struct x;` says that there is one.
    cursor.take();
    cursor.take();
  }
  cursor.accept(';');
}

/** Tag, name and braces; undefined: these are not braces, and nothing was read. */
function parseBody(cursor: Cursor, program: Program): TypeName | undefined {
  const keyword = cursor.peek();
  if (!/^(?:struct|union|enum)$/.test(keyword.text)) return undefined;
  const before = cursor.at;
  cursor.take();
  const packed = skipAttributes(cursor);
  const named = cursor.peek().kind === 'identifier' ? cursor.take().text : undefined;
  if (!cursor.is('{')) {
    cursor.moveTo(before);
    return undefined;
  }
  const tag = keyword.text as 'struct' | 'union' | 'enum';
  const name = named ?? cursor.madeUp(`${tag} `);
  if (tag === 'enum') parseEnum(cursor, program, name, keyword.start);
  else
    cursor.nested(() =>
      parseStruct(cursor, program, { name, union: tag === 'union', packed, members: [], span: keyword }),
    );
  return { name, tag, pointers: 0, array: [], span: cursor.spanFrom(keyword.start) };
}

function parseStruct(cursor: Cursor, program: Program, declaration: StructDeclaration): void {
  const { start } = declaration.span;
  cursor.limit(program.structs, 'structs');
  cursor.expect('{');
  while (!cursor.is('}')) {
    try {
      if (cursor.peek().kind === 'end') cursor.unexpected("'}'");
      if (!cursor.accept(';')) parseMembers(cursor, program, declaration);
    } catch (caught) {
      if (!(caught instanceof SyntaxProblem)) throw caught;
      cursor.report(caught.diagnostic);
      while (!cursor.is('}') && cursor.peek().kind !== 'end' && cursor.take().text !== ';');
      if (cursor.peek().kind === 'end') return;
    }
  }
  cursor.take();
  if (skipAttributes(cursor)) declaration.packed = true;
  declaration.span = cursor.spanFrom(start);
  const known = program.structs.findIndex((each) => each.name === declaration.name);
  if (known >= 0) cursor.error(declaration.span, `the struct ${declaration.name} is declared twice`);
  else program.structs.push(declaration);
}

/** One line of a struct: a type and what has it. */
function parseMembers(cursor: Cursor, program: Program, declaration: StructDeclaration): void {
  skipQualifiers(cursor);
  const { start } = cursor.peek();
  const body = parseBody(cursor, program);
  const base = body ?? parseBaseType(cursor);
  if (body !== undefined && cursor.is(';')) {
    const unnamed = program.structs.some((each) => each.name === body.name && each.name.includes('?'));
    if (unnamed) declaration.members.push({ name: '', type: body, span: cursor.spanFrom(start) });
    cursor.take();
    return;
  }
  do {
    cursor.limit(declaration.members, 'members');
    const from = cursor.peek().start;
    const { name, type } = parseDeclarator(cursor, base);
    const bits = cursor.accept(':') ? constant(cursor, 'the width of a bit field', 64n) : undefined;
    skipAttributes(cursor);
    const span = cursor.spanFrom(from);
    if (name !== undefined && declaration.members.some((each) => each.name === name))
      cursor.error(span, `there is a member '${name}' already`);
    // Padding has a width and no name, which no member of the language can have: it is kept for the layout's sake.
    declaration.members.push({
      name: name ?? cursor.madeUp('padding '),
      type,
      ...(bits === undefined ? {} : { bits: Number(bits) }),
      span,
    });
  } while (cursor.accept(','));
  cursor.expect(';');
}

/** `*name[4]`, `(*name)(int)`; no name before a bit field's colon. */
function parseDeclarator(cursor: Cursor, base: TypeName): { name: string | undefined; type: TypeName } {
  let type = base;
  while (cursor.accept('*')) {
    type = { ...type, pointers: type.pointers + 1 };
    skipQualifiers(cursor);
  }
  if (cursor.accept('(')) {
    // A pointer to a function, or to an array: its address is all that can be done with it.
    cursor.expect('*');
    skipQualifiers(cursor);
    const name = cursor.peek().kind === 'identifier' ? cursor.take().text : undefined;
    const lengths = parsePointersAndLengths(cursor, {
      ...type,
      name: 'void',
      tag: null,
      pointers: 1,
      array: [],
    });
    cursor.expect(')');
    if (cursor.is('(')) skipBrackets(cursor);
    else parsePointersAndLengths(cursor, type);
    return { name, type: lengths };
  }
  skipQualifiers(cursor);
  if (cursor.is(':')) return { name: undefined, type };
  const name = cursor.identifier('the name of a member').text;
  return { name, type: parsePointersAndLengths(cursor, type) };
}

function skipBrackets(cursor: Cursor): void {
  let depth = 0;
  do {
    if (cursor.peek().kind === 'end') cursor.unexpected("')'");
    const { text } = cursor.take();
    if (text === '(') depth++;
    if (text === ')') depth--;
  } while (depth > 0);
}

function parseEnum(cursor: Cursor, program: Program, name: string, start: number): void {
  cursor.expect('{');
  const members: EnumDeclaration['members'] = [];
  let next = 0n;
  while (!cursor.is('}')) {
    const member = cursor.identifier("the name of a value or '}'");
    const value = cursor.accept('=') ? constant(cursor, 'the value', undefined) : next;
    next = value + 1n;
    members.push({ name: member.text, value, span: cursor.spanFrom(member.start) });
    cursor.values.set(member.text, value);
    if (!cursor.accept(',')) break;
  }
  if (!cursor.accept('}')) cursor.unexpected("',' or '}'");
  skipAttributes(cursor);
  program.enums.push({ name, members, span: cursor.spanFrom(start) });
}

function parseTypedef(cursor: Cursor, program: Program): void {
  skipQualifiers(cursor);
  const body = parseBody(cursor, program);
  const base = body ?? parseBaseType(cursor);
  do {
    const { name, type } = parseDeclarator(cursor, base);
    if (name === undefined) cursor.unexpected('the name of the type');
    skipAttributes(cursor);
    if (cursor.is('(')) skipBrackets(cursor);
    cursor.types.set(name, type);
    // The unnamed struct is shown by the name it is known by.
    const unnamed = program.structs.find((each) => each.name === type.name && each.name.includes('?'));
    if (unnamed !== undefined && type.pointers === 0 && type.array.length === 0) {
      base.name = name;
      unnamed.name = name;
      type.name = name;
    }
  } while (cursor.accept(','));
  if (!cursor.is(';')) cursor.unexpected("';'");
}

function constant(cursor: Cursor, what: string, most: bigint | undefined): bigint {
  const expression = parseExpression(cursor);
  const value = constantValue(expression, cursor.values);
  if (value === undefined) return cursor.fail(expression.span, `${what} must be a constant`);
  if (most !== undefined && (value < 0n || value > most))
    return cursor.fail(expression.span, `${what} can't be ${value}`);
  return value;
}
