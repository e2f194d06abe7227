// Every example is a job that the schema takes as it stands. That each does what it says is examples.kernel.test.ts' to show.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadGadgets } from '../bpf/registry.ts';
import { readTraceJobs } from '../crds/read.ts';

const files = globSync('*.yaml', { cwd: import.meta.dirname }).sort();

test('there are at least five examples', () => {
  assert.ok(files.length >= 5, files.join(' '));
});

for (const file of files) {
  test(`${file} is a valid job and says in its first line what it is for`, async () => {
    const text = readFileSync(join(import.meta.dirname, file), 'utf8');
    assert.match(text, /^# [A-Z].*\?/);
    const documents = readTraceJobs(text, await loadGadgets());
    assert.deepEqual(
      documents.flatMap(({ problems }) => problems),
      [],
    );
    assert.equal(documents.length, 1);
  });
}
