// What does not fit into eBPF is refused with its size, what is not assigned is zero, and large functions are compiled in a time that grows with their size.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseModule } from '../ir-parse.ts';
import { optimizeFunction } from '../optimize.ts';
import { compileFunction } from './assemble.ts';
import { disassemble } from './disassemble.ts';
import { EmitError } from './errors.ts';

function compiled(text: string): string[] {
  const [source] = parseModule(text).functions;
  assert.ok(source);
  return disassemble(compileFunction(source).bytes);
}

/** So many values of the context that all wait for a call. */
function waiting(count: number): string {
  const each = (line: (i: number) => string) => Array.from({ length: count }, (_, i) => line(i)).join('\n');
  return `program p "raw_tp"
    0:
      r0 = context
      ${each((i) => `r${i + 2} = u64 [r0 + ${8 * (i % 8)}]`)}
      r1 = helper 5()
      ${each((i) => `r1 = r1 + r${i + 2}`)}
      return r1`;
}

test('60 values that wait for a call lie on the stack, 80 are told to be too many', () => {
  const lines = compiled(waiting(60));
  const deepest = Math.max(...lines.map((line) => Number(/r10 - (\d+)/.exec(line)?.[1] ?? 0)));
  assert.ok(deepest > 400 && deepest <= 512, `${deepest} bytes of stack`);
  assert.throws(
    () => compiled(waiting(80)),
    (error: unknown) =>
      error instanceof EmitError && error.code === 'StackTooLarge' && /\d+ bytes/.test(error.message),
  );
});

test('what only one way assigns is zero on the other', () => {
  assert.deepEqual(
    compiled(`program p "raw_tp"
      0:
        r0 = helper 7()
        if r0 == 3 goto 1 else 2
      1:
        r1 = 9
        goto 2
      2:
        return r1`),
    ['0: r6 = 0', '1: call 7', '2: if r0 != 3 goto 4', '3: r6 = 9', '4: r0 = r6', '5: exit'],
  );
});

test('a jump over more than 32,767 instructions is told', () => {
  const body = Array.from({ length: 33000 }, () => '    u64 [r0 + 0] = 1').join('\n');
  assert.throws(
    () =>
      compiled(
        `program p "raw_tp" frames 8\n0:\n r0 = frame 0\n r1 = helper 7()\n if r1 == 0 goto 1 else 2\n1:\n${body}\n goto 2\n2:\n return r1`,
      ),
    (error: unknown) => error instanceof EmitError && error.code === 'FunctionTooLarge',
  );
});

test('1,000 unrolled steps are compiled in two seconds of CPU time', () => {
  const step = (i: number) => `${2 * i + 1}:
    r3 = helper 7()
    r4 = r1 + ${i}
    u64 [r2 + 0] = r4
    r5 = map m
    r${6 + i} = helper 1(r5, r2)
    if r${6 + i} != 0 goto ${2 * i + 2} else ${2 * i + 3}
  ${2 * i + 2}:
    u64 [r${6 + i} + 0] = r3
    goto ${2 * i + 3}`;
  const [source] = parseModule(`program p "raw_tp" frames 8
    0:
      r0 = context
      r1 = u64 [r0 + 0]
      r2 = frame 0
      goto 1
    ${Array.from({ length: 1000 }, (_, i) => step(i)).join('\n')}
    2001:
      return 0`).functions;
  assert.ok(source);
  const before = process.cpuUsage();
  assert.ok(compileFunction(optimizeFunction(source)).bytes.length > 8 * 8000);
  const { user } = process.cpuUsage(before);
  assert.ok(user < 2_000_000, `${user / 1000} ms`);
});
