// Takes out of the tree what needs no knowledge of types: macros, defines, parameters, and `pid()` for `pid`. Every node of the result is its own:
// what is used twice is there twice. Neighbours: programs/parse/parse.ts before it, programs/parameters.ts, programs/check/* after it.

import type { Assignable, Block, Expression, Macro, Probe, Program, Statement, TypeName } from './ast.ts';
import { builtins } from './check/builtins.ts';
import { namedValue, type Parameters, positionalText, positionalValue } from './parameters.ts';
import { readAttachPoint } from './parse/attach-points.ts';
import type { Diagnostic, Span } from './source.ts';

/** Macros that call each other can be written in a few lines and fill any memory. */
const maximumNodes = 100_000;
const maximumDepth = 1_200;
const maximumDiagnostics = 30;

/** Whose words are being read: the program's (empty), or a macro's. */
interface Scope {
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

class Exhausted extends Error {}

export function expand(
  program: Program,
  parameters: Parameters,
): { program: Program; diagnostics: Diagnostic[] } {
  const expansion = new Expansion(program, parameters);
  const probes: Probe[] = [];
  try {
    for (const probe of program.probes) probes.push(expansion.probe(probe));
    expansion.checkNamed();
  } catch (caught) {
    if (!(caught instanceof Exhausted)) throw caught;
  }
  return { program: { ...program, defines: [], macros: [], probes }, diagnostics: expansion.diagnostics };
}

class Expansion {
  readonly diagnostics: Diagnostic[] = [];
  readonly #parameters: Parameters;
  readonly #defines: Map<string, Expression | null>;
  readonly #macros: Map<string, Macro>;
  readonly #asked = new Map<string, string>();
  #nodes = 0;
  #depth = 0;
  #number = 0;

  constructor(program: Program, parameters: Parameters) {
    this.#parameters = parameters;
    this.#defines = new Map(program.defines.map(({ name, value }) => [name, value]));
    this.#macros = new Map(program.macros.map((macro) => [macro.name, macro]));
  }

