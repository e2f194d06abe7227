// Whole maps, against what bpftrace prints. Neighbour: map.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompiledMap } from '../compiled.ts';
import { histBuckets } from '../layout.ts';
import type { Type } from '../types.ts';
import { entriesOf, type MapBytes, type MapNames, mapJson, mapText } from './map.ts';

const names: MapNames = {
  layouts: new Map(),
  enumerator: () => undefined,
  stack: () => '\n        main+5\n',
  kernelSymbol: () => '',
  userSymbol: () => '',
  cgroupPath: () => '',
  username: () => '',
  time: () => '',
  truncated: '..',
  wall: (ns) => ns,
};

const unsigned: Type = { kind: 'integer', bits: 64, signed: false };
const all = { top: null, divisor: null };

function map(value: Type, key: Type[] | null, more: Partial<CompiledMap> = {}): CompiledMap {
  let offset = 0;
  const fields = key?.map((type) => {
    const field = { offset, type };
    offset += type.kind === 'string' ? type.size : 8;
    return field;
  });
  return {
    name: '@x',
    map: {
      name: 'map_x',
      type: 'percpuHash',
      key: { kind: 'bytes', length: 8 },
      value: { kind: 'bytes', length: 8 },
      entries: 1,
    },
    key: fields ?? null,
    value,
    byContainer: false,
    perCpu: true,
    ...more,
  };
}

/** Words: a bigint is 8 bytes, a string 8 bytes of text. */
function bytes(words: (bigint | string)[]): Uint8Array {
  const out = Buffer.alloc(words.length * 8);
  for (const [i, word] of words.entries())
    if (typeof word === 'bigint') out.writeBigUInt64LE(BigInt.asUintN(64, word), i * 8);
    else out.write(word, i * 8);
  return out;
}

function contents(rows: [key: (bigint | string)[], slots: bigint[][]][], cpus = 1): MapBytes {
  return {
    count: rows.length,
    keys: bytes(rows.flatMap(([key]) => key)),
    values: bytes(rows.flatMap(([, slots]) => slots.flat())),
    cpus,
  };
}

const text8: Type = { kind: 'string', size: 8 };

test('counts of all CPUs are added, and rows are sorted by their value', () => {
  const counts = map({ kind: 'count' }, [text8, unsigned]);
  const entries = entriesOf(
    counts,
    contents(
      [
        [
          ['b', 2n],
          [[5n], [2n]],
        ],
        [
          ['a', 1n],
          [[1n], [0n]],
        ],
      ],
      2,
    ),
    names,
  );
  assert.equal(mapText(counts, entries, all, names), '@x[a, 1]: 1\n@x[b, 2]: 7\n');
  assert.equal(mapText(counts, entries, { top: 1, divisor: 2 }, names), '@x[b, 2]: 3\n');
  assert.equal(
    mapJson(counts, entries, all, names),
    '{"type": "map", "data": {"@x": {"a,1": 1, "b,2": 7}}}\n',
  );
});

test('what containers have under one key is one row', () => {
  const sums = map({ kind: 'sum', signed: true }, null, {
    byContainer: true,
    key: [{ offset: 8, type: text8 }],
  });
  const entries = entriesOf(
    sums,
    contents([
      [[1n, 'a'], [[-3n]]],
      [[2n, 'a'], [[1n]]],
    ]),
    names,
  );
  assert.equal(mapText(sums, entries, all, names), '@x[a]: -2\n');
});

test('averages keep their parts; min and max look only at CPUs that saw something', () => {
  const stats = map({ kind: 'stats', signed: true }, null);
  const statsEntries = entriesOf(
    stats,
    contents(
      [
        [
          [0n],
          [
            [10n, 1n],
            [2n, 1n],
          ],
        ],
      ],
      2,
    ),
    names,
  );
  assert.equal(mapText(stats, statsEntries, all, names), '@x: count 2, average 6, total 12\n\n');
  assert.equal(
    mapJson(stats, statsEntries, all, names),
    '{"type": "stats", "data": {"@x": {"count": 2, "average": 6, "total": 12}}}\n',
  );
  const least = map({ kind: 'min', signed: true }, null);
  const leastEntries = entriesOf(
    least,
    contents(
      [
        [
          [0n],
          [
            [0n, 0n],
            [7n, 1n],
          ],
        ],
      ],
      2,
    ),
    names,
  );
  assert.equal(mapText(least, leastEntries, all, names), '@x: 7\n');
});

