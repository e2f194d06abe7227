// Every example is run as it stands, on one machine, against a workload that does a little of everything; each shows what its first line promises.

import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { buildWorkload } from '../build/workload.ts';
import { workplace } from '../test/support/sonde.ts';

const files = globSync('*.yaml', { cwd: import.meta.dirname }).sort();

/** What must be found in which file of the result. */
const promises: Record<string, [file: string, words: RegExp]> = {
  'cpu-profile.yaml': ['stacks.folded', /main;.*hash_order/],
  'off-cpu-profile.yaml': ['stacks.folded', /wait_for_orders/],
  'open-files.yaml': ['events.jsonl', /discounts\.json/],
  'process-exec.yaml': ['events.jsonl', /invoice sent/],
  'tcp-connections.yaml': ['events.jsonl', /127\.0\.0\.1/],
};

let workload = '';
before(async () => {
  workload = await buildWorkload();
});

for (const file of files) {
  test(`${file} shows what it promises`, async () => {
    using place = workplace();
    const promise = promises[file];
    assert.ok(promise, `say in this test what ${file} must find`);
    const args = ['run', '-f', join(import.meta.dirname, file), '-o', 'out', '--', workload, '2'];
    const { code, stderr } = await place.run(args);
    assert.equal(code, 0, stderr);
    const [name, words] = promise;
    assert.match(await readFile(join(place.folder, 'out', name), 'utf8'), words);
    assert.match(await readFile(join(place.folder, 'out/report.html'), 'utf8'), /^<!doctype html>/i);
  });
}
