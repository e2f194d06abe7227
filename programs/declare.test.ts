// What a program leaves as results. Neighbour: declare.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Compiled, CompiledMap } from './compiled.ts';
import { declare, eventValues, type RowNames, rowsOf } from './declare.ts';
import { ownedEntries } from './show/map.ts';
import type { Type } from './types.ts';

const text: Type = { kind: 'string', size: 8 };
const unsigned: Type = { kind: 'integer', bits: 64, signed: false };
const stack: Type = { kind: 'stack', space: 'user', mode: 'bpftrace', limit: 127 };
const span = { start: 0, end: 0 };

const names: RowNames = {
  layouts: new Map(),
  enumerator: () => undefined,
  stack: (id) => `stack ${id}`,
  kernelSymbol: () => '',
  userSymbol: () => '',
  cgroupPath: () => '',
  username: () => '',
  time: () => '',
  truncated: '..',
  wall: (ns) => ns,
  frames: (id, space) => [
    { name: `${space}${id}`, kind: 'user' },
    { name: 'main', kind: 'user' },
  ],
};

function map(name: string, value: Type, keys: Type[] | null, byContainer = false): CompiledMap {
  return {
    name,
    map: {
      name,
      type: 'hash',
      key: { kind: 'bytes', length: 8 },
      value: { kind: 'bytes', length: 8 },
      entries: 1,
    },
    key: keys?.map((type, i) => ({ offset: (byContainer ? 8 : 0) + i * 8, type })) ?? null,
    value,
    byContainer,
    perCpu: false,
  };
}

function program(maps: CompiledMap[], outputs: Compiled['outputs'] = []): Compiled {
  return {
    object: new Uint8Array(),
    probes: [],
    maps,
    outputs,
    layouts: new Map(),
    enums: new Map(),
    needsMappings: false,
    config: {
      stackMode: 'bpftrace',
      printMapsOnExit: true,
      maxCatBytes: 0,
      missingProbes: 'error',
      strTruncTrailer: '..',
    },
  };
}

const words = (...values: bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(values).buffer);
const owner = (scope: bigint) => ['node', null, null, scope === 0n ? null : `c${scope}`];

test('each map is a result by its name; averages keep their parts', () => {
  const results = declare(
    program([map('@b', { kind: 'avg', signed: true }, [text]), map('@', { kind: 'count' }, null)]),
  );
  assert.deepEqual(
    results.map(({ name, shape }) => [
      name,
      shape.kind,
      shape.kind === 'table' && shape.values.map((column) => [column.name, column.fold]),
    ]),
    [
      [
        'b',
        'table',
        [
          ['total', 'sum'],
          ['count', 'sum'],
        ],
      ],
      ['map', 'table', [['count', 'sum']]],
    ],
  );
});

test('rows tell containers apart, each with its own value', () => {
  const counts = map('@n', { kind: 'count' }, [unsigned], true);
  const bytes = { count: 2, keys: words(1n, 7n, 2n, 7n), values: words(5n, 6n), cpus: 1 };
  assert.deepEqual(rowsOf(counts, ownedEntries(counts, bytes, names), owner, names), [
    { kind: 'table', key: ['node', null, null, 'c1', 7n], value: [5n] },
    { kind: 'table', key: ['node', null, null, 'c2', 7n], value: [6n] },
  ]);
});

test('stacks with a count are stacks, outermost first; with anything else their text is a key', () => {
  const counts = map('@s', { kind: 'count' }, [stack, unsigned]);
  assert.equal(declare(program([counts]))[0]?.shape.kind, 'stacks');
  const bytes = { count: 1, keys: words(9n, 3n), values: words(4n), cpus: 1 };
  assert.deepEqual(rowsOf(counts, ownedEntries(counts, bytes, names), owner, names), [
    {
      kind: 'stacks',
      key: ['node', null, null, null, 3n],
      frames: [
        { name: 'main', kind: 'user' },
        { name: 'user9', kind: 'user' },
      ],
      value: [4n],
    },
  ]);
  const most = map('@m', { kind: 'max', signed: false }, [stack]);
  assert.equal(declare(program([most]))[0]?.shape.kind, 'table');
});

test('a histogram is a table of the buckets that count something', () => {
  const sizes = map('@h', { kind: 'lhist', min: 0n, max: 20n, step: 10n }, null);
  const bytes = { count: 1, keys: words(0n), values: words(1n, 0n, 2n, 3n), cpus: 1 };
  assert.deepEqual(
    rowsOf(sizes, ownedEntries(sizes, bytes, names), owner, names).map((row) => [
      row.key.slice(4),
      'value' in row && row.value,
    ]),
    [
      [[null, 0n], [1n]],
      [[10n, 20n], [2n]],
      [[20n, null], [3n]],
    ],
  );
});

test('printf: its text, and arguments typed where all places agree', () => {
  const printf = (...types: Type[]): Compiled['outputs'][number] => ({
    kind: 'printf',
    format: '',
    arguments: types.map((type, i) => ({ offset: i * 8, type })),
    span,
  });
  const [result] = declare(program([], [printf(unsigned, text), printf(unsigned, unsigned, unsigned)]));
  assert.ok(result?.shape.kind === 'events');
  const { columns } = result.shape;
  assert.deepEqual(
    columns.map(({ name, type }) => [name, type]),
    [
      ['time', 'time'],
      ['process', 'text'],
      ['pid', 'integer'],
      ['text', 'text'],
      ['arg1', 'integer'],
      ['arg2', 'text'],
      ['arg3', 'integer'],
    ],
  );
  assert.deepEqual(eventValues(columns, 'x 5', [5n, 'y']), ['x 5', 5n, 'y', null]);
});
