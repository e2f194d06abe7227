// `@x = count()` and its kin: parameters of histograms and series must be known, and the map is theirs alone.
// Neighbours: aggregates.ts (the table), statements.ts, maps.ts.

import type { Expression } from '../ast.ts';
import type { Span } from '../source.ts';
import type { Aggregate } from '../types.ts';
import { type Call, checkArguments } from './call.ts';
import { functions } from './functions.ts';
import { aggregate, type MapState } from './maps.ts';
import { type Pass, report } from './pass.ts';
import { anyOf } from './type-text.ts';
import { integer } from './unify.ts';

/** Whether that is what the assignment is. */
export function assignAggregate(pass: Pass, state: MapState, value: Expression, span: Span): boolean {
  if (value.kind !== 'call') return false;
  const fn = functions.get(value.function);
  if (!fn?.aggregate) return false;
  const types = checkArguments(pass, fn, value);
  const type = types === null ? null : aggregateType(pass, value);
  state.assigned = true;
  if (types === null || type === null) return true;
  const [first] = types;
  const argument =
    first === undefined
      ? null
      : first.kind === 'integer'
        ? first
        : first.kind === 'boolean'
          ? integer(8)
          : null;
  if (state.declared !== null && !state.declared.toLowerCase().includes('percpu'))
    report(
      pass,
      span,
      `${state.name} is declared as ${state.declared.toLowerCase()}, and ${fn.name}() keeps a value per processor`,
      `declare it as ${state.declared === 'lruHash' ? 'percpulruhash' : 'percpuhash'}`,
    );
  aggregate(pass, state, type, argument, span);
  pass.types.set(value, state.value);
  return true;
}

function aggregateType(pass: Pass, call: Call): Aggregate | null {
  switch (call.function) {
    case 'count':
      return { kind: 'count' };
    case 'sum':
    case 'min':
    case 'max':
    case 'avg':
    case 'stats':
      return { kind: call.function, signed: false };
    case 'hist': {
      const bits = literal(pass, call, 1) ?? 0n;
      if (bits >= 0n && bits <= 5n) return { kind: 'hist', bits: Number(bits) };
      return wrong(pass, call, `the k of hist() is from 0 to 5, not ${bits}`);
    }
    case 'lhist':
      return linear(pass, call);
    default:
      return series(pass, call);
  }
}

function literal(pass: Pass, call: Call, index: number): bigint | undefined {
  const argument = call.arguments[index];
  const value = argument === undefined ? undefined : pass.constants.get(argument);
  return typeof value === 'bigint' ? value : undefined;
}

function wrong(pass: Pass, call: Call, message: string, hint?: string): null {
  report(pass, call.span, message, hint);
  return null;
}

function linear(pass: Pass, call: Call): Aggregate | null {
  const min = literal(pass, call, 1);
  const max = literal(pass, call, 2);
  const step = literal(pass, call, 3);
  if (min === undefined || max === undefined || step === undefined) return null;
  if (step < 1n) return wrong(pass, call, `the step of lhist() is at least 1, not ${step}`);
  if (max <= min) return wrong(pass, call, `the max of lhist() is above its min, not ${max}`);
  if (max > 2n ** 62n || min < -(2n ** 62n))
    return wrong(pass, call, 'the bounds of lhist() are within ±2^62');
  const buckets = (max - min + step - 1n) / step;
  if (buckets > 1000n)
    return wrong(
      pass,
      call,
      `lhist() has at most 1000 buckets, not ${buckets}`,
      `a step of ${(max - min) / 1000n + 1n} is enough`,
    );
  return { kind: 'lhist', min, max, step };
}

const folds = ['avg', 'max', 'min', 'sum'] as const;

function series(pass: Pass, call: Call): Aggregate | null {
  if (pass.env.refused.has('unstable_tseries'))
    return wrong(pass, call, 'tseries() is switched off by unstable_tseries');
  const intervalNs = literal(pass, call, 1);
  const intervals = literal(pass, call, 2);
  if (intervalNs === undefined || intervals === undefined) return null;
  if (intervalNs < 1n)
    return wrong(pass, call, `the interval of tseries() is at least 1 ns, not ${intervalNs}`);
  if (intervals < 1n || intervals > 1_000_000n)
    return wrong(pass, call, `tseries() has from 1 to 1000000 intervals, not ${intervals}`);
  const [, , , given] = call.arguments;
  const name = given === undefined ? 'none' : pass.constants.get(given);
  const fold = name === 'none' ? 'none' : folds.find((each) => each === name);
  if (fold === undefined) return wrong(pass, call, `the agg of tseries() is ${anyOf(folds)}, not '${name}'`);
  return { kind: 'tseries', intervalNs, intervals: Number(intervals), fold, signed: false };
}
