// Maps: keys, lookups, assignments, `++`. Aggregates (count, hist …) are aggregates.ts. A full map is a loss, not an error.

import type { Expression } from '../ast.ts';
import type { CompiledMap } from '../compiled.ts';
import type { Register } from '../ir.ts';
import type { Span } from '../source.ts';
import { isAggregate, type Type } from '../types.ts';
import { operate } from './arithmetic.ts';
import type { Body } from './body.ts';
import { lowerInto } from './expression.ts';
import { helper } from './kernel-helpers.ts';
import { addressOf, baseOf, clear, isSigned, padded, widthOf, writeValue } from './memory.ts';
import { warn } from './output.ts';
import { beyond, isScalar, type Place, type Value } from './place.ts';
import { CannotLower } from './shared.ts';

export type MapExpression = Extract<Expression, { kind: 'map' }>;

/** Writes a key as the map has it, zeros in its gaps. */
export function keyPlace(body: Body, map: CompiledMap, key: readonly Expression[] | null, span: Span): Place {
  const { size } = map.map.key as { size: number };
  const place = body.temporary(size, span);
  let end = 0;
  if (map.byContainer) {
    const { base, offset } = baseOf(body, place);
    body.f.store(base, offset, 8, body.container);
    end = 8;
  }
  const fields = map.key ?? [];
  // One expression that gives a whole tuple: `@a[$tuple]`.
  const only = key?.length === 1 ? key[0] : undefined;
  if (fields.length > 1 && only !== undefined && only.kind !== 'tuple') {
    const start = fields[0]?.offset ?? 0;
    clear(body, beyond(place, end), start - end);
    lowerInto(body, only, beyond(place, start), { kind: 'tuple', elements: fields.map(({ type }) => type) });
    return place;
  }
  const parts = fields.length > 1 && only?.kind === 'tuple' ? only.elements : (key ?? []);
  for (const [index, field] of fields.entries()) {
    clear(body, beyond(place, end), field.offset - end);
    const part = parts[index];
    if (part === undefined) throw new CannotLower(`${map.name} needs a key of ${fields.length} parts`, span);
    lowerInto(body, part, beyond(place, field.offset), field.type);
    end = field.offset + body.shared.sizeOf(field.type);
  }
  clear(body, beyond(place, end), size - end);
  return place;
}

/** The address of a key's value; 0: there is none. */
export function lookup(body: Body, map: CompiledMap, key: Place): Register {
  return body.f.helper(helper.mapLookup, body.f.map(map.map.name), addressOf(body, key));
}

/** flags: 0 any, 1 only where there is none. Counts what has no room. */
export function update(body: Body, map: CompiledMap, key: Place, value: Register, flags = 0n): void {
  const { f } = body;
  const failed = f.helper(
    helper.mapUpdate,
    f.map(map.map.name),
    addressOf(body, key),
    value,
    f.constant(flags),
  );
  f.when('ne', failed, { value: 0n }, () => f.call('program_map_full', body.container));
}

/** `@a[1]` as a value; where there is none, zero. */
export function mapValue(body: Body, expression: MapExpression): Value {
  const map = body.shared.map(expression.name, expression.span);
  if (isAggregate(map.value)) {
    const register = mapNumber(body, expression);
    return {
      kind: 'scalar',
      register,
      type: { kind: 'integer', bits: 64, signed: signedAggregate(map.value) },
    };
  }
  return valueOrZero(body, map, keyPlace(body, map, expression.key, expression.span), expression.span);
}

function signedAggregate(type: Type): boolean {
  return 'signed' in type && type.signed;
}

/** With -k, that a key is not there is told: at the span. */
export function valueOrZero(body: Body, map: CompiledMap, key: Place, span?: Span): Value {
  const { f } = body;
  const type = map.value;
  const address = lookup(body, map, key);
  if (span !== undefined) warnMissing(body, address, span);
  if (isScalar(type)) {
    const result = f.constant(0n);
    f.when('ne', address, { value: 0n }, () =>
      f.move(result, f.load(address, 0, widthOf(body, type), isSigned(type))),
    );
    return { kind: 'scalar', register: result, type };
  }
  const found = f.register();
  f.move(found, address);
  f.when('eq', found, { value: 0n }, () =>
    f.move(found, f.data(padded(new Uint8Array(body.shared.sizeOf(type))))),
  );
  return { kind: 'located', location: { at: 'pointer', register: found, offset: 0 }, type, padded: true };
}

