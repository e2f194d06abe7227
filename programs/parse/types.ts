// Names of types as casts, declarations, `let` and sizeof write them. Neighbours: programs/parse/expressions.ts, declarations.ts, statements.ts.

import type { TypeName } from '../ast.ts';
import { constantValue } from './constants.ts';
import type { Cursor } from './cursor.ts';
import { parseExpression } from './expressions.ts';
import type { Token } from './lexer.ts';

/** The language's own, and what they are called in C. */
const sameAs: Record<string, string> = {
  _Bool: 'bool',
  ...Object.fromEntries(
    [8, 16, 32, 64].flatMap((bits) =>
      ['', 'u'].flatMap((sign) => {
        const name = `${sign}int${bits}`;
        const short = `${sign === '' ? 's' : 'u'}${bits}`;
        return [
          [name, name],
          [`${name}_t`, name],
          [short, name],
          [`__${short}`, name],
        ];
      }),
    ),
  ),
};

const others = new Set([
  ...[
    'void',
    'bool',
    'char',
    'string',
    'buffer',
    'inet',
    'timestamp',
    'macaddr_t',
    'cgroup_path_t',
    'strerror_t',
  ],
  ...['count_t', 'sum_t', 'min_t', 'max_t', 'avg_t', 'stats_t', 'hist_t', 'lhist_t', 'tseries_t'],
  ...['usum_t', 'umin_t', 'umax_t', 'uavg_t', 'ustats_t', 'kstack_t', 'ustack_t', 'ksym_t', 'usym_t'],
]);

const tags = new Set(['struct', 'union', 'enum']);
const qualifiers = new Set([
  'const',
  'volatile',
  'restrict',
  '__restrict',
  '__restrict__',
  '__const',
  '__volatile__',
]);
const cWords = new Set(['unsigned', 'signed', 'int', 'long', 'short', 'char', '__signed__']);
const annotations = new Set([
  '__attribute__',
  '__user',
  '__kernel',
  '__rcu',
  '__percpu',
  '__iomem',
  '_Alignas',
  'alignas',
]);

export function isKnownType(cursor: Cursor, name: string): boolean {
  return Object.hasOwn(sameAs, name) || others.has(name) || cWords.has(name) || cursor.types.has(name);
}

/** Begins a type for sure, whatever follows. */
export function beginsType(cursor: Cursor, token: Token): boolean {
  if (token.kind !== 'identifier') return false;
  const name = token.text;
  if (cursor.values.has(name)) return false;
  return tags.has(name) || qualifiers.has(name) || name === 'typeof' || isKnownType(cursor, name);
}

export function parseType(cursor: Cursor): TypeName {
  const type = parseBaseType(cursor);
  return parsePointersAndLengths(cursor, type);
}

/** Without `*` and `[n]`, which C writes with the name. */
export function parseBaseType(cursor: Cursor): TypeName {
  const start = cursor.peek().start;
  skipQualifiers(cursor);
  const token = cursor.peek();
  if (token.kind !== 'identifier') cursor.unexpected('a type');
  let type: Omit<TypeName, 'span'>;
  if (cursor.accept('typeof')) type = parseTypeof(cursor);
  else if (tags.has(token.text)) {
    cursor.take();
    skipAttributes(cursor);
    const name = cursor.identifier(`the name of ${token.text === 'enum' ? 'an' : 'a'} ${token.text}`).text;
    type = { name, tag: token.text as 'struct' | 'union' | 'enum', pointers: 0, array: [] };
  } else if (cWords.has(token.text)) type = { name: parseCWords(cursor), tag: null, pointers: 0, array: [] };
  else {
    cursor.take();
    type = cursor.types.get(token.text) ?? {
      name: canonicalName(token.text),
      tag: null,
      pointers: 0,
      array: [],
    };
  }
  skipQualifiers(cursor);
  return { ...type, span: cursor.spanFrom(start) };
}

