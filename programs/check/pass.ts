// What is carried along while a body is gone through. A body is gone through several times until nothing new is learned, and once more, `final`, in
// which everything is said and kept. Neighbours: check.ts drives; expression.ts, statements.ts and their parts take a Pass.

import type { Block, Expression, Statement } from '../ast.ts';
import type { Kernel } from '../kernel.ts';
import type { Diagnostic, Span } from '../source.ts';
import { isAggregate, type Type } from '../types.ts';
import type { CheckedVariable, CheckOptions, Config, Constant } from './checked.ts';
import type { MapTable } from './maps.ts';
import type { Names } from './names.ts';
import type { Place } from './place.ts';
import type { Suggest } from './suggest.ts';
import { typeText } from './type-text.ts';
import { elementsIn, unknown } from './unify.ts';

export interface Environment {
  kernel: Kernel | null;
  options: CheckOptions;
  config: Config;
  /** Unstable features that the program does without. */
  refused: ReadonlySet<string>;
  names: Names;
  maps: MapTable;
  report(diagnostic: Diagnostic): void;
  suggest: Suggest;
  /**
   * How much is guessed. 0: results of operators wait for what is assigned plainly, so that `$a = $a + 1; $a = -1` is signed. 1: they count.
   * 2: what nothing plain is assigned to is what operators make of it.
   */
  level: 0 | 1 | 2;
  /** Something was learned: once more. */
  learned(): void;
}

export interface Variable extends CheckedVariable {
  /** By `let $a: type`: it is not widened. */
  fixed: boolean;
  assigned: boolean;
}

export interface Pass {
  env: Environment;
  place: Place;
  final: boolean;
  types: Map<Expression, Type>;
  constants: Map<Expression, Constant>;
  variables: Map<Expression | Statement, CheckedVariable>;
  /** Innermost last. */
  scopes: Map<string, Variable>[];
  /** What was learned of variables, by the node that declares each: kept from pass to pass. */
  declared: Map<object, Variable>;
  loops: number;
  /** Expressions that repeat themselves are nested: bodies within expressions. */
  typeOf(expression: Expression): Type;
  block(block: Block): Type;
}

/** A name near to a wrong one; said in the last pass only. */
export function near(pass: Pass, name: string, known: () => Iterable<string>): string | undefined {
  return pass.final ? pass.env.suggest(name, known) : undefined;
}

export function report(pass: Pass, span: Span, message: string, hint?: string): void {
  if (pass.final)
    pass.env.report({ severity: 'error', span, message, ...(hint === undefined ? {} : { hint }) });
}

export function warn(pass: Pass, span: Span, message: string, hint?: string): void {
  if (pass.final)
    pass.env.report({ severity: 'warning', span, message, ...(hint === undefined ? {} : { hint }) });
}

/** Says it and gives the type that is silent from then on. */
export function failed(pass: Pass, span: Span, message: string, hint?: string): Type {
  report(pass, span, message, hint);
  return unknown;
}

/** The type of what must have a value. */
export function valueType(pass: Pass, expression: Expression): Type {
  const type = pass.typeOf(expression);
  if (type.kind === 'none') return failed(pass, expression.span, `${nameOf(expression)} gives no value`);
  if (isAggregate(type))
    return failed(
      pass,
      expression.span,
      `${nameOf(expression)} can only be assigned to a map`,
      `write @x = ${nameOf(expression)}`,
    );
  return type;
}

/** For sentences: what an expression is called. */
export function nameOf(expression: Expression): string {
  switch (expression.kind) {
    case 'call':
      return `${expression.function}()`;
    case 'identifier':
    case 'variable':
    case 'map':
      return expression.name;
    case 'field':
      return `'${expression.name}'`;
    default:
      return 'this';
  }
}

/** Doubling a tuple thirty times is a line, and more than a machine holds. */
const elementsAtMost = 500;

export function tupleOf(pass: Pass, elements: Type[], span: Span): Type {
  const type: Type = { kind: 'tuple', elements };
  return elementsIn(type, elementsAtMost) > elementsAtMost
    ? failed(pass, span, `a tuple has at most ${elementsAtMost} elements, those of its tuples counted`)
    : type;
}

export function isInteger(type: Type): boolean {
  return type.kind === 'integer' || type.kind === 'boolean' || type.kind === 'unknown';
}

/** Checks that a condition is one. */
export function condition(pass: Pass, expression: Expression): Constant | undefined {
  const type = valueType(pass, expression);
  const constant = pass.constants.get(expression);
  const fits =
    isInteger(type) || type.kind === 'pointer' || (type.kind === 'string' && constant !== undefined);
  if (!fits)
    report(
      pass,
      expression.span,
      `${typeText(type)} is neither true nor false`,
      type.kind === 'string' ? 'compare it: … != ""' : undefined,
    );
  return constant;
}

export function isTrue(constant: Constant): boolean {
  if (typeof constant === 'boolean') return constant;
  if (typeof constant === 'bigint') return constant !== 0n;
  return true;
}
