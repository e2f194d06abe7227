// Where a parser stands in the source: the next token, what was expected instead, and the limits that hold for any input.
// Neighbours: programs/parse/lexer.ts below it, all other files of programs/parse/ above.

import { nearestName } from '../../bpf/nearest.ts';
import type { Expression, TypeName } from '../ast.ts';
import type { Diagnostic, Span } from '../source.ts';
import { skipBlanks, type Token, tokenAt } from './lexer.ts';

/** Blocks, brackets and operators within each other. More is no program, and would be too deep for the recursion of every later step. */
const maximumNesting = 200;
/** Of a tree: a chain `a + b + …` is as deep as it is long. */
const maximumHeight = 1_000;
const maximumDiagnostics = 30;
const maximumList = 1_000;

/** Thrown to the nearest place that can go on behind it. */
export class SyntaxProblem extends Error {
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

/** Thrown to the top: nothing more is read. */
export class TooManyProblems extends Error {}

export const keywords = [
  ...['break', 'config', 'continue', 'else', 'for', 'if', 'import', 'let', 'macro', 'offsetof', 'return'],
  ...['sizeof', 'unroll', 'while', 'typeof', 'comptime', 'struct', 'union', 'enum'],
];

export class Cursor {
  readonly source: string;
  readonly diagnostics: Diagnostic[] = [];
  /** Names that stand for values, as the preamble and macros declare them: `(NAME) - 1` is no cast. null: not known while parsing. */
  readonly values: Map<string, bigint | null>;
  /** What the program declares by typedef. */
  readonly types: Map<string, TypeName>;
  /** Modules that a statement imports. */
  readonly imports: { name: string; span: Span }[] = [];
  /** Of the expression that was read last. */
  height = 0;
  /** A predicate is being read: a slash before a brace ends it. */
  inPredicate = false;
  /** Where the last token ended. */
  end = 0;
  #at = 0;
  #next: Token | undefined;
  #nesting = 0;
  #madeUp: { count: number };
  readonly #part: boolean;

  /** `of`: for a part of its source that ends early, a directive's line. */
  constructor(source: string, of?: Cursor) {
    this.source = source;
    this.values = of?.values ?? new Map();
    this.types = of?.types ?? new Map();
    this.#part = of !== undefined;
    this.#madeUp = of === undefined ? { count: 0 } : of.#madeUp;
  }

  /** The place from which the next token is looked for. */
  get at(): number {
    return this.#at;
  }

  moveTo(at: number): void {
    this.#at = at;
    this.#next = undefined;
  }

  peek(): Token {
    if (this.#next === undefined) {
      const start = skipBlanks(this.source, this.#at);
      this.#next = tokenAt(this.source, start);
    }
    return this.#next;
  }

  /** The token after `token`. */
  after(token: Token): Token {
    return tokenAt(this.source, skipBlanks(this.source, token.end));
  }

  take(): Token {
    const token = this.peek();
    this.end = token.end;
    this.moveTo(token.end);
    return token;
  }

  is(text: string): boolean {
    const token = this.peek();
    return token.text === text && (token.kind === 'symbol' || token.kind === 'identifier');
  }

  accept(text: string): Token | undefined {
    return this.is(text) ? this.take() : undefined;
  }

  expect(text: string): Token {
    return this.accept(text) ?? this.unexpected(`'${text}'`);
  }

  identifier(what: string): Token {
    return this.peek().kind === 'identifier' ? this.take() : this.unexpected(what);
  }

  unexpected(expected: string, hint?: string): never {
    const token = this.peek();
    const found =
      token.kind === 'end' ? `end of ${this.#part ? 'line' : 'file'}` : `'${shorten(token.text)}'`;
    const open = token.kind === 'end' && this.source.lastIndexOf('/*') > this.source.lastIndexOf('*/');
    const reason = hint ?? (open ? 'a comment is not closed' : undefined);
    return this.fail(token, `syntax error, unexpected ${found}, expecting ${expected}`, reason);
  }

  fail(span: Span, message: string, hint?: string): never {
    throw new SyntaxProblem(problem(span, message, hint));
  }

  report(diagnostic: Diagnostic): void {
    // One missing brace ends many blocks.
    const last = this.diagnostics.at(-1);
    if (last?.message === diagnostic.message && last.span.start === diagnostic.span.start) return;
    this.diagnostics.push(diagnostic);
    if (this.diagnostics.length >= maximumDiagnostics) throw new TooManyProblems();
  }

  error(span: Span, message: string, hint?: string): void {
    this.report(problem(span, message, hint));
  }

  spanFrom(start: number): Span {
    return { start, end: Math.max(start, this.end) };
  }

  /** One level deeper while `read` runs. */
  nested<T>(read: () => T): T {
    if (this.#nesting >= maximumNesting)
      this.fail(this.peek(), `more than ${maximumNesting} brackets, blocks and operators within each other`);
    this.#nesting++;
    try {
      return read();
    } finally {
      this.#nesting--;
    }
  }

  /** To be asked before `list` grows: what is looked up in it takes time by its length. */
  limit(list: readonly unknown[], what: string): void {
    if (list.length < maximumList) return;
    this.error(this.peek(), `more than ${maximumList} ${what}`);
    throw new TooManyProblems();
  }

  /** Notes how high the tree has grown with `expression` on top of parts of the given heights. */
  grown<E extends Expression>(expression: E, ...heights: number[]): E {
    this.height = 1 + Math.max(0, ...heights);
    if (this.height > maximumHeight) this.fail(expression.span, 'this expression is too long');
    return expression;
  }

  /** A name that no source can write. */
  madeUp(sigil: string): string {
    return `${sigil}?${++this.#madeUp.count}`;
  }
}

export function problem(span: Span, message: string, hint?: string): Diagnostic {
  return {
    severity: 'error',
    span: { start: span.start, end: span.end },
    message,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** "did you mean …?" as a hint, where one is near. */
export function suggestion(name: string, known: Iterable<string>): string | undefined {
  const near = nearestName(name, known);
  return near === undefined || near === name ? undefined : `did you mean '${near}'?`;
}

export function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