test('a count that never happened is 0, other maps without entries say nothing', () => {
  const count = map({ kind: 'count' }, null);
  assert.equal(mapText(count, entriesOf(count, contents([]), names), all, names), '@x: 0\n');
  const sum = map({ kind: 'sum', signed: false }, null);
  assert.equal(mapText(sum, entriesOf(sum, contents([]), names), all, names), '');
  assert.equal(mapJson(sum, entriesOf(sum, contents([]), names), all, names), '');
});

test('log2 histograms: bars from the first to the last bucket that counts', () => {
  const hist = map({ kind: 'hist', bits: 0 }, null);
  const counts = Array.from({ length: histBuckets(0) }, () => 0n);
  counts[3] = 1n;
  counts[11] = 2n;
  counts[0] = 1n;
  const entries = entriesOf(hist, contents([[[0n], [counts]]]), names);
  const lines = mapText(hist, entries, all, names).split('\n');
  assert.equal(lines[0], '@x:');
  assert.equal(lines[1], `(..., 0)               1 |${'@'.repeat(26).padEnd(52)}|`);
  assert.equal(lines[2], `[0]                    0 |${' '.repeat(52)}|`);
  assert.equal(lines[4], `[2, 4)                 1 |${'@'.repeat(26).padEnd(52)}|`);
  assert.equal(lines[11], `[256, 512)             0 |${' '.repeat(52)}|`);
  assert.equal(lines[12], `[512, 1K)              2 |${'@'.repeat(52)}|`);
  assert.match(
    mapJson(hist, entries, all, names),
    /^\{"type": "hist", "data": \{"@x": \[\{"max": -1, "count": 1\},\{"min": 0, "max": 0, "count": 0\},/,
  );
});

test('linear histograms have a bucket below and one above', () => {
  const linear = map({ kind: 'lhist', min: 0n, max: 10n, step: 2n }, null);
  const entries = entriesOf(linear, contents([[[0n], [[1n, 0n, 2n, 0n, 1n, 0n, 1n]]]]), names);
  assert.equal(
    mapText(linear, entries, all, names),
    [
      '@x:',
      `(..., 0)               1 |${'@'.repeat(26).padEnd(52)}|`,
      `[0, 2)                 0 |${' '.repeat(52)}|`,
      `[2, 4)                 2 |${'@'.repeat(52)}|`,
      `[4, 6)                 0 |${' '.repeat(52)}|`,
      `[6, 8)                 1 |${'@'.repeat(26).padEnd(52)}|`,
      `[8, 10)                0 |${' '.repeat(52)}|`,
      `[10, ...)              1 |${'@'.repeat(26).padEnd(52)}|`,
      '',
      '',
    ].join('\n'),
  );
});

test('a series is drawn from its first interval to the last, gaps as such', () => {
  const type: Type = { kind: 'tseries', intervalNs: 100_000_000n, intervals: 4, fold: 'none', signed: true };
  const series = map(type, null);
  const entries = entriesOf(
    series,
    contents([[[0n], [[5n, -5n, 1n, 0n, 0n, 0n, 7n, 5n, 1n, 0n, 0n, 0n]]]]),
    names,
  );
  const lines = mapText(series, entries, all, names).split('\n');
  assert.equal(lines[1], `             ${'-5'.padEnd(21)}${'5'.padStart(32)}`);
  assert.equal(lines[2], `hh:mm:ss.ms  |${'_'.repeat(51)}|`);
  assert.match(lines[3] ?? '', /^\d\d:\d\d:00\.500 \* {25}\. {25}\| -5$/);
  assert.match(lines[4] ?? '', /^\d\d:\d\d:00\.600 \| {25}\. {25}\| -$/);
  assert.match(lines[5] ?? '', /^\d\d:\d\d:00\.700 \| {25}\. {25}\* 5$/);
  assert.equal(lines[6], `             v${'_'.repeat(51)}v`);
});

test('values that are no numbers are sorted by their keys', () => {
  const texts = map(text8, [unsigned], { perCpu: false });
  const entries = entriesOf(
    texts,
    {
      ...contents([
        [[3n], []],
        [[1n], []],
      ]),
      values: bytes(['c', 'a']),
    },
    names,
  );
  assert.equal(mapText(texts, entries, all, names), '@x[1]: a\n@x[3]: c\n');
  const tuples = map({ kind: 'tuple', elements: [unsigned, text8] }, null, { perCpu: false });
  const tuple = entriesOf(tuples, { count: 1, keys: bytes([0n]), values: bytes([1n, 's']), cpus: 1 }, names);
  assert.equal(mapText(tuples, tuple, all, names), '@x: (1, s)\n');
  assert.equal(mapJson(tuples, tuple, all, names), '{"type": "map", "data": {"@x": [1,"s"]}}\n');
});
