// Scratch variables: where each is kept, and what is written to it. Numbers are in registers, all else in memory; so is what a loop's callback uses.

import type { Assignable, Expression } from '../ast.ts';
import type { CheckedVariable } from '../check/checked.ts';
import type { Register } from '../ir.ts';
import type { Span } from '../source.ts';
import type { Type } from '../types.ts';
import { convert } from './arithmetic.ts';
import type { Body } from './body.ts';
import { lowerInto, scalar, typeOf } from './expression.ts';
import { clear, valueAt, writeValue } from './memory.ts';
import { isScalar, type Place, type Value } from './place.ts';
import { CannotLower } from './shared.ts';

type Variable = Extract<Assignable, { kind: 'variable' }>;

function variableOf(body: Body, expression: Variable): CheckedVariable {
  const variable = body.probe.variables.get(expression);
  if (variable === undefined) throw new CannotLower(`${expression.name} is not known here`, expression.span);
  return variable;
}

/** Where a variable is; it gets a place when it is first written. */
export function placeOf(body: Body, variable: CheckedVariable, span: Span): Register | Place {
  const known = body.variables.get(variable);
  if (known !== undefined) return known;
  const where =
    isScalar(variable.type) && !body.captured.has(variable)
      ? body.f.register()
      : body.lasting(body.shared.sizeOf(variable.type), span);
  body.variables.set(variable, where);
  return where;
}

/** `$a = expression` */
export function assignVariable(body: Body, target: Variable, value: Expression): void {
  assignChecked(body, variableOf(body, target), value, target.span);
}

export function assignChecked(body: Body, variable: CheckedVariable, value: Expression, span: Span): void {
  const where = placeOf(body, variable, span);
  if (typeof where === 'number') {
    const register = scalar(body, value);
    body.f.move(where, convert(body, register, typeOf(body, value), variable.type));
    return;
  }
  lowerInto(body, value, where, variable.type);
}

/** A variable that is declared without a value. */
export function zeroVariable(body: Body, variable: CheckedVariable, span: Span): void {
  const where = placeOf(body, variable, span);
  if (typeof where === 'number') body.f.emit({ op: 'constant', to: where, value: 0n });
  else clear(body, where, Math.max(1, body.shared.sizeOf(variable.type)));
}

export function assignTo(body: Body, target: Variable, value: Value): void {
  const variable = variableOf(body, target);
  writeVariable(body, variable, value, target.span);
}

export function writeVariable(body: Body, variable: CheckedVariable, value: Value, span: Span): void {
  const where = placeOf(body, variable, span);
  if (typeof where === 'number') {
    if (value.kind === 'scalar') body.f.move(where, convert(body, value.register, value.type, variable.type));
    return;
  }
  writeValue(body, value, where, variable.type, span);
}

/** The number that a variable holds. */
export function readAssignable(body: Body, target: Variable): Register {
  const variable = variableOf(body, target);
  const where = body.variables.get(variable);
  if (where === undefined) throw new CannotLower(`${target.name} has no value here`, target.span);
  if (typeof where !== 'number') {
    const value = valueAt(body, where, variable.type, target.span);
    if (value.kind === 'scalar') return value.register;
    throw new CannotLower(`${target.name} is no number`, target.span);
  }
  const before = body.f.register();
  body.f.move(before, where);
  return before;
}

export function variableType(body: Body, target: Variable): Type {
  return variableOf(body, target).type;
}
