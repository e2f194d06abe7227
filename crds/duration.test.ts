// Durations and quantities: exact, and errors that teach.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { durationPattern, formatSeconds, parseDuration } from './duration.ts';
import { asNumber, asWhole, parseQuantity, quantityPattern } from './quantity.ts';

test('durations are read as Go reads them, to the nanosecond', () => {
  const cases: [string, bigint][] = [
    ['60s', 60_000_000_000n],
    ['1m30s', 90_000_000_000n],
    ['500ms', 500_000_000n],
    ['1.5h', 5_400_000_000_000n],
    ['1h0.25s', 3_600_250_000_000n],
    ['10us', 10_000n],
    ['10µs', 10_000n],
    ['0.000000001s', 1n],
    ['0s', 0n],
  ];
  for (const [text, nanoseconds] of cases) {
    assert.deepEqual(parseDuration(text), { text, nanoseconds }, text);
    assert.match(text, new RegExp(durationPattern));
  }
});

test('a wrong duration says what to write instead', () => {
  const wrong = (input: unknown) => {
    const result = parseDuration(input);
    assert.ok('wrong' in result, String(input));
    return result.wrong;
  };
  assert.equal(wrong(60), '60 is a number without a unit; write 60s for seconds');
  assert.equal(wrong('60'), '60 is a number without a unit; write 60s for seconds');
  assert.equal(wrong('2d'), '"2d": days are not a unit of durations; write 48h');
  assert.equal(wrong('5 minutes'), '"5 minutes" is not a duration; write 5m');
  assert.equal(wrong('10 sec'), '"10 sec" is not a duration; write 10s');
  assert.match(wrong('-5s'), /negative/);
  assert.match(wrong(''), /empty/);
  assert.match(wrong('1m 30s'), /write one like/);
  assert.match(wrong('0.0000000001s'), /finer than a nanosecond/);
  assert.match(wrong('1'.repeat(1000)), /longer than/);
  assert.match(wrong({}), /not a duration/);
});

test('quantities are read as Kubernetes reads them, exactly', () => {
  const cases: [string | number, bigint][] = [
    ['20m', 20_000_000n],
    [100000, 100_000_000_000_000n],
    ['64Mi', 67_108_864_000_000_000n],
    ['1.5Gi', 1_610_612_736_000_000_000n],
    ['1e3', 1_000_000_000_000n],
    ['1E', 10n ** 27n],
    ['5e-1', 500_000_000n],
    ['.5', 500_000_000n],
    ['100k', 10n ** 14n],
    ['1n', 1n],
    ['0.1n', 1n],
  ];
  for (const [input, nano] of cases) {
    assert.deepEqual(parseQuantity(input), { text: String(input), nano });
    assert.match(String(input), new RegExp(quantityPattern));
  }
  const half = parseQuantity('1500m');
  assert.ok('nano' in half);
  assert.equal(asWhole(half), 2n);
  assert.equal(asNumber(half), 1.5);
});

test('a wrong quantity says what to write instead', () => {
  const wrong = (input: unknown) => {
    const result = parseQuantity(input);
    return 'wrong' in result ? result.wrong : undefined;
  };
  assert.equal(wrong('64MB'), '"64MB": unknown suffix "MB"; write M');
  assert.equal(wrong('1K'), '"1K": unknown suffix "K"; write k or Ki');
  assert.match(wrong('5 Mi') ?? '', /not a quantity/);
  assert.match(wrong('-1') ?? '', /negative/);
  assert.match(wrong(Number.NaN) ?? '', /unknown suffix|not a quantity/);
  assert.match(wrong([]) ?? '', /not a quantity/);
});

test('no input makes the parsers throw, and what they take matches the published grammar', () => {
  const text = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[0-9.]{0,5}[a-zA-Zµ]{0,3}[0-9]{0,3}[a-z]{0,2}$/),
    fc.anything(),
  );
  fc.assert(
    fc.property(text, (input) => {
      const duration = parseDuration(input);
      if ('nanoseconds' in duration)
        assert.match(duration.text.replaceAll('μ', 'µ'), new RegExp(durationPattern));
      const quantity = parseQuantity(input);
      if ('nano' in quantity) assert.match(quantity.text.replace('+', ''), new RegExp(quantityPattern));
    }),
    { numRuns: 2000 },
  );
});

test('any whole number of seconds survives its spelling', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000_000 }), (seconds) => {
      const read = parseDuration(formatSeconds(seconds));
      assert.ok('nanoseconds' in read);
      assert.equal(read.nanoseconds, BigInt(seconds) * 1_000_000_000n);
    }),
  );
});
