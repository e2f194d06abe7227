// Expressions with macros, defines and parameters put in. Neighbours: programs/expand/macros.ts, statements.ts (blocks), programs/parameters.ts.

import type { Assignable, Expression, TypeName } from '../ast.ts';
import { builtins } from '../check/builtins.ts';
import { namedValue, positionalText, positionalValue } from '../parameters.ts';
import type { Span } from '../source.ts';
import type { Expansion, Scope } from './expansion.ts';
import { macroBody, macroValue } from './macros.ts';
import { expandBlock } from './statements.ts';

export function expandExpression(expansion: Expansion, expression: Expression, scope: Scope): Expression {
  const span = scope.at ?? expression.span;
  return expansion.make(span, () => expandParts(expansion, expression, scope, span));
}

function expandParts(expansion: Expansion, expression: Expression, scope: Scope, span: Span): Expression {
  const read = (each: Expression) => expandExpression(expansion, each, scope);
  switch (expression.kind) {
    case 'integer':
    case 'boolean':
    case 'string':
      return { ...expression, span };
    case 'positional':
      return positionalValue(expansion.parameters, expression.index, span);
    case 'positionalCount':
      return { kind: 'integer', value: BigInt(expansion.parameters.positional.length), span };
    case 'variable':
      return { kind: 'variable', name: expansion.variable(expression.name, scope), span };
    case 'map':
      return {
        kind: 'map',
        name: expansion.map(expression.name, scope, span),
        key: expression.key?.map(read) ?? null,
        span,
      };
    case 'identifier':
      return expandIdentifier(expansion, expression.name, scope, span);
    case 'call':
      return expandCall(expansion, expression, scope, span);
    case 'field':
    case 'tupleElement':
    case 'dereference':
    case 'addressOf':
    case 'unary':
    case 'comptime':
      return { ...expression, of: read(expression.of), span };
    case 'increment':
      return { ...expression, of: expandTarget(expansion, expression.of, scope), span };
    case 'index':
      return { ...expression, of: read(expression.of), index: read(expression.index), span };
    case 'binary':
      return { ...expression, left: read(expression.left), right: read(expression.right), span };
    case 'ternary': {
      const [condition, then] = [read(expression.condition), read(expression.then)];
      return { kind: 'ternary', condition, then, otherwise: read(expression.otherwise), span };
    }
    case 'cast':
      return {
        kind: 'cast',
        type: expandType(expansion, expression.type, scope),
        of: read(expression.of),
        span,
      };
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
        type: expression.type === null ? null : expandType(expansion, expression.type, scope),
        of: expression.of === null ? null : read(expression.of),
        span,
      };
    case 'block':
      return { kind: 'block', body: expandBlock(expansion, expression.body, scope), span };
  }
}

function expandIdentifier(expansion: Expansion, name: string, scope: Scope, span: Span): Expression {
  const given = scope.macro?.expressions.get(name);
  if (given !== undefined) return expandExpression(expansion, given.expression, given.scope);
  const defined = expansion.defines.get(name);
  // As in C, a name within its own meaning is itself.
  if (defined !== undefined && !scope.within.includes(name)) {
    if (defined !== null)
      return expandExpression(expansion, defined, { within: [...scope.within, name], macro: null, at: span });
    expansion.error(span, `${name} is defined, but not as an expression`);
  }
  const macro = expansion.macros.get(name);
  if (macro !== undefined)
    return macroValue(expansion, macro, macroBody(expansion, macro, [], scope, span), span);
  // bpftrace's own library spells its builtins so.
  const plain = name.replace(/^__builtin_/, '');
  return { kind: 'identifier', name: builtins.has(plain) ? plain : name, span };
}

function expandCall(
  expansion: Expansion,
  call: Extract<Expression, { kind: 'call' }>,
  scope: Scope,
  span: Span,
): Expression {
  const macro = expansion.macros.get(call.function);
  if (macro !== undefined)
    return macroValue(expansion, macro, macroBody(expansion, macro, call.arguments, scope, span), span);
  const [first, size] = call.arguments;
  if (call.function === 'str' && first !== undefined) {
    const text = positionalText(expansion.parameters, first);
    const length = size === undefined ? undefined : expandExpression(expansion, size, scope);
    if (text !== undefined && (length === undefined || length.kind === 'integer'))
      return {
        kind: 'string',
        value: length === undefined ? text : text.slice(0, Number(length.value)),
        span,
      };
  }
  const given = call.arguments.map((each) => expandExpression(expansion, each, scope));
  if (call.function === 'getopt') {
    const value = namedValue(expansion.parameters, expansion.asked, given, span);
    if ('kind' in value) return value;
    expansion.report(value);
    return { kind: 'integer', value: 0n, span };
  }
  const alias = expansion.defines.get(call.function);
  const name = alias?.kind === 'identifier' ? alias.name : call.function;
  if (given.length === 0 && (builtins.has(name) || /^arg[0-9]+$/.test(name)))
    return { kind: 'identifier', name, span };
  return { ...call, function: name, arguments: given, nameSpan: scope.at ?? call.nameSpan, span };
}

export function expandTarget(expansion: Expansion, target: Assignable, scope: Scope): Assignable {
  const read = expandExpression(expansion, target, scope);
  // What is assignable stays of its kind: only identifiers and calls become something else.
  return read as Assignable;
}

export function expandType(expansion: Expansion, type: TypeName, scope: Scope): TypeName {
  return type.of === undefined ? type : { ...type, of: expandExpression(expansion, type.of, scope) };
}
