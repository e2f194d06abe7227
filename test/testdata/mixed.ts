// A test file with one of everything, for test/files.test.ts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

test('passes', async (t) => {
  t.diagnostic('a remark');
  await t.test('inside, skipped', (inner) => inner.skip('NotSupported: no kprobes'));
});
describe('suite', () => {
  test('fails', () => assert.equal(1, 2));
  test('passes too', () => {});
});
console.log('said on stdout');
