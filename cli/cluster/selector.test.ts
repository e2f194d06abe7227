// Label selectors as kubectl writes them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CliError } from '../errors.ts';
import { parseSelector } from './selector.ts';

test('equalities become labels, the rest expressions', () => {
  assert.deepEqual(parseSelector('app=checkout', '-l'), { matchLabels: { app: 'checkout' } });
  assert.deepEqual(parseSelector(' app == checkout , sonde.dev/tier=web', '-l'), {
    matchLabels: { app: 'checkout', 'sonde.dev/tier': 'web' },
  });
  assert.deepEqual(parseSelector('tier in (web, api),env notin (test),canary,!old,zone!=a,empty=', '-l'), {
    matchLabels: { empty: '' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['web', 'api'] },
      { key: 'env', operator: 'NotIn', values: ['test'] },
      { key: 'canary', operator: 'Exists' },
      { key: 'old', operator: 'DoesNotExist' },
      { key: 'zone', operator: 'NotIn', values: ['a'] },
    ],
  });
  // Both must hold, so neither may be lost.
  assert.deepEqual(parseSelector('a=1,a=2', '-l'), {
    matchLabels: { a: '1' },
    matchExpressions: [{ key: 'a', operator: 'In', values: ['2'] }],
  });
});

test('what is no selector is refused with the term that is wrong', () => {
  for (const wrong of ['', 'app=check out', 'app in web', 'a b', '=x', 'app=-', 'app in (web,-)', 'x,,y']) {
    assert.throws(() => parseSelector(wrong, '-l'), /-l: ".*" is no term of a label selector/, wrong);
  }
});

test('no text makes it throw anything but an explained error', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[ab!=(), in]{0,30}$/));
  fc.assert(
    fc.property(text, (selector) => {
      try {
        parseSelector(selector, '-l');
      } catch (error) {
        assert.ok(error instanceof CliError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
