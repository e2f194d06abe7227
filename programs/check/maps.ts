// Maps: what their keys and values become by all uses in all probes. Neighbours: statements.ts assigns, expression.ts reads, calls/*.ts name whole maps.

import type { Expression, Program } from '../ast.ts';
import type { Diagnostic, Span } from '../source.ts';
import { isAggregate, type Type } from '../types.ts';
import type { CheckedMap, Config, MapKind } from './checked.ts';
import { failed, near, type Pass, report, tupleOf, valueType } from './pass.ts';
import type { Suggest } from './suggest.ts';
import { anyOf, typeText } from './type-text.ts';
import { type IntegerType, identical, int64, readAs, unify, unifyIntegers, unknown } from './unify.ts';

export type MapExpression = Extract<Expression, { kind: 'map' }>;

export interface MapState {
  name: string;
  /** undefined: not used yet in a way that tells. */
  keyed: boolean | undefined;
  key: Type;
  value: Type;
  /** What its aggregate is given. */
  argument: IntegerType | null;
  /** What `@x++` and the like make of it, where nothing else does. */
  weak: IntegerType | null;
  assigned: boolean;
  read: boolean;
  entries: number;
  declared: MapKind | null;
}

export interface MapTable {
  byName: Map<string, MapState>;
  config: Config;
}

const kinds: Record<string, MapKind> = {
  hash: 'hash',
  lruhash: 'lruHash',
  percpuhash: 'percpuHash',
  percpulruhash: 'lruPercpuHash',
};

export function makeMaps(
  program: Program,
  config: Config,
  suggest: Suggest,
): { maps: MapTable; diagnostics: Diagnostic[] } {
  const maps: MapTable = { byName: new Map(), config };
  const diagnostics: Diagnostic[] = [];
  for (const { name, type, entries, span } of program.maps) {
    const wrong = (message: string, hint?: string) =>
      diagnostics.push({ severity: 'error', span, message, ...(hint === undefined ? {} : { hint }) });
    const kind = kinds[type];
    if (kind === undefined) {
      const similar = suggest(type, () => Object.keys(kinds));
      wrong(
        `there is no kind of map '${type}'`,
        similar === undefined ? `kinds are ${anyOf(Object.keys(kinds))}` : `did you mean '${similar}'?`,
      );
    }
    if (!(entries >= 1 && entries <= 10_000_000)) wrong(`a map has from 1 to 10000000 keys, not ${entries}`);
    if (maps.byName.has(name)) wrong(`${name} is declared twice`);
    const state = stateOf(maps, name);
    state.declared = kind ?? null;
    state.entries = entries;
  }
  return { maps, diagnostics };
}

export function stateOf(maps: MapTable, name: string): MapState {
  let state = maps.byName.get(name);
  if (state === undefined) {
    state = {
      name,
      keyed: undefined,
      key: unknown,
      value: unknown,
      argument: null,
      weak: null,
      assigned: false,
      read: false,
      entries: maps.config.maxMapKeys,
      declared: null,
    };
    maps.byName.set(name, state);
  }
  return state;
}

/** `@x` or `@x[key]` where one value is meant: its keys' types are learned. */
export function entryOf(pass: Pass, map: MapExpression): MapState {
  const state = stateOf(pass.env.maps, map.name);
  useKeyed(pass, state, map.key !== null, map.span);
  if (map.key !== null) {
    const types = map.key.map((part) => valueType(pass, part));
    const [only = unknown] = types;
    learnKey(pass, state, types.length === 1 ? only : tupleOf(pass, types, map.span), map.span);
  }
  return state;
}

/** With a key, or without one: always the same. */
export function useKeyed(pass: Pass, state: MapState, keyed: boolean, span: Span): void {
  state.keyed ??= keyed;
  if (state.keyed === keyed) return;
  report(
    pass,
    span,
    keyed
      ? `${state.name} has no keys elsewhere in the program`
      : `${state.name} has keys elsewhere in the program, so it needs one here`,
  );
}

/** A key given as an argument: of has_key(), delete(), find(). */
export function useKey(pass: Pass, state: MapState, key: Expression): void {
  learnKey(pass, state, valueType(pass, key), key.span);
}

function learnKey(pass: Pass, state: MapState, type: Type, span: Span): void {
  const both = unify(state.key, type);
  if (both === null) {
    report(
      pass,
      span,
      `the key of ${state.name} is ${typeText(state.key)} elsewhere in the program, not ${typeText(type)}`,
    );
    return;
  }
  if (identical(both, state.key)) return;
  state.key = both;
  pass.env.learned();
}

