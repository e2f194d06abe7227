import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addDistributions, bucketSpan, mean, percentileBucket } from './histogram-model.ts';

const few = { counts: [0, 0, 3, 0, 1], count: 4, total: 30n };

test('log2 bucket 0 holds 0 and 1, bucket i from 2^i', () => {
  assert.deepEqual(bucketSpan({ kind: 'log2' }, 0), [0, 2]);
  assert.deepEqual(bucketSpan({ kind: 'log2' }, 10), [1024, 2048]);
});

test('linear buckets begin at the minimum', () => {
  assert.deepEqual(bucketSpan({ kind: 'linear', min: 10, max: 50, step: 5 }, 2), [20, 25]);
});

test('a percentile is the bucket of its nearest rank', () => {
  assert.equal(percentileBucket(few, 0.5), 2);
  assert.equal(percentileBucket(few, 0.75), 2);
  assert.equal(percentileBucket(few, 0.76), 4);
  assert.equal(percentileBucket(few, 1), 4);
  assert.equal(percentileBucket({ counts: [], count: 0, total: 0n }, 0.5), -1);
});

test('sums add bucket by bucket and the mean stays exact', () => {
  const sum = addDistributions([few, { counts: [1], count: 1, total: 0n }]);
  assert.deepEqual(sum, { counts: [1, 0, 3, 0, 1], count: 5, total: 30n });
  assert.equal(mean(sum), 6);
});
