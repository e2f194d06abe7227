// What an expansion knows: the program's defines and macros, whose words are being read, how much it has made, what it has said.
// Neighbours: programs/expand/{expressions,macros,statements}.ts, programs/expand.ts.

import type { Expression, Macro, Program } from '../ast.ts';
import type { Parameters } from '../parameters.ts';
import type { Diagnostic, Span } from '../source.ts';

/** Macros that call each other can be written in a few lines and fill any memory. */
const maximumNodes = 100_000;
const maximumDepth = 1_200;
const maximumDiagnostics = 30;

/** Whose words are being read: the program's, or a macro's. */
export interface Scope {
  /** Names of the macros and defines that are being put in, outermost first. */
  within: readonly string[];
  /** What a macro's own names stand for. null: the program itself, where names are as they are. */
  macro: {
    name: string;
    number: number;
    variables: Map<string, string>;
    maps: Map<string, string>;
    /** As the caller wrote them. */
    expressions: Map<string, { expression: Expression; scope: Scope }>;
  } | null;
  /** Where a define is used: its words are the place's. */
  at: Span | null;
}

/** Thrown to the top: nothing more is expanded. */
export class Exhausted extends Error {}

export class Expansion {
  readonly diagnostics: Diagnostic[] = [];
  readonly parameters: Parameters;
  readonly defines: ReadonlyMap<string, Expression | null>;
  readonly macros: ReadonlyMap<string, Macro>;
  /** Named parameters that the program asks for, with their defaults. */
  readonly asked = new Map<string, string>();
  #nodes = 0;
  #depth = 0;
  #uses = 0;

  constructor(program: Program, parameters: Parameters) {
    this.parameters = parameters;
    this.defines = new Map(program.defines.map(({ name, value }) => [name, value]));
    this.macros = new Map(program.macros.map((macro) => [macro.name, macro]));
  }

  /** Makes one more part of the tree, below those that are being made. */
  make<T>(span: Span, read: () => T): T {
    if (++this.#nodes > maximumNodes)
      this.#exhausted(span, `macros make this program larger than ${maximumNodes} parts`);
    if (this.#depth >= maximumDepth) this.#exhausted(span, 'macros make this expression too deep');
    this.#depth++;
    try {
      return read();
    } finally {
      this.#depth--;
    }
  }

  /** Each use of a macro has a number, by which its variables are told from those of others. */
  nextUse(): number {
    return ++this.#uses;
  }

  /** A macro's own variables are no one else's. */
  variable(name: string, { macro }: Scope): string {
    return macro === null ? name : (macro.variables.get(name) ?? `${name}?${macro.number}`);
  }

  map(name: string, { macro }: Scope, span: Span): string {
    const map = macro === null ? name : macro.maps.get(name);
    if (map !== undefined) return map;
    const hint = 'a map must be a parameter of the macro';
    this.error(span, `the macro '${macro?.name}' uses ${name}, which is not its own`, hint);
    return name;
  }

  error(span: Span, message: string, hint?: string): void {
    this.report({ severity: 'error', span, message, ...(hint === undefined ? {} : { hint }) });
  }

  report(diagnostic: Diagnostic): void {
    this.diagnostics.push(diagnostic);
    if (this.diagnostics.length >= maximumDiagnostics) throw new Exhausted();
  }

  #exhausted(span: Span, message: string): never {
    this.error(span, message);
    throw new Exhausted();
  }
}
