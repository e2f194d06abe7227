// Statements: assignments teach types, blocks bound what variables mean, conditions that are known leave branches out.
// Neighbours: expression.ts, variables.ts, maps.ts, assignment of aggregates in aggregate.ts.

import type { Block, Expression, Statement } from '../ast.ts';
import { isAggregate, type Type } from '../types.ts';
import { assignAggregate } from './aggregate.ts';
import { namedType } from './cast.ts';
import { functions } from './functions.ts';
import { assignMap, entryOf, useKeyed, wholeMap, widen } from './maps.ts';
import { arithmetic, compound, unwritable } from './operators.ts';
import {
  condition,
  failed,
  isInteger,
  isTrue,
  nameOf,
  type Pass,
  report,
  tupleOf,
  valueType,
  warn,
} from './pass.ts';
import { typeText } from './type-text.ts';
import { int64, none, readAs, uint64, unify, unknown } from './unify.ts';
import { assignVariable, declare, declareNew, lookUp } from './variables.ts';

type Assign = Extract<Statement, { kind: 'assign' }>;

/** The type of its value, or none. */
export function block(pass: Pass, body: Block): Type {
  pass.scopes.push(new Map());
  for (const each of body.statements) statement(pass, each);
  const type = body.value === null ? none : pass.typeOf(body.value);
  pass.scopes.pop();
  return type;
}

function statement(pass: Pass, each: Statement): void {
  switch (each.kind) {
    case 'expression':
      pass.typeOf(each.expression);
      if (isPure(each.expression))
        warn(pass, each.span, 'nothing is done with this value', 'write _ = … to say that it is meant so');
      return;
    case 'discard':
      pass.typeOf(each.value);
      return;
    case 'let':
      letVariable(pass, each);
      return;
    case 'assign':
      assign(pass, each);
      return;
    case 'if':
      branch(pass, each);
      return;
    case 'while':
      condition(pass, each.condition);
      loop(pass, each.body);
      return;
    case 'unroll':
      unroll(pass, each);
      return;
    case 'forMap':
      forMap(pass, each);
      return;
    case 'forRange':
      forRange(pass, each);
      return;
    case 'block':
      block(pass, each.body);
      return;
    case 'break':
    case 'continue':
      if (pass.loops === 0) report(pass, each.span, `${each.kind} stands in a loop only`);
      return;
    case 'return':
      if (each.value !== null) valueType(pass, each.value);
      return;
  }
}

/** It has a value and does nothing else. */
function isPure(expression: Expression): boolean {
  switch (expression.kind) {
    case 'increment':
    case 'block':
    case 'ternary':
      return false;
    case 'identifier':
    case 'call': {
      const name = expression.kind === 'call' ? expression.function : expression.name;
      const fn = functions.get(name);
      if (fn === undefined) return true;
      return !['delete', 'find'].includes(name) && !fn.signatures.some(({ returns }) => returns === 'void');
    }
    default:
      return true;
  }
}

function letVariable(pass: Pass, each: Extract<Statement, { kind: 'let' }>): void {
  const { name, type: written, value, span } = each;
  const type = value === null ? null : valueType(pass, value);
  const named = written === null ? null : namedType(pass, written);
  // `string` and `int8[]` leave the size to what is assigned.
  const open = named === null || named.kind === 'unknown' || (named.kind === 'array' && named.length === 0);
  const sizeless =
    written !== null &&
    (written.name === 'string' || written.name === 'buffer') &&
    written.array.length === 0;
  const variable = declareNew(pass, each, name, open || (sizeless && type !== null) ? null : named, span);
  if (type === null) return;
  if (sizeless && named !== null && type.kind !== 'unknown' && type.kind !== named.kind)
    report(pass, span, `${name} is ${named.kind}, so ${typeText(type)} can not be assigned to it`);
  assignVariable(pass, variable, type, span);
}

function assign(pass: Pass, each: Assign): void {
  const { target, operator, value, span } = each;
  if (target.kind === 'variable') assignToVariable(pass, each, target);
  else if (target.kind === 'map') assignToMap(pass, each, target);
  else {
    unwritable(pass, target);
    if (operator !== '=' || value.kind !== 'call' || functions.get(value.function)?.aggregate !== true)
      pass.typeOf(value);
    else report(pass, span, `${nameOf(value)} can only be assigned to a map`);
  }
}

function assignToVariable(pass: Pass, each: Assign, target: Extract<Expression, { kind: 'variable' }>): void {
  const { operator, value, span } = each;
  const type = valueType(pass, value);
  const known = lookUp(pass, target.name);
  if (operator !== '=') {
    const before = pass.typeOf(target);
    if (known === undefined) return;
    const after = compound(pass, binaryOf(operator), before, type, span);
    // Of a fixed type it stays: the result is cut to it.
    if (!known.fixed && after.kind !== 'unknown') assignVariable(pass, known, after, span);
    pass.types.set(target, known.type);
    return;
  }
  const variable = known ?? declare(pass, each, target.name, null);
  pass.variables.set(target, variable);
  assignVariable(pass, variable, type, span);
  pass.types.set(target, variable.type);
}

function binaryOf(operator: Assign['operator']) {
  return operator.slice(0, -1) as '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>';
}

