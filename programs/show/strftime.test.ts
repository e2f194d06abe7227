// Times by strftime's formats. Neighbour: strftime.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strftime } from './strftime.ts';

// Local time: the test must know it.
const at = (text: string): bigint => BigInt(new Date(text).getTime()) * 1_000_000n;

test('dates and times, with microseconds behind %f', () => {
  const time = at('2026-02-03T04:05:06') + 123_456_789n;
  assert.equal(strftime('%Y-%m-%d %H:%M:%S.%f', time), '2026-02-03 04:05:06.123456');
  assert.equal(strftime('%m/%d/%y %I%p %j %e %a %B %%', time), '02/03/26 04AM 034  3 Tue February %');
  assert.equal(strftime('%F %T|%D|%R', time), '2026-02-03 04:05:06|02/03/26|04:05');
});

test('weeks begin on Sunday, on Monday, or as ISO 8601 has it', () => {
  assert.equal(strftime('%U %W %V %G %u %w', at('2027-01-01T00:00:00')), '00 00 53 2026 5 5');
  assert.equal(strftime('%U %W %V %G', at('2026-12-31T12:00:00')), '52 52 53 2026');
});

test('what is no letter of it stays', () => {
  assert.equal(strftime('%Q %', 0n), '%Q %');
});