  probe(probe: Probe): Probe {
    const scope: Scope = { within: [], macro: null, at: null };
    const attachPoints = probe.attachPoints.flatMap((point) => {
      if (!/\$[0-9]/.test(point.text)) return [point];
      const { points, wrong } = readAttachPoint(point.text, point.span.start, this.#parameters.positional);
      for (const each of wrong) this.#report(each);
      return points;
    });
    return {
      attachPoints,
      predicate: probe.predicate === null ? null : this.expression(probe.predicate, scope),
      body: this.#block(probe.body, scope),
      span: probe.span,
    };
  }

  /** A parameter that the program doesn't ask for is a mistake. */
  checkNamed(): void {
    for (const name of this.#parameters.named.keys())
      if (!this.#asked.has(name))
        this.#error({ start: 0, end: 0 }, `the program has no parameter '${name}' (getopt("${name}"))`);
  }

  expression(expression: Expression, scope: Scope): Expression {
    const span = scope.at ?? expression.span;
    if (++this.#nodes > maximumNodes)
      this.#exhausted(span, `macros make this program larger than ${maximumNodes} parts`);
    if (this.#depth >= maximumDepth) this.#exhausted(span, 'macros make this expression too deep');
    this.#depth++;
    try {
      return this.#read(expression, scope, span);
    } finally {
      this.#depth--;
    }
  }

  #read(expression: Expression, scope: Scope, span: Span): Expression {
    const read = (each: Expression) => this.expression(each, scope);
    switch (expression.kind) {
      case 'integer':
      case 'boolean':
      case 'string':
        return { ...expression, span };
      case 'positional':
        return positionalValue(this.#parameters, expression.index, span);
      case 'positionalCount':
        return { kind: 'integer', value: BigInt(this.#parameters.positional.length), span };
      case 'variable':
        return { kind: 'variable', name: this.#variable(expression.name, scope), span };
      case 'map':
        return {
          kind: 'map',
          name: this.#map(expression.name, scope, span),
          key: expression.key?.map(read) ?? null,
          span,
        };
      case 'identifier':
        return this.#identifier(expression.name, scope, span);
      case 'call':
        return this.#call(expression, scope, span);
      case 'field':
      case 'tupleElement':
      case 'dereference':
      case 'addressOf':
      case 'unary':
      case 'comptime':
        return { ...expression, of: read(expression.of), span };
      case 'increment':
        return { ...expression, of: this.#target(expression.of, scope), span };
      case 'index':
        return { ...expression, of: read(expression.of), index: read(expression.index), span };
      case 'binary':
        return { ...expression, left: read(expression.left), right: read(expression.right), span };
      case 'ternary': {
        const [condition, then] = [read(expression.condition), read(expression.then)];
        return { kind: 'ternary', condition, then, otherwise: read(expression.otherwise), span };
      }
      case 'cast':
        return { kind: 'cast', type: this.#type(expression.type, scope), of: read(expression.of), span };
      case 'tuple':
        return { kind: 'tuple', elements: expression.elements.map(read), span };
      case 'record':
        return {
          kind: 'record',
          members: expression.members.map(({ name, value }) => ({ name, value: read(value) })),
          span,
        };
      case 'sizeof':
      case 'offsetof':
      case 'typeof':
        return {
          ...expression,
          type: expression.type === null ? null : this.#type(expression.type, scope),
          of: expression.of === null ? null : read(expression.of),
          span,
        };
      case 'block':
        return { kind: 'block', body: this.#block(expression.body, scope), span };
    }
  }

  #identifier(name: string, scope: Scope, span: Span): Expression {
    const given = scope.macro?.expressions.get(name);
    if (given !== undefined) return this.expression(given.expression, given.scope);
    const defined = this.#defines.get(name);
    // As in C, a name within its own meaning is itself.
    if (defined !== undefined && !scope.within.includes(name)) {
      if (defined !== null)
        return this.expression(defined, { within: [...scope.within, name], macro: null, at: span });
      this.#error(span, `${name} is defined, but not as an expression`);
    }
    const macro = this.#macros.get(name);
    if (macro !== undefined) return this.#asValue(macro, this.#body(macro, [], scope, span), span);
    // bpftrace's own library spells its builtins so.
    const plain = name.replace(/^__builtin_/, '');
    return { kind: 'identifier', name: builtins.has(plain) ? plain : name, span };
  }

  #call(call: Extract<Expression, { kind: 'call' }>, scope: Scope, span: Span): Expression {
    const macro = this.#macros.get(call.function);
    if (macro !== undefined)
      return this.#asValue(macro, this.#body(macro, call.arguments, scope, span), span);
    const [first, size] = call.arguments;
    if (call.function === 'str' && first !== undefined) {
      const text = positionalText(this.#parameters, first);
      const length = size === undefined ? undefined : this.expression(size, scope);
      if (text !== undefined && (length === undefined || length.kind === 'integer'))
        return {
          kind: 'string',
          value: length === undefined ? text : text.slice(0, Number(length.value)),
          span,
        };
    }
    const given = call.arguments.map((each) => this.expression(each, scope));
    if (call.function === 'getopt') {
      const value = namedValue(this.#parameters, this.#asked, given, span);
      if ('kind' in value) return value;
      this.#report(value);
      return { kind: 'integer', value: 0n, span };
    }
    const alias = this.#defines.get(call.function);
    const name = alias?.kind === 'identifier' ? alias.name : call.function;
    if (given.length === 0 && (builtins.has(name) || /^arg[0-9]+$/.test(name)))
      return { kind: 'identifier', name, span };
    return { ...call, function: name, arguments: given, nameSpan: scope.at ?? call.nameSpan, span };
  }

  /** What a call of a macro stands for, its names and parameters put in. */
  #body(macro: Macro, given: Expression[], scope: Scope, span: Span): Block {
    const empty: Block = { statements: [], value: { kind: 'integer', value: 0n, span }, span };
    const wrong = (message: string, at: Span = span) => {
      this.#error(at, message);
      return empty;
    };
    if (scope.within.includes(macro.name))
      return wrong(`the macro '${macro.name}' calls itself: ${[...scope.within, macro.name].join(' > ')}`);
    if (given.length !== macro.parameters.length)
      return wrong(`the macro '${macro.name}' takes ${count(macro.parameters.length)}, not ${given.length}`);
    const inner: NonNullable<Scope['macro']> = {
      name: macro.name,
      number: ++this.#number,
      variables: new Map(),
      maps: new Map(),
      expressions: new Map(),
    };
    for (const [index, parameter] of macro.parameters.entries()) {
      const argument = given[index];
      if (argument === undefined) continue;
      if (parameter.kind === 'expression')
        inner.expressions.set(parameter.name, { expression: argument, scope });
      else if (parameter.kind === 'variable') {
        if (argument.kind !== 'variable')
          return wrong(`the macro '${macro.name}' expects a variable as ${parameter.name}`, argument.span);
        inner.variables.set(parameter.name, this.#variable(argument.name, scope));
      } else {
        if (argument.kind !== 'map' || argument.key !== null)
          return wrong(
            `the macro '${macro.name}' expects a map without keys as ${parameter.name}`,
            argument.span,
          );
        inner.maps.set(parameter.name, this.#map(argument.name, scope, argument.span));
      }
    }
    return this.#block(macro.body, { within: [...scope.within, macro.name], macro: inner, at: scope.at });
  }

  #asValue(macro: Macro, body: Block, span: Span): Expression {
    if (body.value !== null && body.statements.length === 0) return body.value;
    if (body.value === null)
      this.#error(
        span,
        `the macro '${macro.name}' has no value`,
        'its value is the last expression of its body, without a semicolon',
      );
    return { kind: 'block', body, span };
  }

  #block(block: Block, scope: Scope): Block {
    return {
      statements: block.statements.map((each) => this.#statement(each, scope)),
      value: block.value === null ? null : this.expression(block.value, scope),
      span: scope.at ?? block.span,
    };
  }

  #statement(statement: Statement, scope: Scope): Statement {
    if (++this.#nodes > maximumNodes)
      this.#exhausted(statement.span, `macros make this program larger than ${maximumNodes} parts`);
    const span = scope.at ?? statement.span;
    const read = (each: Expression) => this.expression(each, scope);
    switch (statement.kind) {
      case 'expression':
        return this.#expressionStatement(statement.expression, scope, span);
      case 'let':
        return {
          kind: 'let',
          name: this.#declared(statement.name, scope, span),
          type: statement.type === null ? null : this.#type(statement.type, scope),
          value: statement.value === null ? null : read(statement.value),
          span,
        };
      case 'discard':
        return { kind: 'discard', value: read(statement.value), span };
      case 'assign':
        return {
          ...statement,
          target: this.#target(statement.target, scope),
          value: read(statement.value),
          span,
        };
      case 'if': {
        const condition = read(statement.condition);
        const then = this.#block(statement.then, scope);
        const otherwise = statement.otherwise === null ? null : this.#block(statement.otherwise, scope);
        return { kind: 'if', condition, then, otherwise, span };
      }
      case 'while':
        return {
          kind: 'while',
          condition: read(statement.condition),
          body: this.#block(statement.body, scope),
          span,
        };
      case 'unroll':
        return {
          kind: 'unroll',
          times: read(statement.times),
          body: this.#block(statement.body, scope),
          span,
        };
      case 'forMap':
        return {
          kind: 'forMap',
          variable: this.#variable(statement.variable, scope),
          map: this.#map(statement.map, scope, span),
          body: this.#block(statement.body, scope),
          span,
        };
      case 'forRange':
        return {
          kind: 'forRange',
          variable: this.#variable(statement.variable, scope),
          from: read(statement.from),
          to: read(statement.to),
          body: this.#block(statement.body, scope),
          span,
        };
      case 'block':
        return { kind: 'block', body: this.#block(statement.body, scope), span };
      case 'break':
      case 'continue':
        return { kind: statement.kind, span };
      case 'return':
        return { kind: 'return', value: statement.value === null ? null : read(statement.value), span };
    }
  }

  /** A macro without a value may stand where only its statements matter. */
  #expressionStatement(expression: Expression, scope: Scope, span: Span): Statement {
    const name =
      expression.kind === 'call'
        ? expression.function
        : expression.kind === 'identifier'
          ? expression.name
          : '';
    const macro = scope.macro?.expressions.has(name) ? undefined : this.#macros.get(name);
    if (macro === undefined)
      return { kind: 'expression', expression: this.expression(expression, scope), span };
    const body = this.#body(macro, expression.kind === 'call' ? expression.arguments : [], scope, span);
    if (body.value === null) return { kind: 'block', body, span };
    return { kind: 'expression', expression: this.#asValue(macro, body, span), span };
  }

  #target(target: Assignable, scope: Scope): Assignable {
    const read = this.expression(target, scope);
    // What is assignable stays of its kind: only identifiers and calls become something else.
    return read as Assignable;
  }

  #type(type: TypeName, scope: Scope): TypeName {
    return type.of === undefined ? type : { ...type, of: this.expression(type.of, scope) };
  }

  /** A macro's own variables are no one else's. */
  #variable(name: string, { macro }: Scope): string {
    return macro === null ? name : (macro.variables.get(name) ?? `${name}?${macro.number}`);
  }

  #declared(name: string, scope: Scope, span: Span): string {
    if (scope.macro?.variables.has(name))
      this.#error(
        span,
        `${name} is a parameter of the macro '${scope.macro.name}' and can't be declared again`,
      );
    return this.#variable(name, scope);
  }

  #map(name: string, { macro }: Scope, span: Span): string {
    const map = macro === null ? name : macro.maps.get(name);
    if (map !== undefined) return map;
    this.#error(
      span,
      `the macro '${macro?.name}' uses ${name}, which is not its own`,
      'a map must be a parameter of the macro',
    );
    return name;
  }

  #error(span: Span, message: string, hint?: string): void {
    this.#report({ severity: 'error', span, message, ...(hint === undefined ? {} : { hint }) });
  }

  #report(diagnostic: Diagnostic): void {
    this.diagnostics.push(diagnostic);
    if (this.diagnostics.length >= maximumDiagnostics) throw new Exhausted();
  }

  #exhausted(span: Span, message: string): never {
    this.#error(span, message);
    throw new Exhausted();
  }
}

function count(parameters: number): string {
  return parameters === 1 ? 'one argument' : `${parameters === 0 ? 'no' : parameters} arguments`;
}
