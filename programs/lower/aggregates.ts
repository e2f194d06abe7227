// `@a = count()` and its like: what the kernel counts without user space. The value's layout: programs/layout.ts. A per-CPU value is written by this
// CPU alone; of a map that the program also reads there is one value, which all CPUs add to. Neighbour: maps.ts.

import type { Expression } from '../ast.ts';
import type { CompiledMap } from '../compiled.ts';
import type { Operand, Register } from '../ir.ts';
import { histBuckets, lhistSteps } from '../layout.ts';
import type { Aggregate } from '../types.ts';
import type { Body } from './body.ts';
import { scalar } from './expression.ts';
import { helper } from './kernel-helpers.ts';
import { keyPlace, lookup, type MapExpression, update } from './maps.ts';
import { addressOf, baseOf, padded } from './memory.ts';
import type { Place } from './place.ts';
import { CannotLower } from './shared.ts';

type Call = Extract<Expression, { kind: 'call' }>;

export function aggregateInto(body: Body, target: MapExpression, call: Call): void {
  const map = body.shared.map(target.name, target.span);
  const type = map.value as Aggregate;
  const first = call.arguments[0];
  const value = first === undefined ? body.f.constant(1n) : scalar(body, first);
  const key = keyPlace(body, map, target.key, target.span);
  switch (type.kind) {
    case 'count':
    case 'sum': {
      sum(body, map, key, value);
      return;
    }
    case 'min':
    case 'max': {
      existing(body, map, key, (address) => extreme(body, type.kind === 'min', type.signed, address, value));
      return;
    }
    case 'avg':
    case 'stats': {
      existing(body, map, key, (address) => {
        add(body, map, address, 0, value);
        add(body, map, address, 8, body.f.constant(1n));
      });
      return;
    }
    case 'hist': {
      existing(body, map, key, (address) => {
        const bucket = body.f.call('program_log2_bucket', value, body.f.constant(BigInt(type.bits)));
        countBucket(body, map, address, bucket, histBuckets(type.bits));
      });
      return;
    }
    case 'lhist': {
      existing(body, map, key, (address) =>
        countBucket(body, map, address, linearBucket(body, type, value), lhistSteps(type) + 2),
      );
      return;
    }
    case 'tseries': {
      existing(body, map, key, (address) => series(body, type, address, value));
      return;
    }
  }
}

function add(body: Body, map: CompiledMap, address: Register, offset: number, value: Register): void {
  const { f } = body;
  if (map.perCpu) f.store(address, offset, 8, f.binary('add', f.load(address, offset, 8), value));
  else f.emit({ op: 'atomicAdd', base: address, offset, width: 8, from: value });
}

/** One lookup where the key is there. */
function sum(body: Body, map: CompiledMap, key: Place, value: Register): void {
  const { f } = body;
  if (!map.perCpu) {
    existing(body, map, key, (address) => add(body, map, address, 0, value));
    return;
  }
  const address = lookup(body, map, key);
  f.choose(
    'ne',
    address,
    { value: 0n },
    () => add(body, map, address, 0, value),
    () => {
      const place = body.temporary(8, call0);
      const { base, offset } = baseOf(body, place);
      f.store(base, offset, 8, value);
      update(body, map, key, addressOf(body, place));
    },
  );
}

const call0 = { start: 0, end: 0 };

/** Does something with the key's value, which is made of zeros first where there is none. */
function existing(body: Body, map: CompiledMap, key: Place, then: (address: Register) => void): void {
  const { f } = body;
  const address = f.register();
  f.move(address, lookup(body, map, key));
  f.when('eq', address, { value: 0n }, () => {
    const zeros = f.data(padded(new Uint8Array(body.shared.sizeOf(map.value))));
    // Another CPU may have been first: only a key without a value has had no room.
    f.helper(helper.mapUpdate, f.map(map.map.name), addressOf(body, key), zeros, f.constant(1n));
    f.move(address, lookup(body, map, key));
    f.when('eq', address, { value: 0n }, () => f.call('program_map_full', body.container));
  });
  f.when('ne', address, { value: 0n }, () => then(address));
}

