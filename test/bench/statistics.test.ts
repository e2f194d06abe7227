// Medians, intervals and verdicts of the benchmark.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { estimate, indistinguishable, intervalRank, verdict } from './statistics.ts';

test('nine rounds leave out the lowest and the highest, five none', () => {
  assert.deepEqual(estimate([9, 1, 8, 2, 7, 3, 6, 4, 5]), { median: 5, low: 2, high: 8, rounds: 9 });
  assert.deepEqual(estimate([5, 1, 4, 2, 3]), { median: 3, low: 1, high: 5, rounds: 5 });
  assert.deepEqual(estimate([4, 1]), { median: 2.5, low: 1, high: 4, rounds: 2 });
  assert.throws(() => estimate([]), /at least one round/);
});

test('the ranks are those of the binomial table', () => {
  assert.deepEqual([6, 8, 9, 12, 15, 20, 25].map(intervalRank), [0, 0, 1, 2, 3, 5, 7]);
});

test('the interval holds the median', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 40 }),
      (values) => {
        const { median, low, high } = estimate(values);
        assert.ok(low <= median && median <= high);
      },
    ),
  );
});

test('a limit inside the interval is neither met nor missed', () => {
  const around = { median: 5, low: 4, high: 6, rounds: 9 };
  assert.equal(verdict(around, 6, 'at most'), 'met');
  assert.equal(verdict(around, 5.5, 'at most'), 'not shown');
  assert.equal(verdict(around, 3, 'at most'), 'missed');
  assert.equal(verdict(around, 4, 'at least'), 'met');
  assert.equal(verdict(around, 5, 'at least'), 'not shown');
  assert.equal(verdict(around, 7, 'at least'), 'missed');
});

test('a difference that may be zero cannot be told from none', () => {
  assert.equal(indistinguishable({ median: 1, low: -1, high: 3, rounds: 9 }), true);
  assert.equal(indistinguishable({ median: 2, low: 1, high: 3, rounds: 9 }), false);
});
