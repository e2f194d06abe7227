import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount, exact, parseAmount, percent } from './amounts.ts';

test('amounts are scaled, exact values have all digits', () => {
  assert.equal(amount(1_234_567, 'ns'), '1.23 ms');
  assert.equal(exact(1_234_567n, 'ns'), '1,234,567 ns');
  assert.equal(exact(1, 'switches'), '1 switch');
  assert.equal(exact(9_007_199_254_740_993n, undefined), '9,007,199,254,740,993');
});

test('a share is never rounded to all or to nothing', () => {
  assert.equal(percent(0, 10), '0%');
  assert.equal(percent(1, 1_000_000), '<0.01%');
  assert.equal(percent(999_999, 1_000_000), '99.99%');
  assert.equal(percent(10, 10), '100%');
});

test('typed amounts have units', () => {
  assert.equal(parseAmount('1.5ms'), 1_500_000);
  assert.equal(parseAmount(' 64 KiB '), 65_536);
  assert.equal(parseAmount('12,000'), 12_000);
  assert.equal(parseAmount('5 parsecs'), undefined);
  assert.equal(parseAmount('ms'), undefined);
});