/** Widens `type` by what follows: `*`, `[n]`. */
export function parsePointersAndLengths(cursor: Cursor, type: TypeName): TypeName {
  let { pointers } = type;
  const array = [...type.array];
  for (;;) {
    if (cursor.accept('*')) {
      // A pointer to an array is the array's elements' pointer, as far as the language can follow it.
      array.length = 0;
      pointers++;
      skipQualifiers(cursor);
    } else if (cursor.accept('[')) {
      if (cursor.accept(']')) array.push(0);
      else {
        array.push(parseLength(cursor));
        cursor.expect(']');
      }
    } else return { ...type, pointers, array, span: cursor.spanFrom(type.span.start) };
  }
}

export function skipQualifiers(cursor: Cursor): void {
  for (;;) {
    const token = cursor.peek();
    if (token.kind !== 'identifier') return;
    if (qualifiers.has(token.text)) cursor.take();
    else if (annotations.has(token.text)) skipAttributes(cursor);
    else return;
  }
}

/** `__attribute__((packed))` and the like; says whether `packed` was among them. */
export function skipAttributes(cursor: Cursor): boolean {
  let packed = false;
  for (;;) {
    const token = cursor.peek();
    if (token.kind !== 'identifier') return packed;
    if (cursor.accept('__packed')) packed = true;
    else if (annotations.has(token.text)) {
      cursor.take();
      let depth = 0;
      while (cursor.is('(') || depth > 0) {
        const each = cursor.take();
        if (each.kind === 'end') return packed;
        if (each.text === '(') depth++;
        else if (each.text === ')') depth--;
        else if (each.text === 'packed' || each.text === '__packed__') packed = true;
      }
    } else return packed;
  }
}

function canonicalName(name: string): string {
  return Object.hasOwn(sameAs, name) ? (sameAs[name] ?? name) : name;
}

function parseTypeof(cursor: Cursor): Omit<TypeName, 'span'> {
  cursor.expect('(');
  const inner = typeOrExpression(cursor);
  cursor.expect(')');
  return inner.type ?? { name: 'typeof', tag: null, pointers: 0, array: [], of: inner.of };
}

/** What sizeof, offsetof and typeof take. A lone name of no known type is an expression; the checker knows the kernel's types. */
export function typeOrExpression(
  cursor: Cursor,
): { type: TypeName; of: null } | { type: null; of: ReturnType<typeof parseExpression> } {
  const token = cursor.peek();
  if (beginsType(cursor, token) || isPointerType(cursor, token)) return { type: parseType(cursor), of: null };
  return { type: null, of: parseExpression(cursor) };
}

/** `name *` before what ends an operand. */
function isPointerType(cursor: Cursor, name: Token): boolean {
  if (name.kind !== 'identifier' || cursor.values.has(name.text)) return false;
  let token = cursor.after(name);
  if (token.text !== '*') return false;
  while (token.text === '*') token = cursor.after(token);
  return token.text === ')' || token.text === ',';
}

function parseCWords(cursor: Cursor): string {
  const words: string[] = [];
  while (
    cursor.peek().kind === 'identifier' &&
    (cWords.has(cursor.peek().text) || qualifiers.has(cursor.peek().text))
  )
    words.push(cursor.take().text);
  const unsigned = words.includes('unsigned');
  const signed = words.includes('signed') || words.includes('__signed__');
  if (words.includes('char')) return unsigned ? 'uint8' : signed ? 'int8' : 'char';
  const bits = words.includes('short') ? 16 : words.includes('long') ? 64 : 32;
  return `${unsigned ? 'u' : ''}int${bits}`;
}

function parseLength(cursor: Cursor): number {
  const expression = parseExpression(cursor);
  const value = constantValue(expression, cursor.values);
  if (value === undefined) return cursor.fail(expression.span, 'the length of an array must be a constant');
  if (value < 0n || value > 0xff_ffffn)
    return cursor.fail(expression.span, `an array can't have ${value} elements`);
  return Number(value);
}
