// Numbers and strings as written, for all of their spellings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { integerValue } from './numbers.ts';
import { stringBytes, stringValue } from './strings.ts';

const anyInteger = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

test('an integer is read in each base, with or without underscores', () => {
  fc.assert(
    fc.property(anyInteger, (value) => {
      const parted = `${value}`.replaceAll(/(?<=\d)(?=(?:\d{3})+$)/g, '_');
      for (const text of [
        `${value}`,
        `0x${value.toString(16)}`,
        `0X${value.toString(16)}`,
        parted,
        `${value}ULL`,
      ])
        assert.deepEqual(integerValue(text), { value }, text);
      if (value > 0n) assert.deepEqual(integerValue(`0${value.toString(8)}`), { value });
    }),
  );
});

test('powers of ten and durations are exact, and too large ones are told', () => {
  const units = {
    ns: 1n,
    us: 10n ** 3n,
    ms: 10n ** 6n,
    s: 10n ** 9n,
    m: 60n * 10n ** 9n,
    h: 3600n * 10n ** 9n,
  };
  for (const [unit, worth] of Object.entries(units))
    assert.deepEqual(integerValue(`7${unit}`), { value: 7n * worth });
  assert.deepEqual(integerValue('2d'), { value: 172_800n * 10n ** 9n });
  assert.deepEqual(integerValue('1e19'), { value: 10n ** 19n });
  for (const text of ['2e19', '1e99', '1e999999', '99999999h', '9'.repeat(100_000), `0x1${'0'.repeat(16)}`])
    assert.ok('wrong' in integerValue(text), text.slice(0, 20));
});

test('any bytes can be written with escapes and come back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), fc.boolean(), (bytes, octal) => {
      const written = Array.from(bytes, (byte) =>
        octal ? `\\${byte.toString(8).padStart(3, '0')}` : `\\x${byte.toString(16).padStart(2, '0')}`,
      ).join('');
      const { value, problems } = stringValue(`"${written}"`);
      assert.deepEqual(problems, []);
      assert.deepEqual(Array.from(stringBytes(value)), Array.from(bytes));
    }),
  );
});

test('any text without quotes, backslashes and line ends is itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const plain = text.replaceAll(/["\\\n]/g, '');
      assert.equal(stringValue(`"${plain}"`).value, plain);
      assert.deepEqual(Buffer.from(stringBytes(plain)), Buffer.from(plain));
    }),
  );
});

test('a quote after a backslash closes nothing', () => {
  assert.equal(stringValue('"a\\"').problems[0]?.message, 'unterminated string');
  assert.deepEqual(stringValue('"a\\\\"'), { value: 'a\\', problems: [] });
});
