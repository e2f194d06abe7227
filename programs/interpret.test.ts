// The interpreter: arithmetic at its edges, memory that is nobody's, maps.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate, extended, holds, swapped } from './evaluate.ts';
import { Machine } from './interpret.ts';
import type { BinaryOperation } from './ir.ts';
import { parseModule } from './ir-parse.ts';

const least = 2n ** 63n;
const minus = (value: bigint) => BigInt.asUintN(64, -value);

test('division by zero is zero, the remainder by it the dividend; signs are those of C', () => {
  const cases: [BinaryOperation, bigint, bigint, bigint][] = [
    ['udiv', 7n, 0n, 0n],
    ['sdiv', minus(7n), 0n, 0n],
    ['umod', 7n, 0n, 7n],
    ['smod', minus(7n), 0n, minus(7n)],
    ['sdiv', minus(7n), 2n, minus(3n)],
    ['smod', minus(7n), 2n, minus(1n)],
    ['smod', 7n, minus(2n), 1n],
    ['sdiv', least, minus(1n), least],
    ['smod', least, minus(1n), 0n],
    ['udiv', minus(1n), 2n, least - 1n],
    ['shl', 1n, 65n, 2n],
    ['sar', minus(8n), 1n, minus(4n)],
    ['shr', minus(1n), 63n, 1n],
  ];
  for (const [operation, left, right, result] of cases)
    assert.equal(evaluate(operation, left, right), result, `${operation} ${left} ${right}`);
  assert.equal(holds('slt', minus(1n), 0n), true);
  assert.equal(holds('lt', minus(1n), 0n), false);
  assert.equal(extended(0x80n, 8, true), minus(128n));
  assert.equal(swapped(0x11223344n, 16), 0x4433n);
});

test('maps are looked up, filled to their size, and emptied', () => {
  const machine = new Machine(
    parseModule(`
      map map_a: hash of 2 from u64 to u64
      function put(2) frames 8 8
      0:
        r0 = parameter 0
        r1 = parameter 1
        r2 = frame 0
        r3 = frame 1
        u64 [r2 + 0] = r0
        u64 [r3 + 0] = r1
        r4 = map map_a
        r5 = 0
        r6 = helper 2(r4, r2, r3, r5)
        return r6
      function get(1) frames 8
      0:
        r0 = parameter 0
        r1 = frame 0
        u64 [r1 + 0] = r0
        r2 = map map_a
        r3 = helper 1(r2, r1)
        if r3 == 0 goto 1 else 2
      1:
        return -1
      2:
        r4 = u64 [r3 + 0]
        return r4
      function remove(1) frames 8
      0:
        r0 = parameter 0
        r1 = frame 0
        u64 [r1 + 0] = r0
        r2 = map map_a
        r3 = helper 3(r2, r1)
        return r3`),
  );
  assert.equal(machine.call('get', 5n), minus(1n));
  assert.equal(machine.call('put', 5n, 50n), 0n);
  assert.equal(machine.call('put', 6n, 60n), 0n);
  assert.equal(machine.call('put', 7n, 70n), minus(7n), 'E2BIG');
  assert.equal(machine.call('put', 5n, 51n), 0n);
  assert.equal(machine.call('get', 5n), 51n);
  assert.equal(machine.call('remove', 5n), 0n);
  assert.equal(machine.call('remove', 5n), minus(2n), 'ENOENT');
});

test("memory that is nobody's and loops without end are refused", () => {
  const machine = new Machine(
    parseModule(`
      function far(0) frames 8
      0:
        r0 = frame 0
        r1 = u64 [r0 + 1]
        return r1
      function endless(0)
      0:
        goto 0`),
  );
  assert.throws(() => machine.call('far'), /nobody's memory/);
  assert.throws(() => machine.call('endless'), /10,000,000 steps/);
  assert.throws(() => machine.call('nothing'), /no function nothing/);
});
