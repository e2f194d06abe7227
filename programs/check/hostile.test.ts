// Whatever is written, the checker answers, and in time. Neighbours: samples.test.ts (whose programs are broken here), programs/parse/parse.test.ts.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testKernel } from './test-kernel.ts';
import { checkText } from './try.ts';

const lines = ['accepted.bt.txt', 'refused.bt.txt'].flatMap((name) =>
  readFileSync(join(import.meta.dirname, 'testdata', name), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('    ')),
);

/** The same numbers each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state % below;
  };
}

test('programs with words put in, taken out and exchanged are answered', () => {
  const next = numbers(7);
  const parts = (text: string) => text.match(/[$@]?\w+|"[^"]*"|\s+|\S/g) ?? [];
  const words = lines.flatMap(parts);
  const kernel = testKernel();
  for (let count = 0; count < 1500; count++) {
    const text = parts(lines[next(lines.length)] ?? '');
    for (let change = 0; change <= next(4); change++) {
      const word = words[next(words.length)] ?? '';
      text.splice(next(text.length), next(2), ...(next(3) === 0 ? [] : [word]));
    }
    const tenancy = next(2) === 0 ? 'pods' : 'node';
    checkText(text.join(''), { tenancy }, next(4) === 0 ? null : kernel);
  }
});

const many = (count: number, each: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => each(index)).join(' ');

const large: [title: string, source: string][] = [
  ['names that nobody knows', `begin { ${many(4000, (n) => `foo${n}(x${n});`)} }`],
  ['maps that nothing is assigned to', `begin { ${many(2000, (n) => `print(@foo${n}); @bar${n} = 1;`)} }`],
  ['variables that have no value', `begin { ${many(2000, (n) => `$a${n} = 1; print($foo${n});`)} }`],
  ['types that nobody knows', `begin { ${many(2000, (n) => `(struct s${n} *)0;`)} }`],
  ['maps that hang on each other', `begin { ${many(500, (n) => `@m${n} = @m${n + 1};`)} @m500 = 1; }`],
  [
    'a tuple that doubles',
    `begin { $a = (1, 1); ${many(40, (n) => `$a${n + 1} = ($a${n || ''}, $a${n || ''});`)} }`,
  ],
  ['a map that holds itself', 'begin { @a[1] = (@a[1], @a[2]); @b[@b[1]] = 1; @c[@c[1], @c[2]] = (1, 2); }'],
  ['probes that are not there', `${many(300, (n) => `kprobe:nope${n},`)} begin { 1 }`],
];

for (const [title, source] of large)
  test(`in time: ${title}`, () => {
    const before = process.cpuUsage().user;
    checkText(source);
    const seconds = (process.cpuUsage().user - before) / 1e6;
    assert.ok(seconds < 3, `${seconds} s`);
  });
