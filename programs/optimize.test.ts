// The optimizer: a program does what it did, in less. Its whole output on small modules: programs/emit/testdata.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { random, randomModule, randomNumber } from './emit/random-module.ts';
import { readBytes } from './evaluate.ts';
import { Machine } from './interpret.ts';
import type { IrModule } from './ir.ts';
import { parseModule } from './ir-parse.ts';
import { functionText } from './ir-text.ts';
import { optimize, optimizeFunction } from './optimize.ts';

function results(module: IrModule, seed: number): string[] {
  const next = random(seed);
  const machine = new Machine(module);
  return module.functions
    .filter(({ section }) => section !== null)
    .map(({ name }) => {
      const context = BigUint64Array.from({ length: 12 }, () => BigInt.asUintN(64, randomNumber(next)));
      const returned = machine.call(name, machine.allocate(new Uint8Array(context.buffer)));
      return `${name}: ${returned} ${readBytes(machine.bytes(machine.address('global', 'result'), 8))}`;
    });
}

test('300 random programs give the same results optimized, and are smaller', () => {
  let before = 0;
  let after = 0;
  const size = (module: IrModule) =>
    module.functions.flatMap((f) => f.blocks).reduce((sum, block) => sum + block.instructions.length, 0);
  for (let seed = 1; seed <= 60; seed++) {
    const module = randomModule(random(seed), 5);
    const smaller = optimize(module);
    assert.deepEqual(results(smaller, seed), results(module, seed), `seed ${seed}`);
    before += size(module);
    after += size(smaller);
  }
  assert.ok(after < before * 0.96, `${after} of ${before} instructions are left`);
});

function becomes(text: string, expected: string): void {
  const lines = (source: string) =>
    source
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean);
  const [source] = parseModule(`program p "raw_tp" frames 16\n${text}`).functions;
  assert.ok(source);
  assert.deepEqual(lines(functionText(optimizeFunction(source))).slice(1), lines(expected));
}

test('constants are computed, and what they decide is decided', () => {
  becomes(
    '0:\n r0 = 6\n r1 = r0 * 7\n r2 = r1 == 42\n if r2 != 0 goto 1 else 2\n1:\n return r1\n2:\n r3 = helper 5()\n return r3',
    '0:\n return 42',
  );
});

test('multiplying, dividing and the rest by powers of two are shifts and masks', () => {
  becomes(
    '0:\n r0 = helper 5()\n r1 = r0 * 8\n r2 = r0 / 1024\n r3 = r0 % 64\n r4 = r1 ^ r2\n r5 = r4 ^ r3\n return r5',
    '0:\n r0 = helper 5()\n r1 = r0 << 3\n r2 = r0 >> 10\n r3 = r0 & 63\n r4 = r1 ^ r2\n r5 = r4 ^ r3\n return r5',
  );
});

test('what a context holds is loaded once, what a call may change is loaded again', () => {
  becomes(
    `0:
      r0 = context
      r1 = frame 0
      r2 = u64 [r0 + 8]
      r3 = helper 16(r1, r2)
      r4 = u64 [r0 + 8]
      r5 = u64 [r1 + 0]
      r6 = helper 16(r1, r4)
      r7 = u64 [r1 + 0]
      r8 = r5 + r7
      return r8`,
    `0:
      r0 = context
      r1 = frame 0
      r2 = u64 [r0 + 8]
      r3 = helper 16(r1, r2)
      r5 = u64 [r1 + 0]
      r6 = helper 16(r1, r2)
      r7 = u64 [r1 + 0]
      r8 = r5 + r7
      return r8`,
  );
});

test('who asks twice for the current process is answered once, on every way', () => {
  becomes(
    `0:
      r0 = helper 14()
      r1 = r0 >> 32
      if r1 == 7 goto 1 else 2
    1:
      r2 = helper 5()
      goto 2
    2:
      r3 = helper 14()
      r4 = u32 r3
      return r4`,
    `0:
      r0 = helper 14()
      r4 = u32 r0
      return r4`,
  );
});

test('a variable that only one branch assigns is not taken for that everywhere', () => {
  becomes(
    `0:
      r0 = helper 7()
      if r0 == 0 goto 1 else 2
    1:
      r1 = 5
      goto 2
    2:
      return r1`,
    `0:
      r0 = helper 7()
      if r0 == 0 goto 1 else 2
    1:
      r1 = 5
      goto 2
    2:
      return r1`,
  );
});

test('what a branch has tested is not tested again', () => {
  becomes(
    `0:
      r0 = frame 0
      r1 = helper 1(r0, r0)
      r2 = r1
      if r1 == 0 goto 1 else 2
    1:
      r3 = helper 2(r0, r0)
      r2 = helper 1(r0, r0)
      goto 2
    2:
      if r2 != 0 goto 3 else 4
    3:
      u64 [r2 + 0] = 1
      goto 4
    4:
      return 0`,
    `0:
      r0 = frame 0
      r1 = helper 1(r0, r0)
      r2 = r1
      if r1 == 0 goto 1 else 3
    1:
      r3 = helper 2(r0, r0)
      r2 = helper 1(r0, r0)
      if r2 != 0 goto 3 else 2
    2:
      return 0
    3:
      u64 [r2 + 0] = 1
      return 0`,
  );
});

test('stores, calls and helpers that do something stay, though nobody reads what they give', () => {
  becomes(
    '0:\n r0 = frame 0\n u64 [r0 + 0] = 1\n r1 = helper 16(r0, r0)\n r2 = call f(r0)\n r3 = helper 5()\n return 0',
    '0:\n r0 = frame 0\n u64 [r0 + 0] = 1\n r1 = helper 16(r0, r0)\n r2 = call f(r0)\n return 0',
  );
});
