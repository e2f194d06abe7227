// Every example is run as it stands, on one machine, against a workload that does a little of everything; each shows what its first line promises.

import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { buildWorkload } from '../build/workload.ts';
import { workplace } from '../test/support/sonde.ts';
import { workload } from '../test/support/workload.ts';

const files = globSync('*.yaml', { cwd: import.meta.dirname }).sort();

/** What must be found in which file of the result, and of which of test/workloads if not the demo's: the example's own second line says it. */
const promise = /^# Tested(?: with (.+?))?: (\S+) has (.+)$/m;

let demo = '';
before(async () => {
  demo = await buildWorkload();
});

for (const file of files) {
  test(`${file} shows what it promises`, async () => {
    using place = workplace();
    const path = join(import.meta.dirname, file);
    const [, other, name, words] = promise.exec(await readFile(path, 'utf8')) ?? [];
    assert.ok(name && words, `say in ${file} what it must find: "# Tested: events.jsonl has …"`);
    const [program = '', ...rest] = other?.split(' ') ?? [];
    const command = other === undefined ? [demo, '2'] : [await workload(program), ...rest];
    const args = ['run', '-f', path, '-o', 'out', '--', ...command];
    const { code, stderr } = await place.run(args);
    assert.equal(code, 0, stderr);
    assert.match(await readFile(join(place.folder, 'out', name), 'utf8'), new RegExp(words));
    assert.match(await readFile(join(place.folder, 'out/report.html'), 'utf8'), /^<!doctype html>/i);
  });
}
