// Text to tokens, one at a time and from any place, because attach points and C declarations are read by other rules than expressions.
// Neighbours: programs/parse/cursor.ts (asks for tokens), numbers.ts and strings.ts (what literals are worth).

import type { Span } from '../source.ts';

export type TokenKind =
  | 'identifier'
  | 'integer'
  | 'string'
  /** `$x` */
  | 'variable'
  /** `@x`, `@` */
  | 'map'
  /** `$1` */
  | 'positional'
  /** `$#` */
  | 'count'
  | 'symbol'
  /** What no rule begins with; `text` is the one character. */
  | 'unknown'
  | 'end';

export interface Token extends Span {
  kind: TokenKind;
  /** As in the source. */
  text: string;
}

// Longest first: an operator must not be taken for its own beginning.
const symbols = [
  ...['<<=', '>>='],
  ...['<<', '>>', '<=', '>=', '==', '!=', '&&', '||', '++', '--', '->', '..'],
  ...['+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '?:'],
  ...'+-*/%&|^~!<>=?:;,.()[]{}',
];
const symbolsByFirst = new Map<string, string[]>();
for (const symbol of symbols) {
  const first = symbol.charAt(0);
  symbolsByFirst.set(first, [...(symbolsByFirst.get(first) ?? []), symbol]);
}

const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const digits = /[0-9]+/y;
// Whatever is glued to a number belongs to it: numbers.ts says what is wrong with it.
const number = /[0-9][A-Za-z0-9_]*/y;
const string = /"(?:[^"\\\n]|\\[^\n])*"?/y;
const blank = /(?:[ \t\r\n\f\v]|\\\r?\n)+/y;
const lineComment = /\/\/[^\n]*/y;

export function isIdentifierStart(character: string): boolean {
  return /^[A-Za-z_]/.test(character);
}

/** The place after blanks and comments. A block comment without an end reaches the end of the source. */
export function skipBlanks(source: string, from: number): number {
  let at = from;
  for (;;) {
    const end = matchEnd(blank, source, at) ?? matchEnd(lineComment, source, at);
    if (end !== undefined) at = end;
    else if (source.startsWith('/*', at)) {
      const close = source.indexOf('*/', at + 2);
      at = close < 0 ? source.length : close + 2;
    } else return at;
  }
}

/** The token that begins at `at`, where no blank is. */
export function tokenAt(source: string, at: number): Token {
  const token = (kind: TokenKind, end: number): Token => ({
    kind,
    text: source.slice(at, end),
    start: at,
    end,
  });
  const first = source.charAt(at);
  if (first === '') return token('end', at);
  const wordEnd = matchEnd(word, source, at);
  if (wordEnd !== undefined) return token('identifier', wordEnd);
  const numberEnd = matchEnd(number, source, at);
  if (numberEnd !== undefined) return token('integer', numberEnd);
  if (first === '"') return token('string', matchEnd(string, source, at) ?? at + 1);
  if (first === '@') return token('map', matchEnd(word, source, at + 1) ?? at + 1);
  if (first === '$') {
    if (source.charAt(at + 1) === '#') return token('count', at + 2);
    const positionalEnd = matchEnd(digits, source, at + 1);
    if (positionalEnd !== undefined) return token('positional', positionalEnd);
    const variableEnd = matchEnd(word, source, at + 1);
    if (variableEnd !== undefined) return token('variable', variableEnd);
    return token('unknown', at + 1);
  }
  const symbol = symbolsByFirst.get(first)?.find((each) => source.startsWith(each, at));
  if (symbol !== undefined) return token('symbol', at + symbol.length);
  // A character outside the basic plane is two units: half of one can't be shown.
  return token('unknown', at + String.fromCodePoint(source.codePointAt(at) ?? 0).length);
}

function matchEnd(pattern: RegExp, source: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(source) ? pattern.lastIndex : undefined;
}
