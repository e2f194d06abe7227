// The language, feature by feature, in the kernel: programs whose output is known beforehand. Neighbours: test/support/program.ts, programs/lower/*.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram } from '../support/program.ts';

/** Each: a name, a line of `---`, a program, a line of `---`, what it prints. */
const text = await readFile(join(import.meta.dirname, 'testdata/language.txt'), 'utf8');

for (const sample of text.split(/^=== /m).slice(1)) {
  const [name = '', source = '', expected = ''] = sample.split(/^---\n/m);
  test(name.trim(), async () => {
    const { out, said } = await runProgram(source);
    assert.equal(said, '');
    assert.equal(lines(out), lines(expected));
  });
}

/** bpftrace puts empty lines around maps; they are not what is tested here. */
function lines(printed: string): string {
  return printed
    .split('\n')
    .filter((line) => line.trim() !== '')
    .join('\n');
}

test('by zero it is 1, and that is told once for each place', async () => {
  const { out, said } = await runProgram(
    'begin { $z = nsecs * 0; $y = 12; $y /= $z; @m = 7; @m %= $z; for ($i : 0..3) { print((9 / $z, $y)); } clear(@m); exit(); }',
  );
  assert.equal(lines(out), '(1, 1)\n(1, 1)\n(1, 1)');
  assert.deepEqual(
    said.match(/^stdin:1:[0-9]+-[0-9]+: WARNING: Divide or modulo by 0 detected\./gm)?.length,
    3,
    said,
  );
});
