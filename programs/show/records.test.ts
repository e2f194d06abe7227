// Records to text and actions. Neighbour: records.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Compiled, Output } from '../compiled.ts';
import type { Type } from '../types.ts';
import { type RecordBatch, recordReader } from './records.ts';
import type { Names } from './value.ts';

const span = { start: 0, end: 0 };
const text: Type = { kind: 'string', size: 16 };
const integer: Type = { kind: 'integer', bits: 32, signed: true };
const stack: Type = { kind: 'stack', space: 'user', mode: 'bpftrace', limit: 127 };

const names: Names = {
  layouts: new Map(),
  enumerator: () => undefined,
  stack: (id) => `<stack ${id}>`,
  kernelSymbol: () => '',
  userSymbol: () => '',
  cgroupPath: () => '',
  username: () => '',
  time: (ns, { format }) => `${format}@${ns}`,
  truncated: '..',
};

const outputs: Output[] = [
  {
    kind: 'printf',
    format: '%s=%d\n',
    arguments: [
      { offset: 4, type: text },
      { offset: 0, type: integer },
    ],
    span,
  },
  { kind: 'printMap', map: '@a', top: 3, divisor: null },
  { kind: 'print', value: { offset: 0, type: stack } },
  { kind: 'exit', code: { offset: 0, type: integer } },
  {
    kind: 'join',
    separator: ' ',
    arguments: { offset: 0, type: { kind: 'array', of: text, length: 4, space: 'none' } },
  },
  { kind: 'time', format: '%T' },
];

function batch(...records: [what: number, payload: Buffer][]): RecordBatch {
  const offsets = new Uint32Array(records.length + 1);
  for (const [i, [, payload]] of records.entries()) offsets[i + 1] = (offsets[i] ?? 0) + payload.length;
  return {
    rows: records.length,
    time: BigUint64Array.from(records, (_, i) => BigInt(i + 1)),
    what: Uint32Array.from(records, ([what]) => what),
    offsets,
    bytes: Buffer.concat(records.map(([, payload]) => payload)),
    container: new BigUint64Array(records.length),
    pid: new Uint32Array(records.length),
    process: { offsets: new Uint32Array(records.length + 1), bytes: new Uint8Array() },
  };
}

/** A number and a text that ends where its letters do. */
function pair(number: number, letters: string): Buffer {
  const bytes = Buffer.alloc(4 + letters.length);
  bytes.writeInt32LE(number);
  bytes.write(letters, 4);
  return bytes;
}

const reader = (format: 'text' | 'json' = 'text', more: Partial<Names> = {}) =>
  recordReader({ outputs } as Pick<Compiled, 'outputs'>, format, { ...names, ...more });

test('text of neighbours is one segment; what needs the node stands between', () => {
  const records = batch(
    [0, pair(1, 'a')],
    [0, pair(-2, 'bc')],
    [1, Buffer.alloc(0)],
    [0, pair(3, '')],
    [2, Buffer.alloc(8)],
  );
  assert.deepEqual(reader().segments(records, 0), [
    { kind: 'text', text: 'a=1\nbc=-2\n' },
    { kind: 'action', row: 2 },
    { kind: 'text', text: '=3\n' },
    { kind: 'action', row: 4 },
  ]);
});

test('a record that ends early is followed by zeros, never by the one before it', () => {
  const one = reader();
  const records = batch([0, pair(1, 'longer text here')], [0, pair(2, 'x')], [0, Buffer.alloc(0)]);
  assert.deepEqual(one.segments(records, 0), [{ kind: 'text', text: 'longer text here..=1\nx=2\n=0\n' }]);
});

test('actions have their arguments', () => {
  const code = Buffer.alloc(4);
  code.writeInt32LE(69);
  const records = batch(
    [3, code],
    [1, Buffer.alloc(0)],
    [4, Buffer.from(`${'a'.padEnd(16, '\0')}${'b'.padEnd(16, '\0')}`)],
    [99, code],
  );
  assert.deepEqual(reader().asked(records, 0), { kind: 'exit', code: 69 });
  assert.deepEqual(reader().asked(records, 1), { kind: 'printMap', output: outputs[1] });
  assert.deepEqual(reader().asked(records, 2), { kind: 'text', text: 'a b\n' });
  assert.deepEqual(reader().asked(records, 3), { kind: 'text', text: '' });
});

test('as JSON each is an object on a line', () => {
  assert.deepEqual(reader('json').segments(batch([0, pair(1, 'a"')], [5, Buffer.alloc(0)]), 0), [
    { kind: 'text', text: '{"type": "printf", "data": "a\\"=1\\n"}\n{"type": "time", "data": "%T@2"}\n' },
  ]);
});

test('what a traced process says does not steer a terminal', () => {
  const records = batch([0, pair(1, '\x1b[31mred\r')]);
  assert.deepEqual(reader('text', { terminal: true }).segments(records, 0), [
    { kind: 'text', text: '\\x1b[31mred\\x0d=1\n' },
  ]);
  assert.deepEqual(reader().segments(records, 0), [{ kind: 'text', text: '\x1b[31mred\r=1\n' }]);
});