function extreme(body: Body, least: boolean, isSigned: boolean, address: Register, value: Register): void {
  const { f } = body;
  const [keep, write] = [f.block(), f.block()];
  const compared = f.block();
  f.branch('eq', f.load(address, 8, 8), { value: 0n }, write, compared);
  f.goto(compared);
  const signed = isSigned ? 's' : '';
  f.branch(`${signed}${least ? 'lt' : 'gt'}`, value, f.load(address, 0, 8), write, keep);
  f.goto(write);
  f.store(address, 0, 8, value);
  f.store(address, 8, 8, { value: 1n });
  f.jump(keep);
  f.goto(keep);
}

/** The bucket's number is known to the verifier only by the test. */
function countBucket(
  body: Body,
  map: CompiledMap,
  address: Register,
  bucket: Register,
  buckets: number,
): void {
  const { f } = body;
  f.when('lt', bucket, { value: BigInt(buckets) }, () => {
    const slot = f.binary('add', address, f.binary('shl', bucket, { value: 3n }));
    add(body, map, slot, 0, f.constant(1n));
  });
}

function linearBucket(body: Body, type: Aggregate & { kind: 'lhist' }, value: Register): Register {
  const { f } = body;
  const bucket = f.constant(0n);
  const bound = (number: bigint): Operand =>
    number >= -(1n << 31n) && number < 1n << 31n ? { value: number } : f.constant(number);
  f.when('sge', value, bound(type.min), () => {
    f.choose(
      'sge',
      value,
      bound(type.max),
      () => f.emit({ op: 'constant', to: bucket, value: BigInt(lhistSteps(type) + 1) }),
      () => {
        const above = f.binary('sub', value, bound(type.min));
        f.move(bucket, f.binary('add', f.binary('udiv', above, bound(type.step)), { value: 1n }));
      },
    );
  });
  return bucket;
}

/** The slot of this interval; what it held is of an older one, and goes. */
function series(body: Body, type: Aggregate & { kind: 'tseries' }, address: Register, value: Register): void {
  const { f } = body;
  if (type.intervals < 1) throw new CannotLower('a tseries has at least one interval', call0);
  const now = f.helper(helper.bootTime);
  const interval = f.binary('add', f.binary('udiv', now, f.constant(type.intervalNs)), { value: 1n });
  const index = f.binary('umod', interval, { value: BigInt(type.intervals) });
  // The verifier forgets what a remainder is bounded by.
  f.when('lt', index, { value: BigInt(type.intervals) }, () => {
    const slot = f.binary('add', address, f.binary('mul', index, { value: 24n }));
    const fresh = f.register();
    f.move(fresh, f.load(slot, 0, 8));
    f.when('ne', fresh, interval, () => {
      f.store(slot, 0, 8, interval);
      f.store(slot, 8, 8, { value: 0n });
      f.store(slot, 16, 8, { value: 0n });
    });
    const count = f.load(slot, 16, 8);
    const signed = type.signed ? 's' : '';
    if (type.fold === 'sum' || type.fold === 'avg')
      f.store(slot, 8, 8, f.binary('add', f.load(slot, 8, 8), value));
    else if (type.fold === 'none') f.store(slot, 8, 8, value);
    else {
      const [write, compared, after] = [f.block(), f.block(), f.block()];
      f.branch('eq', count, { value: 0n }, write, compared);
      f.goto(compared);
      f.branch(`${signed}${type.fold === 'min' ? 'lt' : 'gt'}`, value, f.load(slot, 8, 8), write, after);
      f.goto(write);
      f.store(slot, 8, 8, value);
      f.jump(after);
      f.goto(after);
    }
    f.store(slot, 16, 8, f.binary('add', count, { value: 1n }));
  });
}
