// Blocks and statements with macros, defines and parameters put in. Neighbours: programs/expand/expressions.ts, macros.ts.

import type { Block, Expression, Statement } from '../ast.ts';
import type { Span } from '../source.ts';
import type { Expansion, Scope } from './expansion.ts';
import { expandExpression, expandTarget, expandType } from './expressions.ts';
import { macroBody, macroValue } from './macros.ts';

export function expandBlock(expansion: Expansion, block: Block, scope: Scope): Block {
  return {
    statements: block.statements.map((each) => expandStatement(expansion, each, scope)),
    value: block.value === null ? null : expandExpression(expansion, block.value, scope),
    span: scope.at ?? block.span,
  };
}

function expandStatement(expansion: Expansion, statement: Statement, scope: Scope): Statement {
  return expansion.make(statement.span, () => expandStatementParts(expansion, statement, scope));
}

function expandStatementParts(expansion: Expansion, statement: Statement, scope: Scope): Statement {
  const span = scope.at ?? statement.span;
  const read = (each: Expression) => expandExpression(expansion, each, scope);
  switch (statement.kind) {
    case 'expression':
      return expressionStatement(expansion, statement.expression, scope, span);
    case 'let':
      return {
        kind: 'let',
        name: declared(expansion, statement.name, scope, span),
        type: statement.type === null ? null : expandType(expansion, statement.type, scope),
        value: statement.value === null ? null : read(statement.value),
        span,
      };
    case 'discard':
      return { kind: 'discard', value: read(statement.value), span };
    case 'assign':
      return {
        ...statement,
        target: expandTarget(expansion, statement.target, scope),
        value: read(statement.value),
        span,
      };
    case 'if': {
      const condition = read(statement.condition);
      const then = expandBlock(expansion, statement.then, scope);
      const otherwise =
        statement.otherwise === null ? null : expandBlock(expansion, statement.otherwise, scope);
      return { kind: 'if', condition, then, otherwise, span };
    }
    case 'while':
      return {
        kind: 'while',
        condition: read(statement.condition),
        body: expandBlock(expansion, statement.body, scope),
        span,
      };
    case 'unroll':
      return {
        kind: 'unroll',
        times: read(statement.times),
        body: expandBlock(expansion, statement.body, scope),
        span,
      };
    case 'forMap':
      return {
        kind: 'forMap',
        variable: expansion.variable(statement.variable, scope),
        map: expansion.map(statement.map, scope, span),
        body: expandBlock(expansion, statement.body, scope),
        span,
      };
    case 'forRange':
      return {
        kind: 'forRange',
        variable: expansion.variable(statement.variable, scope),
        from: read(statement.from),
        to: read(statement.to),
        body: expandBlock(expansion, statement.body, scope),
        span,
      };
    case 'block':
      return { kind: 'block', body: expandBlock(expansion, statement.body, scope), span };
    case 'break':
    case 'continue':
      return { kind: statement.kind, span };
    case 'return':
      return { kind: 'return', value: statement.value === null ? null : read(statement.value), span };
  }
}

/** A macro without a value may stand where only its statements matter. */
function expressionStatement(
  expansion: Expansion,
  expression: Expression,
  scope: Scope,
  span: Span,
): Statement {
  const name =
    expression.kind === 'call'
      ? expression.function
      : expression.kind === 'identifier'
        ? expression.name
        : '';
  const macro = scope.macro?.expressions.has(name) ? undefined : expansion.macros.get(name);
  if (macro === undefined)
    return { kind: 'expression', expression: expandExpression(expansion, expression, scope), span };
  const body = macroBody(
    expansion,
    macro,
    expression.kind === 'call' ? expression.arguments : [],
    scope,
    span,
  );
  if (body.value === null) return { kind: 'block', body, span };
  return { kind: 'expression', expression: macroValue(expansion, macro, body, span), span };
}

function declared(expansion: Expansion, name: string, scope: Scope, span: Span): string {
  if (scope.macro?.variables.has(name))
    expansion.error(
      span,
      `${name} is a parameter of the macro '${scope.macro.name}' and can't be declared again`,
    );
  return expansion.variable(name, scope);
}
