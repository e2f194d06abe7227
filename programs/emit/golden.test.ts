// The code of the small modules in testdata/, optimized, as text. UPDATE_GOLDEN=1 writes what is expected anew.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseModule } from '../ir-parse.ts';
import { functionText } from '../ir-text.ts';
import { optimize } from '../optimize.ts';
import { type Assembled, compileFunction } from './assemble.ts';
import { disassemble } from './disassemble.ts';

const folder = join(import.meta.dirname, 'testdata');

function listing({ bytes, references }: Assembled): string {
  const names = references.map(({ at, reference }): [number, string] => [
    at,
    reference.kind === 'data' ? 'data' : `${reference.kind} ${reference.name}`,
  ]);
  return disassemble(bytes, new Map(names)).join('\n');
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.ir'))) {
  test(`${file} becomes the code that is beside it`, () => {
    const module = optimize(parseModule(readFileSync(join(folder, file), 'utf8')));
    const made = module.functions
      .map((source) => `${functionText(source)}\n${listing(compileFunction(source))}\n`)
      .join('\n');
    const golden = join(folder, file.replace('.ir', '.txt'));
    if (process.env.UPDATE_GOLDEN) writeFileSync(golden, made);
    assert.equal(made, readFileSync(golden, 'utf8'));
  });
}
