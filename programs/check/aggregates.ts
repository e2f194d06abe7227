// The functions that a map is assigned from, and that keep their values in the kernel: a part of the table in functions.ts, see there.

import type { Fn, Parameter } from './words.ts';

const n: Parameter = { name: 'n', accepts: 'integer' };
const literal = (name: string): Parameter => ({ name, accepts: 'integer', literal: true });

function aggregate(name: string, parameters: readonly Parameter[], description: string): Fn {
  return {
    name,
    signatures: [{ parameters, returns: `${name}_t` }],
    description,
    invocation: 'sync',
    tenancy: 'pods',
    aggregate: true,
  };
}

export const aggregateFunctions: readonly Fn[] = [
  aggregate('avg', [n], 'The average of the values.'),
  aggregate('count', [], 'How often it was called.'),
  aggregate(
    'hist',
    [n, { ...literal('k'), optional: true }],
    'A histogram by powers of two, each in 2^k buckets (k from 0, the default, to 5).',
  ),
  aggregate(
    'lhist',
    [n, literal('min'), literal('max'), literal('step')],
    'A histogram of equal buckets from min to max; at most 1000.',
  ),
  aggregate('max', [n], 'The greatest of the values.'),
  aggregate('min', [n], 'The least of the values.'),
  aggregate('stats', [n], 'Count, average and total of the values.'),
  aggregate('sum', [n], 'The total of the values.'),
  aggregate(
    'tseries',
    [
      n,
      literal('interval_ns'),
      literal('num_intervals'),
      {
        name: 'agg',
        accepts: 'string',
        type: '"avg", "max", "min" or "sum"',
        literal: true,
        optional: true,
      },
    ],
    'A value over time: per interval the last, or what `agg` says of all.',
  ),
];
