// Scratch variables: which one a name means in a block, and what it becomes by all that is assigned to it. Neighbours: statements.ts, expression.ts.

import type { Expression, Statement } from '../ast.ts';
import type { Span } from '../source.ts';
import type { Type } from '../types.ts';
import { failed, near, type Pass, report, type Variable } from './pass.ts';
import { typeText } from './type-text.ts';
import { identical, int64, unify, unknown } from './unify.ts';

export function lookUp(pass: Pass, name: string): Variable | undefined {
  for (let depth = pass.scopes.length - 1; depth >= 0; depth--) {
    const found = pass.scopes[depth]?.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A new variable of the innermost block. `node` is what declares it. */
export function declare(pass: Pass, node: Statement, name: string, fixed: Type | null): Variable {
  let variable = pass.declared.get(node);
  if (variable === undefined) {
    variable = { name, type: fixed ?? unknown, fixed: fixed !== null, assigned: false };
    pass.declared.set(node, variable);
  } else if (fixed !== null) variable.type = fixed;
  pass.scopes.at(-1)?.set(name, variable);
  pass.variables.set(node, variable);
  return variable;
}

/** `let $a`, which must be new. */
export function declareNew(
  pass: Pass,
  node: Statement,
  name: string,
  fixed: Type | null,
  span: Span,
): Variable {
  if (lookUp(pass, name) !== undefined)
    report(
      pass,
      span,
      `${name} is declared or assigned already`,
      `without let it is assigned; else choose another name`,
    );
  const variable = declare(pass, node, name, fixed);
  // Declared and never assigned: it is 0.
  if (pass.env.level === 2 && variable.type.kind === 'unknown' && !variable.assigned)
    learn(pass, variable, int64);
  return variable;
}

/** A variable's use in an expression. */
export function useVariable(pass: Pass, expression: Extract<Expression, { kind: 'variable' }>): Type {
  const variable = lookUp(pass, expression.name);
  if (variable === undefined) {
    if (!pass.final) return unknown;
    const similar = near(pass, expression.name, () => pass.scopes.flatMap((scope) => [...scope.keys()]));
    const elsewhere = Array.from(pass.declared.values()).some(({ name }) => name === expression.name);
    return failed(
      pass,
      expression.span,
      `${expression.name} has no value here`,
      elsewhere
        ? `what is assigned in a block is known in that block only; write let ${expression.name}; before it`
        : similar === undefined
          ? 'assign it first'
          : `did you mean '${similar}'?`,
    );
  }
  pass.variables.set(expression, variable);
  return variable.type;
}

/** What is assigned fits, or is said not to; the variable becomes wide enough. */
export function assignVariable(pass: Pass, variable: Variable, type: Type, span: Span): void {
  variable.assigned = true;
  const both = unify(variable.type, type);
  const fits = both !== null && (!variable.fixed || identical(both, unify(both, variable.type) ?? both));
  if (both === null || !fits || (variable.fixed && !sameRoom(both, variable.type))) {
    report(
      pass,
      span,
      `${variable.name} is ${typeText(variable.type)}, so ${typeText(type)} can not be assigned to it`,
      both === null && type.kind === 'integer' && variable.type.kind === 'integer'
        ? `no type holds the values of both; cast: (${typeText(variable.type)})`
        : undefined,
    );
    return;
  }
  // Of a pointer that was declared, what is assigned tells whose memory it leads to.
  if (!variable.fixed || both.kind === 'pointer') learn(pass, variable, both);
}

function sameRoom(both: Type, fixed: Type): boolean {
  if (both.kind === 'integer' && fixed.kind === 'integer')
    return both.bits === fixed.bits && both.signed === fixed.signed;
  if (both.kind === 'string' && fixed.kind === 'string') return both.size === fixed.size;
  return true;
}

export function learn(pass: Pass, variable: Variable, type: Type): void {
  if (identical(variable.type, type)) return;
  variable.type = type;
  pass.env.learned();
}
