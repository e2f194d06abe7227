// Programs as the intermediate form: a few as goldens (samples/, UPDATE_GOLDEN=1 writes them anew), all that the checker takes without a crash, and what
// each begins with, whatever its source says.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testKernel } from '../check/test-kernel.ts';
import { checkText } from '../check/try.ts';
import { compileFunction } from '../emit/assemble.ts';
import { moduleText } from '../ir-text.ts';
import { optimize } from '../optimize.ts';
import { type Lowered, lowerChecked } from './lower.ts';

const samples = join(import.meta.dirname, 'samples');
const accepted = readFileSync(join(import.meta.dirname, '../check/testdata/accepted.bt.txt'), 'utf8')
  .split('\n')
  .filter(Boolean);

function lowered(text: string): Lowered {
  const result = lowerChecked(checkText(text), testKernel(), { name: 'stdin', text });
  if ('lowered' in result) return result.lowered;
  throw new Error(`${text}: ${result.diagnostics.map(({ message }) => message).join('; ')}`);
}

for (const name of readdirSync(samples).filter((file) => file.endsWith('.bt')))
  test(`${name} becomes what it did before`, () => {
    const text = moduleText(lowered(readFileSync(join(samples, name), 'utf8')).module);
    const golden = join(samples, `${name.slice(0, -3)}.ir`);
    if (process.env.UPDATE_GOLDEN || !existsSync(golden)) writeFileSync(golden, text);
    assert.equal(text, readFileSync(golden, 'utf8'));
  });

/** Said by lowering, of programs that the checker takes: what is not there yet, or not on this kernel. */
const refused = /^(.*sw_tai|.*needs Linux|.*passed by value|this kernel tells no address|.*is not supported)/;

test('what the checker takes is lowered, or refused in words', () => {
  for (const source of accepted) {
    const checked = checkText(source);
    const result = lowerChecked(checked, testKernel(), { name: 'stdin', text: source });
    if ('lowered' in result) optimize(result.lowered.module).functions.map(compileFunction);
    else for (const { message } of result.diagnostics) assert.match(message, refused, source);
  }
});

/** Nobody's task runs them. */
const unscoped = /^(begin|end|self|interval|iter)_/;
const callInstruction = 0x85;

test('the first call of every program about a task is the scope test', () => {
  let programs = 0;
  for (const source of accepted) {
    const result = lowerChecked(checkText(source), testKernel(), { name: 'stdin', text: source });
    if (!('lowered' in result)) continue;
    for (const ir of optimize(result.lowered.module).functions) {
      if (ir.section === null || unscoped.test(ir.name)) continue;
      const { bytes, references } = compileFunction(ir);
      const first = bytes.findIndex((byte, at) => at % 8 === 0 && byte === callInstruction) / 8;
      const scope = references.find(({ reference }) => JSON.stringify(reference).includes('program_scope'));
      assert.equal(first, scope?.at, source);
      programs++;
    }
  }
  assert.ok(programs > 30);
});
