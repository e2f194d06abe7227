// The intermediate form as text and back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { random, randomModule } from './emit/random-module.ts';
import { parseModule } from './ir-parse.ts';
import { moduleText } from './ir-text.ts';

const every = `map map_a: lruHash of 16 from u64 to struct pair 16 { 0 first: s64, 8 rest: [u8; 8] }

global seen: bytes 8

program p "tracepoint/sched/sched_switch" frames 8 16
0:
  r0 = context
  r1 = s32 [r0 - 8]
  r2 = -5
  r3 = r1
  r4 = -r3
  r5 = swap32 r4
  r6 = s16 r5
  r7 = r6 s% r2
  r8 = r7 s>= 3
  r9 = frame 1
  u32 [r9 + 4] = -1
  u8 [r9 + 8] = r8
  atomic u64 [r9 + 8] += r8
  r10 = map map_a
  r11 = helper 1(r10, r9)
  if r11 != 0 goto 1 else 2
1:
  r12 = data "a\\"\\u0000\\u00ff"
  r13 = global seen
  r14 = function f
  r15 = call f(r12, r13, r14)
  goto 2
2:
  return r8

function f(3)
0:
  r0 = parameter 2
  r1 = r0 s>> 1
  return 7
`;

test('every instruction is written as it is read', () => {
  assert.equal(moduleText(parseModule(every)), every);
});

test('random modules are what they were after they have been text', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const module = randomModule(random(seed), 3);
    assert.deepEqual(parseModule(moduleText(module)), module);
  }
});

test('a line that is not understood is shown', () => {
  assert.throws(() => parseModule('program p "raw_tp"\n0:\n  r0 = r1 ? 3'), /r0 = r1 \? 3/);
  assert.throws(() => parseModule('nonsense'), /nonsense/);
});
