// Samples and their trees (UPDATE_GOLDEN=1 rewrites *.txt), and what must hold for any text at all.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderDiagnostics } from '../diagnostics.ts';
import { expand } from '../expand.ts';
import { parse } from './parse.ts';
import { treeText } from './tree-text.ts';

const samples = join(import.meta.dirname, 'samples');

for (const file of readdirSync(samples).filter((each) => each.endsWith('.bt'))) {
  test(`${file} is read as its golden says`, () => {
    const source = readFileSync(join(samples, file), 'utf8');
    const { program, diagnostics } = parse(source);
    const text = `${renderDiagnostics(diagnostics, source)}${treeText(program)}`;
    const golden = join(samples, file.replace(/\.bt$/, '.txt'));
    if (process.env.UPDATE_GOLDEN) writeFileSync(golden, text);
    assert.equal(text, readFileSync(golden, 'utf8'), `${file} differs; UPDATE_GOLDEN=1 rewrites its golden`);
    assert.equal(diagnostics.length > 0, file.startsWith('error-'));
  });
}

test('whatever is not text of a program ends in diagnostics, soon', () => {
  const soon = 1_000;
  const whole = (source: string) => {
    const start = performance.now();
    const { program, diagnostics } = parse(source);
    assert.ok(performance.now() - start < soon, `${performance.now() - start} ms for ${source.length}`);
    assert.ok(diagnostics.length <= 30);
    for (const { span } of diagnostics)
      assert.ok(span.start >= 0 && span.start <= span.end && span.end <= source.length + 1);
    assert.ok(renderDiagnostics(diagnostics, source).length < 200_000);
    assertSpans(program, source.length);
    const expanded = expand(program, { positional: ['1', source], named: new Map() });
    assert.ok(expanded.diagnostics.length <= 30);
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => whole(Buffer.from(bytes).toString('utf8'))),
  );
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 400 }), whole));
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...soup), { maxLength: 200 }), (words) => whole(words.join(' '))),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...soup), { maxLength: 200 }), (words) =>
      whole(`BEGIN { ${words.join('')}`),
    ),
    { numRuns: 300 },
  );
});

test('a program that was cut, doubled or mixed up somewhere never throws', () => {
  const sources = readdirSync(samples)
    .filter((each) => each.endsWith('.bt'))
    .map((each) => readFileSync(join(samples, each), 'utf8').slice(0, 3_000));
  const place = fc.nat({ max: 3_000 });
  fc.assert(
    fc.property(
      fc.constantFrom(...sources),
      fc.constantFrom(...sources),
      place,
      place,
      (one, other, from, to) => {
        parse(one.slice(0, from) + other.slice(to));
        parse(one.slice(0, from) + one.slice(from + (to % 40)));
      },
    ),
    { numRuns: 400 },
  );
});

test('a text of any size and kind is read within a moment', () => {
  const large = 128 * 1024;
  const units = [
    '(',
    '{',
    '[',
    'a+',
    '-',
    '!',
    '$x=',
    '@a[',
    'f(',
    '"',
    '/*',
    '//',
    '\n',
    '#if 1\n',
    '#define a 1\n',
  ];
  units.push(
    'if(1){',
    'if 1 {} else ',
    'k:f,',
    'k:f{}',
    'a?',
    'a?:',
    'a.b',
    'struct a{',
    'struct a{};',
    'let @a=hash(1);',
  );
  units.push(
    'macro m(){1}',
    '#include <a>\n',
    'import "a";',
    '(a=1,',
    '1,',
    '(struct a*)',
    '(a)',
    '*',
    '&',
    '++',
    '~',
    ';',
    '}',
    '{}',
  );
  units.push('1', '0x', 'é', '\\', '$', '#', ':', '/', 'int a;', 'a,', 'a=1;');
  const slow: string[] = [];
  for (const unit of units)
    for (const before of ['', unit.length > 3 ? 'BEGIN{' : 'BEGIN{x(']) {
      const start = performance.now();
      parse((before + unit.repeat(large / unit.length)).slice(0, large));
      const took = performance.now() - start;
      // A tenth of a second is what a user is promised; the machine that tests is shared.
      if (took > 1_000) slow.push(`${before}${unit}: ${took} ms`);
    }
  assert.deepEqual(slow, []);
  const [tooLarge] = parse(' '.repeat(large + 1)).diagnostics;
  assert.equal(tooLarge?.message, 'the program is longer than 128 KiB');
});

test('a long chain of conditions is a program, an endless one is not', () => {
  const chain = (length: number) => `BEGIN { @x = ${'pid == 1 || '.repeat(length)}0; }`;
  assert.deepEqual(parse(chain(900)).diagnostics, []);
  assert.match(parse(chain(2_000)).diagnostics[0]?.message ?? '', /too long/);
});

function assertSpans(node: unknown, length: number): void {
  if (typeof node !== 'object' || node === null) return;
  if ('span' in node) {
    const { start, end } = node.span as { start: number; end: number };
    assert.ok(
      start >= 0 && start <= end && end <= length,
      JSON.stringify(node, (_, value) => `${value}`),
    );
  }
  for (const child of Object.values(node)) assertSpans(child, length);
}

const soup = [
  ...[
    'BEGIN',
    'kprobe:f',
    'uprobe:/bin/x:"f',
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    ';',
    ',',
    ':',
    '?',
    '?:',
    '..',
    '.',
    '->',
  ],
  ...[
    '/',
    '//',
    '/*',
    '*/',
    '"',
    '\\',
    "'",
    '#',
    '#define',
    '#if',
    '#endif',
    '#else',
    '\n',
    '$x',
    '$1',
    '$#',
    '$',
    '@',
    '@x',
  ],
  ...['=', '==', '+=', '<<=', '+', '++', '-', '--', '*', '&', '!', '~', '<', '>>', '&&', '||', '%', '^', '|'],
  ...[
    'if',
    'else',
    'while',
    'for',
    'unroll',
    'let',
    'return',
    'break',
    'macro',
    'config',
    'import',
    'struct',
    'union',
    'enum',
  ],
  ...[
    'typedef',
    'sizeof',
    'offsetof',
    'typeof',
    'comptime',
    'fn',
    'true',
    'pid',
    'args',
    'x',
    'uint8',
    'int8[2]',
    '1',
    '0x',
    '5ms',
    '1e99',
  ],
  ...['"s"', '"\\xff"', '\0', 'é', '𝒳', '\ud800', '_', '_ =', 'print(', '(struct x *)', 'u32'],
];
