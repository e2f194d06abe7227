// Every program is one that the language takes, and says in its first line which question it answers.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderDiagnostics } from '../../programs/diagnostics.ts';
import { expand } from '../../programs/expand.ts';
import { parse } from '../../programs/parse/parse.ts';

const files = globSync('*.bt', { cwd: import.meta.dirname }).sort();

test('there are at least twenty programs', () => {
  assert.ok(files.length >= 20, files.join(' '));
});

for (const file of files) {
  test(`${file} asks a question and is a program`, () => {
    const source = readFileSync(join(import.meta.dirname, file), 'utf8');
    assert.match(source, /^\/\/ [A-Z][^\n]*\?/);
    const parsed = parse(source);
    const expanded = expand(parsed.program, { positional: [], named: new Map() });
    const said = [...parsed.diagnostics, ...expanded.diagnostics];
    assert.equal(renderDiagnostics(said, source, file), '');
    assert.ok(expanded.program.probes.length > 0);
  });
}