function warnMissing(body: Body, address: Register, span: Span): void {
  if (!body.shared.runtimeChecks) return;
  const { f } = body;
  f.when('eq', address, { value: 0n }, () => warn(body, 'map_lookup_elem', f.constant(0n), span));
}

/** An aggregate as the number that it stands for. */
export function mapNumber(body: Body, expression: MapExpression): Register {
  const map = body.shared.map(expression.name, expression.span);
  const key = keyPlace(body, map, expression.key, expression.span);
  const { f } = body;
  const address = lookup(body, map, key);
  warnMissing(body, address, expression.span);
  const result = f.constant(0n);
  f.when('ne', address, { value: 0n }, () =>
    f.move(result, aggregateNumber(body, map.value, address, expression.span)),
  );
  return result;
}

export function aggregateNumber(body: Body, type: Type, address: Register, span: Span): Register {
  const { f } = body;
  const first = f.load(address, 0, 8);
  if (type.kind === 'avg' || type.kind === 'stats')
    return f.binary(type.signed ? 'sdiv' : 'udiv', first, f.load(address, 8, 8));
  if (type.kind === 'hist' || type.kind === 'lhist' || type.kind === 'tseries')
    throw new CannotLower(`a ${type.kind} is no number`, span);
  return first;
}

/** `@a[1] = value` */
export function assignMap(
  body: Body,
  target: MapExpression,
  write: (place: Place, type: Type) => void,
): void {
  const map = body.shared.map(target.name, target.span);
  const value = body.temporary(body.shared.sizeOf(map.value), target.span);
  write(value, map.value);
  const key = keyPlace(body, map, target.key, target.span);
  update(body, map, key, addressOf(body, value));
}

/** `@a[1]++`, `@a += 2`: in place where the key is there. Gives the value before and after. */
export function changeMap(
  body: Body,
  target: MapExpression,
  change: (before: Register, type: Type) => Register,
): { before: Register; after: Register; type: Type } {
  const { f } = body;
  const map = body.shared.map(target.name, target.span);
  const type = map.value;
  const width = widthOf(body, type);
  const key = keyPlace(body, map, target.key, target.span);
  const before = f.constant(0n);
  const address = lookup(body, map, key);
  f.when('ne', address, { value: 0n }, () => f.move(before, f.load(address, 0, width, isSigned(type))));
  const after = change(before, type);
  f.choose(
    'ne',
    address,
    { value: 0n },
    () => f.store(address, 0, width, after),
    () => {
      const place = body.temporary(8, target.span);
      writeValue(body, { kind: 'scalar', register: after, type }, place, type, target.span);
      update(body, map, key, addressOf(body, place));
    },
  );
  return { before, after, type };
}

/** by: 1 or -1. Where nobody looks at the value, it is added without losing what another CPU adds. */
export function mapIncrement(
  body: Body,
  target: MapExpression,
  by: bigint,
  prefix: boolean,
  used: boolean,
): Value {
  const { f } = body;
  const map = body.shared.map(target.name, target.span);
  const type = map.value;
  const step = type.kind === 'pointer' ? by * BigInt(Math.max(1, body.shared.sizeOf(type.to))) : by;
  const width = widthOf(body, type);
  if (used || width < 4) {
    const change = changeMap(body, target, (before) =>
      operate(body, '+', before, { value: step }, type, target.span),
    );
    return { kind: 'scalar', register: prefix ? change.after : change.before, type };
  }
  const key = keyPlace(body, map, target.key, target.span);
  const address = lookup(body, map, key);
  f.choose(
    'ne',
    address,
    { value: 0n },
    () =>
      f.emit({
        op: 'atomicAdd',
        base: address,
        offset: 0,
        width: width === 4 ? 4 : 8,
        from: f.constant(step),
      }),
    () => {
      const place = body.temporary(8, target.span);
      const { base, offset } = baseOf(body, place);
      f.store(base, offset, 8, { value: step });
      update(body, map, key, addressOf(body, place));
    },
  );
  return { kind: 'none' };
}

/** delete(@a, key): whether there was one. */
export function deleteKey(body: Body, map: CompiledMap, key: Place): Register {
  const failed = body.f.helper(helper.mapDelete, body.f.map(map.map.name), addressOf(body, key));
  return body.f.compare('eq', failed, { value: 0n });
}
