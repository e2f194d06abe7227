// Programs by the line, in testdata/: accepted.bt.txt has nothing to be said of, refused.bt.txt has below each program what is said.
// UPDATE_GOLDEN=1 writes what is said anew. Neighbours: try.ts, test-kernel.ts, check.test.ts.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { errors } from './try.ts';

const folder = join(import.meta.dirname, 'testdata');

test('programs of the language as documented are accepted', () => {
  const lines = readFileSync(join(folder, 'accepted.bt.txt'), 'utf8').split('\n').filter(Boolean);
  assert.ok(lines.length > 80);
  for (const source of lines) assert.deepEqual(errors(source), [], source);
});

test('what is wrong is said at its place, with what to do', () => {
  const file = join(folder, 'refused.bt.txt');
  const text = readFileSync(file, 'utf8');
  const sources = text.split('\n').filter((line) => line !== '' && !line.startsWith('    '));
  const now = sources.map((source) => {
    const said = errors(source);
    assert.notDeepEqual(said, [], `nothing is said of ${source}`);
    return `${source}\n${said.map((each) => `    ${each.replaceAll('\n', ' ')}\n`).join('')}`;
  });
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, now.join(''));
  else assert.equal(now.join(''), text);
});
