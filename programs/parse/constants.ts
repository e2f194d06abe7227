// Integers that must be known while parsing: lengths of arrays, widths of bit fields, values of enums, conditions of #if. Pure.
// Neighbours: programs/parse/{types,declarations,directives}.ts. Other constants are the checker's.

import type { BinaryOperator, Expression } from '../ast.ts';

const operations: Record<BinaryOperator, (left: bigint, right: bigint) => bigint | undefined> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => (right === 0n ? undefined : left / right),
  '%': (left, right) => (right === 0n ? undefined : left % right),
  '&': (left, right) => left & right,
  '|': (left, right) => left | right,
  '^': (left, right) => left ^ right,
  '<<': (left, right) => (right < 0n || right > 63n ? undefined : left << right),
  '>>': (left, right) => (right < 0n || right > 63n ? undefined : left >> right),
  '==': (left, right) => truth(left === right),
  '!=': (left, right) => truth(left !== right),
  '<': (left, right) => truth(left < right),
  '<=': (left, right) => truth(left <= right),
  '>': (left, right) => truth(left > right),
  '>=': (left, right) => truth(left >= right),
  '&&': (left, right) => truth(left !== 0n && right !== 0n),
  '||': (left, right) => truth(left !== 0n || right !== 0n),
};

/** A name's value; `defined x`: whether there is one. */
type Names = Pick<ReadonlyMap<string, bigint | null>, 'get'>;

/** undefined: it is no constant, or not of 64 bits. */
export function constantValue(expression: Expression, names: Names): bigint | undefined {
  const value = evaluate(expression, names);
  return value !== undefined && value >= -(2n ** 63n) && value < 2n ** 64n ? value : undefined;
}

function evaluate(expression: Expression, names: Names): bigint | undefined {
  switch (expression.kind) {
    case 'integer':
      return expression.value;
    case 'boolean':
      return truth(expression.value);
    case 'identifier':
      return names.get(expression.name) ?? undefined;
    case 'call': {
      const [name, ...others] = expression.arguments;
      if (expression.function !== 'defined' || name?.kind !== 'identifier' || others.length > 0)
        return undefined;
      return names.get(`defined ${name.name}`) ?? undefined;
    }
    case 'unary': {
      const value = constantValue(expression.of, names);
      if (value === undefined) return undefined;
      return expression.operator === '-'
        ? -value
        : expression.operator === '~'
          ? ~value
          : truth(value === 0n);
    }
    case 'binary': {
      const left = constantValue(expression.left, names);
      const right = constantValue(expression.right, names);
      if (left === undefined || right === undefined) return undefined;
      return operations[expression.operator](left, right);
    }
    case 'ternary': {
      const condition = constantValue(expression.condition, names);
      if (condition === undefined) return undefined;
      return constantValue(condition === 0n ? expression.otherwise : expression.then, names);
    }
    default:
      return undefined;
  }
}

function truth(value: boolean): bigint {
  return value ? 1n : 0n;
}
