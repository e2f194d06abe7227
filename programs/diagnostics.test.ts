// What is said about a program looks as bpftrace says it, whatever the program is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { placeOf, renderDiagnostics } from './diagnostics.ts';
import type { Diagnostic } from './source.ts';

/** About the first `what` of the source. */
function about(source: string, what: string, more: Partial<Diagnostic> = {}): Diagnostic {
  const start = source.indexOf(what);
  return { severity: 'error', span: { start, end: start + what.length }, message: 'no', ...more };
}

test('a place is a line and columns from 1, with tildes below what is meant and a hint after', () => {
  const source = 'BEGIN { histo(1) }\n';
  const said = about(source, 'histo', {
    message: "unknown function 'histo'",
    hint: "did you mean 'hist'?",
  });
  assert.equal(
    renderDiagnostics([said], source),
    [
      "stdin:1:9-14: ERROR: unknown function 'histo'",
      'BEGIN { histo(1) }',
      '        ~~~~~',
      "HINT: did you mean 'hist'?",
      '',
    ].join('\n'),
  );
});

test('errors come before warnings, and the place has the name that was given', () => {
  const source = 'BEGIN {\n  a;\n  b;\n}';
  const warning = about(source, 'a', { severity: 'warning', message: 'odd' });
  assert.equal(
    renderDiagnostics([warning, about(source, 'b')], source, 'x.bt'),
    'x.bt:3:3-4: ERROR: no\n  b;\n  ~\nx.bt:2:3-4: WARNING: odd\n  a;\n  ~\n',
  );
});

test('a tab is four blanks wide, and characters are counted as they are seen', () => {
  const source = 'BEGIN {\n\tprint("é𝒳",\tx);\n}';
  assert.equal(
    renderDiagnostics([about(source, 'x)', { message: 'x' })], source),
    'stdin:2:14-16: ERROR: x\n    print("é𝒳",    x);\n                   ~~\n',
  );
});

test('what reaches over lines is shown by its lines, the first ten of them', () => {
  const source = `BEGIN {\n${'  x;\n'.repeat(20)}}`;
  const shown = renderDiagnostics([about(source, source)], source).split('\n');
  assert.equal(shown[0], 'stdin:1-22: ERROR: no');
  assert.deepEqual([shown.length, shown.at(-2)], [13, '…']);
});

test('a variable of a macro is shown by the name it has there', () => {
  const shown = renderDiagnostics([about('a', 'a', { message: '$own?12 has no value' })], 'a');
  assert.match(shown, /: \$own has no value\n/);
});

test('the end of the source has a place', () => {
  assert.equal(
    renderDiagnostics([{ severity: 'error', span: { start: 5, end: 5 }, message: 'no' }], 'BEGIN'),
    'stdin:1:6-6: ERROR: no\nBEGIN\n     ~\n',
  );
  assert.deepEqual(placeOf('a\nbc', 4), { line: 2, column: 3 });
});

test('of an endless line what is around the place is shown', () => {
  const source = `${'a'.repeat(5_000)}!${'b'.repeat(5_000)}`;
  const [place, line = '', marks = ''] = renderDiagnostics([about(source, '!')], source).split('\n');
  assert.equal(place, 'stdin:1:5001-5002: ERROR: no');
  assert.equal(line.length, 400);
  assert.equal(line.indexOf('!'), marks.indexOf('~'));
});

test('nothing of a program can move a terminal, and anything can be shown', () => {
  const text = fc.string({ unit: 'binary', maxLength: 200 });
  fc.assert(
    fc.property(
      text,
      fc.integer({ min: -5, max: 250 }),
      fc.integer({ min: -5, max: 250 }),
      (source, start, end) => {
        const shown = renderDiagnostics(
          [{ severity: 'error', span: { start, end }, message: source }],
          source,
        );
        assert.match(shown, /^stdin:\d+[:-]\d+/);
        assert.doesNotMatch(shown, /[^\P{Cc}\n]/u);
      },
    ),
  );
});
