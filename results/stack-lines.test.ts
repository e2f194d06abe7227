// Runs of stacks in their short form say what one line of JSON for each row would say, put together or not, and hostile ones are refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeRow, encodeRow } from './row-json.ts';
import { arbitraryRow, stacksShape } from './samples.ts';
import type { Row, StackFrame } from './shape.ts';
import { sortInMemory } from './sort.ts';
import { stackLineReader, stackLineWriter } from './stack-lines.ts';

type StackRow = Row & { kind: 'stacks' };

function written(rows: readonly Row[]): string {
  const write = stackLineWriter(stacksShape);
  return rows.map((row) => write(row as StackRow)).join('');
}

function read(text: string): StackRow[] {
  const take = stackLineReader(stacksShape);
  const lines = text.split('\n').slice(0, -1);
  return lines.flatMap((line) => take(Buffer.from(line)) ?? []);
}

const rows = fc.array(arbitraryRow('stacks'), { maxLength: 20 });

test('what is read is what a line of JSON for each row gives, sorted or not', () => {
  fc.assert(
    fc.property(rows, fc.boolean(), (list, sorted) => {
      const some = sorted ? sortInMemory(stacksShape, list) : list;
      const plain = some.map((row) => decodeRow(stacksShape, encodeRow(stacksShape, row)));
      assert.deepEqual(read(written(some)), plain);
      assert.deepEqual(read(some.map((row) => `${encodeRow(stacksShape, row)}\n`).join('')), plain);
    }),
  );
});

test('runs of different nodes put one behind the other are the run of all, byte for byte', () => {
  fc.assert(
    fc.property(rows, rows, (list, others) => {
      const on = (node: string, some: Row[]) =>
        sortInMemory(
          stacksShape,
          some.map((row) => ({ ...row, key: row.key.with(0, node) })),
        );
      const [a, b] = [on('a', list), on('b', others)];
      assert.equal(written(a) + written(b), written([...a, ...b]));
    }),
  );
});

test('equal frames are one object', () => {
  const frame: StackFrame = { name: 'main', kind: 'user' };
  const row = (node: string): StackRow => ({
    kind: 'stacks',
    key: [node, null, null, null, 'api', 1],
    frames: [{ ...frame }],
    value: [1n],
  });
  const text = written([row('a'), row('b'), row('b')]);
  const [first, second] = read(text);
  assert.equal(first?.frames[0], second?.frames[0]);
  assert.deepEqual(text.split('\n').slice(0, 3), [
    '{"key":["a",null,null,null,"api",1],"frames":0}',
    '["main","user"]',
    '[0,[0],[1]]',
  ]);
});

test('more frames than are numbered at once', () => {
  const many = Array.from(
    { length: 70_000 },
    (_, i): StackRow => ({
      kind: 'stacks',
      key: ['a', null, null, null, 'api', 1],
      frames: [{ name: `f${i}`, kind: 'user' }],
      value: [1n],
    }),
  );
  const text = written(many);
  assert.equal(text.split('"frames":0').length - 1, 2);
  const names = (list: StackRow[]) => list.map(({ frames: [frame] }) => frame?.name).join();
  assert.equal(names(read(text)), names(many));
});

test('lines that can not be are refused', () => {
  const key = '{"key":["a",null,null,null,"api",1],"frames":0}\n';
  const frame = '["main","user"]\n';
  const refused = (text: string, why: RegExp) => assert.throws(() => read(`${text}\n`), why);
  refused('[0,[],[1]]', /before any key/);
  refused(`${key}[0,[0],[1]]`, /no frame 0/);
  refused(`${key}${frame}[1,[0],[1]]`, /1 frames of the row above, which has 0/);
  refused(`${key}${frame}[0,[0],[1,2]]`, /2 numbers instead of 1/);
  refused(`${key}${frame}[0,[0],[1]],`, /something follows/);
  refused(`${key}${frame}[0,[x],[1]]`, /a number is missing/);
  refused(`${key}["main","nobody"]`, /a frame must be/);
  refused('{"key":["a"]}', /a list of 6 values/);
});
