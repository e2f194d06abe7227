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
