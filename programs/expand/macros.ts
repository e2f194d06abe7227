// What a macro stands for where it is used. Neighbours: programs/expand/expressions.ts, statements.ts, expansion.ts (the names of its own).

import type { Block, Expression, Macro } from '../ast.ts';
import type { Span } from '../source.ts';
import type { Expansion, Scope } from './expansion.ts';
import { expandBlock } from './statements.ts';

/** What a call of a macro stands for, its names and parameters put in. */
export function macroBody(
  expansion: Expansion,
  macro: Macro,
  given: Expression[],
  scope: Scope,
  span: Span,
): Block {
  const empty: Block = { statements: [], value: { kind: 'integer', value: 0n, span }, span };
  const wrong = (message: string, at: Span = span) => {
    expansion.error(at, message);
    return empty;
  };
  if (scope.within.includes(macro.name))
    return wrong(`the macro '${macro.name}' calls itself: ${[...scope.within, macro.name].join(' > ')}`);
  if (given.length !== macro.parameters.length)
    return wrong(`the macro '${macro.name}' takes ${count(macro.parameters.length)}, not ${given.length}`);
  const inner: NonNullable<Scope['macro']> = {
    name: macro.name,
    number: expansion.nextUse(),
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
      inner.variables.set(parameter.name, expansion.variable(argument.name, scope));
    } else {
      if (argument.kind !== 'map' || argument.key !== null)
        return wrong(
          `the macro '${macro.name}' expects a map without keys as ${parameter.name}`,
          argument.span,
        );
      inner.maps.set(parameter.name, expansion.map(argument.name, scope, argument.span));
    }
  }
  return expandBlock(expansion, macro.body, {
    within: [...scope.within, macro.name],
    macro: inner,
    at: scope.at,
  });
}

export function macroValue(expansion: Expansion, macro: Macro, body: Block, span: Span): Expression {
  if (body.value !== null && body.statements.length === 0) return body.value;
  if (body.value === null)
    expansion.error(
      span,
      `the macro '${macro.name}' has no value`,
      'its value is the last expression of its body, without a semicolon',
    );
  return { kind: 'block', body, span };
}

function count(parameters: number): string {
  return parameters === 1 ? 'one argument' : `${parameters === 0 ? 'no' : parameters} arguments`;
}