function assignToMap(pass: Pass, each: Assign, target: Extract<Expression, { kind: 'map' }>): void {
  const { operator, value, span } = each;
  const state = entryOf(pass, target);
  if (operator === '=' && assignAggregate(pass, state, value, span)) {
    pass.types.set(target, state.value);
    return;
  }
  const type = valueType(pass, value);
  if (operator === '=') {
    const from = value.kind === 'map' ? pass.env.maps.byName.get(value.name) : undefined;
    if (from !== undefined && isAggregate(from.value)) assignRead(pass, state, from, span);
    else assignMap(pass, state, type, span);
  } else {
    state.read = true;
    if (state.value.kind === 'pointer') arithmetic(pass, binaryOf(operator), state.value, type, span);
    else if (type.kind !== 'unknown' && !isInteger(type))
      report(pass, span, `'${operator}' is of integers, not of ${typeText(type)}`);
    else if (state.value.kind !== 'unknown' && state.value.kind !== 'integer')
      report(
        pass,
        span,
        `'${operator}' is of an integer, and ${state.name} holds ${typeText(state.value)}`,
        isAggregate(state.value) ? `${state.value.kind}() is assigned with =` : undefined,
      );
    else widen(pass, state, type, operator === '-=');
  }
  pass.types.set(target, state.value);
}

/** `@x = @y` where @y is an aggregate: its number, if @x holds integers anyway. */
function assignRead(
  pass: Pass,
  state: ReturnType<typeof entryOf>,
  from: ReturnType<typeof entryOf>,
  span: Statement['span'],
): void {
  if (state.value.kind === 'integer') {
    state.assigned = true;
    return;
  }
  if (readAs(from.value) === null) return;
  // Other assignments may stand further down.
  state.assigned = true;
  if (pass.final)
    report(
      pass,
      span,
      `what ${from.value.kind}() keeps in ${from.name} can not be assigned to ${state.name}`,
      `cast it to have its number: ${state.name} = (int64)${from.name}`,
    );
}

function branch(pass: Pass, each: Extract<Statement, { kind: 'if' }>): void {
  const constant = condition(pass, each.condition);
  if (constant === undefined) {
    // What asks for types waits until they are known: the branch that is not taken would teach wrong ones.
    if (
      !pass.final &&
      asksForTypes(each.condition) &&
      (pass.env.level === 0 || each.condition.kind === 'comptime')
    )
      return;
    block(pass, each.then);
    if (each.otherwise !== null) block(pass, each.otherwise);
    return;
  }
  const taken = isTrue(constant) ? each.then : each.otherwise;
  if (taken !== null) block(pass, taken);
}

function asksForTypes(expression: Expression): boolean {
  switch (expression.kind) {
    case 'call':
      return expression.function.startsWith('is_');
    case 'typeof':
    case 'sizeof':
      return true;
    case 'comptime':
    case 'unary':
    case 'field':
      return asksForTypes(expression.of);
    case 'binary':
      return asksForTypes(expression.left) || asksForTypes(expression.right);
    default:
      return false;
  }
}

function loop(pass: Pass, body: Block): void {
  pass.loops++;
  block(pass, body);
  pass.loops--;
}

function unroll(pass: Pass, each: Extract<Statement, { kind: 'unroll' }>): void {
  const type = valueType(pass, each.times);
  const times = pass.constants.get(each.times);
  if (type.kind !== 'unknown' && typeof times !== 'bigint')
    failed(
      pass,
      each.times.span,
      'how often to unroll must be known while compiling',
      'while and for take any number',
    );
  else if (typeof times === 'bigint' && (times < 1n || times > 100n))
    failed(
      pass,
      { start: each.span.start, end: Math.min(each.times.span.end + 1, each.body.span.start) },
      times < 1n ? 'unroll minimum value is 1' : 'unroll maximum value is 100',
    );
  block(pass, each.body);
}

function forMap(pass: Pass, each: Extract<Statement, { kind: 'forMap' }>): void {
  const state = wholeMap(pass, { kind: 'map', name: each.map, key: null, span: each.span });
  useKeyed(pass, state, true, each.span);
  state.read = true;
  const value = isAggregate(state.value) ? readAs(state.value) : state.value;
  if (value === null)
    report(
      pass,
      each.span,
      `what ${state.value.kind}() keeps can not be gone through`,
      `print(${each.map}) shows it`,
    );
  const element = tupleOf(pass, [state.key, value ?? unknown], each.span);
  loopOver(pass, each, element);
}

function forRange(pass: Pass, each: Extract<Statement, { kind: 'forRange' }>): void {
  const from = valueType(pass, each.from);
  const to = valueType(pass, each.to);
  for (const [type, expression] of [
    [from, each.from],
    [to, each.to],
  ] as const)
    if (!isInteger(type)) report(pass, expression.span, `a range is of integers, not of ${typeText(type)}`);
  const both = unify(from, to);
  loopOver(pass, each, both?.kind === 'integer' && !both.signed && both.bits === 64 ? uint64 : int64);
}

function loopOver(pass: Pass, each: Extract<Statement, { kind: 'forMap' | 'forRange' }>, type: Type): void {
  if (lookUp(pass, each.variable) !== undefined)
    report(
      pass,
      each.span,
      `${each.variable} is declared or assigned already`,
      'choose another name for the loop',
    );
  pass.scopes.push(new Map());
  const variable = declare(pass, each, each.variable, type);
  variable.assigned = true;
  loop(pass, each.body);
  pass.scopes.pop();
}
