// Statements. Neighbours: loops.ts, assign.ts (variables), maps.ts and aggregates.ts (maps).

import type { Block, Expression, Statement } from '../ast.ts';
import type { Register } from '../ir.ts';
import { isAggregate } from '../types.ts';
import { aggregateInto } from './aggregates.ts';
import { condition, convert, incrementValue, movePointer, operate } from './arithmetic.ts';
import {
  assignChecked,
  assignVariable,
  readAssignable,
  variableType,
  writeVariable,
  zeroVariable,
} from './assign.ts';
import type { Body } from './body.ts';
import { keyOf } from './calls.ts';
import { constantOf, isTrue, lower, lowerInto, operand, scalar, typeOf } from './expression.ts';
import { forMap, forRange, whileLoop } from './loops.ts';
import { assignMap, changeMap, deleteKey, keyPlace } from './maps.ts';
import { warn } from './output.ts';
import { CannotLower } from './shared.ts';
import { numberConstant } from './text.ts';

type Of<K extends Statement['kind']> = Extract<Statement, { kind: K }>;

export function lowerBlock(body: Body, block: Block): void {
  lowerStatements(body, block.statements);
  const { value } = block;
  if (value !== null) body.statement(() => discard(body, value));
}

export function lowerStatements(body: Body, statements: readonly Statement[]): void {
  for (const statement of statements) {
    body.f.span = statement.span;
    body.statement(() => lowerStatement(body, statement));
  }
}

function lowerStatement(body: Body, statement: Statement): void {
  switch (statement.kind) {
    case 'expression': {
      discard(body, statement.expression);
      return;
    }
    case 'discard':
      lower(body, statement.value);
      return;
    case 'let': {
      declare(body, statement);
      return;
    }
    case 'assign': {
      assign(body, statement);
      return;
    }
    case 'if': {
      choose(body, statement);
      return;
    }
    case 'while': {
      whileLoop(body, statement);
      return;
    }
    case 'forMap': {
      forMap(body, statement);
      return;
    }
    case 'forRange': {
      forRange(body, statement);
      return;
    }
    case 'unroll': {
      const times = Number(numberConstant(body, statement.times) ?? 0n);
      for (let time = 0; time < times; time++) lowerBlock(body, statement.body);
      return;
    }
    case 'block': {
      lowerBlock(body, statement.body);
      return;
    }
    case 'break':
    case 'continue': {
      const loop = body.loops.at(-1);
      if (loop === undefined) throw new CannotLower(`${statement.kind} stands in no loop`, statement.span);
      loop[statement.kind]();
      return;
    }
    case 'return':
      if (statement.value !== null) lower(body, statement.value);
      {
        body.leave();
        return;
      }
  }
}

/** An expression whose value nobody looks at. */
function discard(body: Body, expression: Expression): void {
  if (expression.kind === 'increment') incrementValue(body, expression, false);
  else if (expression.kind === 'call' && expression.function === 'delete') deleteWarned(body, expression);
  else if (expression.kind === 'block') lowerBlock(body, expression.body);
  else if (constantOf(body, expression) === undefined) lower(body, expression);
}

/** delete() of a key that is not there is worth a warning where nobody asks. */
function deleteWarned(body: Body, call: Extract<Expression, { kind: 'call' }>): void {
  const [target, given] = call.arguments;
  if (target?.kind !== 'map') throw new CannotLower('delete() is of a map', call.span);
  const map = body.shared.map(target.name, target.span);
  const deleted = deleteKey(body, map, keyPlace(body, map, keyOf(target, given), call.span));
  body.f.when('eq', deleted, { value: 0n }, () =>
    warn(body, 'map_delete_elem', body.f.constant(noEntry), call.span),
  );
}

const noEntry = -2n;

function declare(body: Body, statement: Of<'let'>): void {
  const variable = body.probe.variables.get(statement);
  if (variable === undefined) return; // never assigned
  if (statement.value === null) zeroVariable(body, variable, statement.span);
  else assignChecked(body, variable, statement.value, statement.span);
}

function assign(body: Body, { target, operator, value, span }: Of<'assign'>): void {
  if (target.kind === 'map') {
    const map = body.shared.map(target.name, target.span);
    if (operator === '=') {
      if (isAggregate(map.value) && value.kind === 'call') {
        aggregateInto(body, target, value);
        return;
      }
      assignMap(body, target, (place, type) => lowerInto(body, value, place, type));
      return;
    }
    // The right side first: it may change the map too.
    const right = scalar(body, value);
    changeMap(body, target, (before, type) => operate(body, plain(operator), before, right, type, span));
    return;
  }
  if (target.kind !== 'variable') throw new CannotLower('only variables and maps can be assigned to', span);
  if (operator === '=') {
    assignVariable(body, target, value);
    return;
  }
  const type = variableType(body, target);
  let result: Register;
  if (type.kind === 'pointer' && (operator === '+=' || operator === '-='))
    result = movePointer(body, readAssignable(body, target), type, value, operator === '+=' ? '+' : '-');
  else {
    const right = operand(body, value);
    result = operate(body, plain(operator), readAssignable(body, target), right, type, span);
  }
  const variable = body.probe.variables.get(target);
  if (variable !== undefined)
    writeVariable(
      body,
      variable,
      { kind: 'scalar', register: convert(body, result, typeOf(body, target), type), type },
      span,
    );
}

type Plain = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>';

function plain(operator: string): Plain {
  return operator.slice(0, -1) as Plain;
}

function choose(body: Body, statement: Of<'if'>): void {
  const { f } = body;
  const known = constantOf(body, statement.condition);
  if (known !== undefined) {
    if (isTrue(known)) lowerBlock(body, statement.then);
    else if (statement.otherwise !== null) lowerBlock(body, statement.otherwise);
    return;
  }
  const [then, otherwise, after] = [f.block(), f.block(), f.block()];
  condition(body, statement.condition, then, statement.otherwise === null ? after : otherwise);
  f.goto(then);
  lowerBlock(body, statement.then);
  f.jump(after);
  f.goto(otherwise);
  if (statement.otherwise !== null) lowerBlock(body, statement.otherwise);
  f.jump(after);
  f.goto(after);
}
