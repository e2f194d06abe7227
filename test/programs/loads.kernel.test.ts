// Every program that the tests know is taken by this kernel's verifier: those that the checker's tests accept, and those of language.kernel.test.ts.
// Runs in the guests of test/kernels too: what is generated depends on the kernel.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { objectPath } from '../../agent/objects.ts';
import { NativeError } from '../../native/errors.ts';
import { native } from '../../native/index.ts';
import type { Compiled } from '../../programs/compiled.ts';
import { compileHere } from '../support/program.ts';

const accepted = await readFile(
  join(import.meta.dirname, '../../programs/check/testdata/accepted.bt.txt'),
  'utf8',
);
const language = await readFile(join(import.meta.dirname, 'testdata/language.txt'), 'utf8');

const sources = [
  ...accepted.split('\n').filter(Boolean),
  ...language
    .split(/^=== /m)
    .slice(1)
    .map((sample) => sample.split(/^---\n/m)[1] ?? ''),
];

function load(compiled: Compiled): void {
  const object = native.openLinked([objectPath('program'), compiled.object]);
  try {
    for (const program of new Set(compiled.probes.map((probe) => probe.program)))
      object.setAutoload(program, true);
    // Room that nobody uses here.
    for (const map of ['events', 'stacks', 'stack_owners']) object.setMaxEntries(map, 4096);
    object.load();
  } finally {
    object.close();
  }
}

test('the verifier takes the whole language in one script', async () => {
  const result = compileHere(await readFile(join(import.meta.dirname, 'testdata/everything.bt'), 'utf8'));
  assert.deepEqual('compiled' in result ? [] : result.diagnostics, []);
  if ('compiled' in result) load(result.compiled);
});

const emulated = process.env.SONDE_GUEST !== undefined;

// Each load reads the kernel's types: all of them together take minutes where that is emulated.
if (!emulated)
  test('the verifier takes each program that the tests know', () => {
    const refused: string[] = [];
    let loaded = 0;
    for (const source of sources) {
      // Most are about the language, not about the place.
      const here =
        native.supports('kprobe/vfs_read') === null ? source : source.replaceAll('kprobe:vfs_read', 'begin');
      const result = compileHere(here);
      if (!('compiled' in result)) continue; // not for this kernel: it says so
      try {
        load(result.compiled);
        loaded++;
      } catch (error) {
        if (!(error instanceof NativeError)) throw error;
        if (error.code !== 'NotSupported') refused.push(`${here}\n    ${error.message}`);
      }
    }
    assert.deepEqual(refused, []);
    assert.ok(loaded > 60, `only ${loaded} programs were loaded`);
  });
