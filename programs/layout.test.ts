// programs/layout.ts: values in memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementsOf, histBuckets, histRange, sizeOf } from './layout.ts';
import type { Type } from './types.ts';

const none = new Map();
const integer = (bits: 8 | 16 | 32 | 64): Type => ({ kind: 'integer', bits, signed: false });

test('a tuple lies as a C struct of its elements', () => {
  const tuple: Type & { kind: 'tuple' } = {
    kind: 'tuple',
    elements: [integer(8), integer(64), { kind: 'string', size: 5 }, integer(16)],
  };
  assert.deepEqual(
    elementsOf(tuple, none).map(({ offset }) => offset),
    [0, 8, 16, 22],
  );
  assert.equal(sizeOf(tuple, none), 24);
});

test('buckets of a histogram follow each other without a gap, whatever the bits', () => {
  for (const bits of [0, 1, 3, 5]) {
    let end = 0n;
    for (let bucket = 1; bucket < histBuckets(bits); bucket++) {
      const { from, to } = histRange(bucket, bits);
      assert.equal(from, end);
      end = to ?? 0n;
    }
    assert.equal(end, 1n << 64n);
  }
});