/** A value that is read. */
export function readMap(pass: Pass, map: MapExpression): Type {
  const state = entryOf(pass, map);
  state.read = true;
  if (!isAssigned(pass, state)) return undefinedMap(pass, map.name, map.span);
  if (!isAggregate(state.value)) return state.value;
  return (
    readAs(state.value) ??
    failed(
      pass,
      map.span,
      `${state.value.kind}() has no single value that could be read`,
      `print(${map.name}) shows it all`,
    )
  );
}

/** In earlier passes an assignment may stand further down. */
function isAssigned(pass: Pass, state: MapState): boolean {
  return state.assigned || !pass.final;
}

export function undefinedMap(pass: Pass, name: string, span: Span): Type {
  const similar = near(pass, name, () =>
    [...pass.env.maps.byName.values()].filter((each) => each.assigned).map((each) => each.name),
  );
  return failed(
    pass,
    span,
    `nothing is ever assigned to ${name}`,
    similar === undefined ? undefined : `did you mean '${similar}'?`,
  );
}

/** A whole map by its name: of print(), clear(), for … */
export function wholeMap(pass: Pass, map: MapExpression): MapState {
  const state = stateOf(pass.env.maps, map.name);
  if (!isAssigned(pass, state)) undefinedMap(pass, map.name, map.span);
  return state;
}

export function assignMap(pass: Pass, state: MapState, type: Type, span: Span): void {
  state.assigned = true;
  const both = unify(state.value, type);
  if (both === null) {
    report(
      pass,
      span,
      `${state.name} holds ${typeText(state.value)} elsewhere in the program, so ${typeText(type)} can not be assigned to it`,
    );
    return;
  }
  if (identical(both, state.value)) return;
  state.value = both;
  pass.env.learned();
}

/** `@x = sum(n)`: what is summed must have a type that holds all of it. */
export function aggregate(
  pass: Pass,
  state: MapState,
  type: Type,
  argument: IntegerType | null,
  span: Span,
): void {
  state.assigned = true;
  if (argument !== null) {
    const both = state.argument === null ? argument : unifyIntegers(state.argument, argument);
    if (both === null)
      report(
        pass,
        span,
        `${state.name} is given ${typeText(state.argument ?? argument)} elsewhere in the program, so it can't be given ${typeText(argument)}`,
        'no type holds the values of both: cast one of them',
      );
    else if (state.argument === null || !identical(both, state.argument)) {
      state.argument = both;
      pass.env.learned();
    }
  }
  const signed = state.argument?.signed ?? false;
  const now: Type = 'signed' in type ? ({ ...type, signed } as Type) : type;
  const before = state.value;
  const same =
    before.kind === now.kind
      ? identical('signed' in before ? ({ ...before, signed } as Type) : before, now)
      : false;
  if (before.kind !== 'unknown' && !same) {
    report(
      pass,
      span,
      before.kind === now.kind
        ? `${state.name} has other parameters of ${now.kind}() elsewhere in the program`
        : `${state.name} holds ${typeText(before)} elsewhere in the program, so ${typeText(now)} can not be assigned to it`,
    );
    return;
  }
  if (identical(before, now)) return;
  state.value = now;
  pass.env.learned();
}

/** `@x += n`, `@x++`: wide enough for both, and never a quarrel about the sign. */
export function widen(pass: Pass, state: MapState, by: Type, signed: boolean): void {
  state.assigned = true;
  const step = by.kind === 'integer' ? by : int64;
  if (state.value.kind === 'unknown') {
    const guess: IntegerType = {
      kind: 'integer',
      bits: 64,
      signed: signed || step.signed || (state.weak?.signed ?? false),
    };
    state.weak = guess;
    if (pass.env.level < 2) return;
    state.value = guess;
    pass.env.learned();
    return;
  }
  if (state.value.kind !== 'integer' || pass.env.level === 0) return;
  const wide: Type = {
    ...state.value,
    bits: 64,
    signed: state.value.signed || (state.value.bits < 64 && step.signed),
  };
  if (identical(wide, state.value)) return;
  state.value = wide;
  pass.env.learned();
}

export function checkedMaps(maps: MapTable): Map<string, CheckedMap> {
  return new Map(
    Array.from(maps.byName.values(), (state) => [
      state.name,
      {
        name: state.name,
        key: state.keyed === true ? state.key : null,
        value: state.value,
        entries: state.entries,
        declared: state.declared,
        onlyAggregated: isAggregate(state.value) && !state.read,
      },
    ]),
  );
}
