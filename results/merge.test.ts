// One algebra for every shape: merging runs, however they are split, ordered and grouped, is the same as one node that saw it all.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { mergeLineFiles, mergeRuns } from './merge.ts';
import { mergeMeta, mergeMetas, readMeta, writeMeta } from './meta.ts';
import { compareKeys, compareRows } from './order.ts';
import { readRun, writeRun } from './run.ts';
import {
  arbitraryMeta,
  arbitraryRow,
  collect,
  eventsShape,
  sampleRows,
  shapes,
  tableShape,
} from './samples.ts';
import type { Row, Shape, Value } from './shape.ts';
import { sortInMemory, sortRows } from './sort.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonde-merge-'));
});
after(() => rm(folder, { recursive: true }));

/** Numbers that a file gives back as number may have been bigint: equal in the order, so equal here. */
function plain(rows: Row[]): unknown {
  return JSON.parse(
    JSON.stringify(rows, (_name, value: unknown) =>
      typeof value === 'bigint' ? String(value) : typeof value === 'number' ? String(value) : value,
    ),
  );
}

async function* each(rows: Row[]): AsyncGenerator<Row> {
  yield* rows;
}

function merged(shape: Shape, parts: Row[][]): Promise<Row[]> {
  return collect(mergeRuns(shape, parts.map(each)));
}

/** Rows, and for each the node that saw it. */
function splitRows(shape: Shape): fc.Arbitrary<Row[][]> {
  return fc.array(fc.tuple(arbitraryRow(shape.kind), fc.nat({ max: 3 })), { maxLength: 25 }).map((placed) =>
    [0, 1, 2, 3].map((node) =>
      sortInMemory(
        shape,
        placed.filter(([, at]) => at === node).map(([row]) => row),
      ),
    ),
  );
}

for (const shape of shapes) {
  test(`${shape.kind}: merging is associative, commutative, has an identity and equals one node that saw it all`, async () => {
    await fc.assert(
      fc.asyncProperty(splitRows(shape), fc.nat({ max: 23 }), async (parts, seed) => {
        const [a, b, c, d] = parts as [Row[], Row[], Row[], Row[]];
        const whole = plain(sortInMemory(shape, parts.flat()));
        assert.deepEqual(plain(await merged(shape, parts)), whole, 'one pass');
        const shuffled = [...parts].sort((x, y) => ((x.length * 7 + seed) % 5) - ((y.length * 3 + seed) % 5));
        assert.deepEqual(plain(await merged(shape, shuffled.reverse())), whole, 'another order');
        const left = await merged(shape, [await merged(shape, [await merged(shape, [d, b]), a]), c]);
        assert.deepEqual(plain(left), whole, 'grouped from the left');
        const pairs = await merged(shape, [await merged(shape, [a, c]), [], await merged(shape, [b, d])]);
        assert.deepEqual(plain(pairs), whole, 'in pairs, with the empty run');
      }),
      { numRuns: 60 },
    );
  });

  test(`${shape.kind}: rows sorted through the disk are the rows sorted in memory, and leave nothing behind`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryRow(shape.kind), { maxLength: 20 }), async (rows) => {
        const inMemory = plain(sortInMemory(shape, [...rows]));
        const spilled = await collect(sortRows(shape, rows, { memoryBytes: 1500, scratch: folder }));
        assert.deepEqual(plain(spilled), inMemory);
        const path = join(folder, `${shape.kind}.jsonl`);
        await writeRun(path, shape, spilled);
        assert.deepEqual(plain(await collect(readRun(path, shape))), inMemory);
        await rm(path);
      }),
      { numRuns: 25 },
    );
    assert.deepEqual(await readdir(folder), []);
  });

  test(`${shape.kind}: heads merge by the same algebra`, async () => {
    const metas = fc.tuple(arbitraryMeta(shape), arbitraryMeta(shape), arbitraryMeta(shape));
    fc.assert(
      fc.property(metas, ([a, b, c]) => {
        const all = mergeMetas([a, b, c]);
        assert.deepEqual(mergeMetas([c, a, b]), all);
        assert.deepEqual(mergeMeta(a, mergeMeta(b, c)), all);
        assert.deepEqual(mergeMeta(mergeMeta(undefined, all), undefined), all);
      }),
    );
    const path = join(folder, 'meta.json');
    await fc.assert(
      fc.asyncProperty(arbitraryMeta(shape), async (meta) => {
        await writeMeta(path, meta);
        assert.deepEqual(await readMeta(path), structuredClone(meta));
      }),
      { numRuns: 20 },
    );
    await rm(path);
  });
}

test('events merged as bytes are the events merged as rows', async () => {
  await fc.assert(
    fc.asyncProperty(splitRows(eventsShape), async (parts) => {
      const paths = parts.map((_, i) => join(folder, `part-${i}.jsonl`));
      for (const [i, rows] of parts.entries()) await writeRun(paths[i] ?? '', eventsShape, rows);
      const out = join(folder, 'out.jsonl');
      await mergeLineFiles(paths, out);
      const rows = await collect(readRun(out, eventsShape));
      const times = rows.map((row) => row.key[0] as bigint);
      assert.deepEqual(
        times,
        [...times].sort((x, y) => Number(x - y)),
      );
      assert.deepEqual(
        plain(sortInMemory(eventsShape, rows)),
        plain(sortInMemory(eventsShape, parts.flat())),
      );
      const grouped = join(folder, 'grouped.jsonl');
      await mergeLineFiles(paths.slice(2).reverse(), grouped);
      await mergeLineFiles([grouped, ...paths.slice(0, 2)], join(folder, 'again.jsonl'));
      assert.deepEqual(
        await collect(readRun(join(folder, 'again.jsonl'), eventsShape)),
        await collect(readRun(out, eventsShape)),
      );
    }),
    { numRuns: 25 },
  );
});

test('keys have one total order: null, booleans, numbers, text by code point, lists', () => {
  const values: Value[] = [
    null,
    false,
    true,
    -5n,
    -1,
    0,
    1n,
    1.5,
    2 ** 53,
    (1n << 53n) + 1n,
    '',
    'a',
    '\uffff',
    '\u{10000}',
    [],
    ['a'],
    ['a', 'b'],
  ];
  for (const [i, a] of values.entries())
    for (const [j, b] of values.entries())
      assert.equal(Math.sign(compareKeys([a], [b])), Math.sign(i - j), `${String(a)} and ${String(b)}`);
  assert.equal(compareKeys([5n], [5]), 0);
});

test('a run that is not sorted is refused, with the row', async () => {
  const rows = sampleRows('table').reverse();
  await assert.rejects(merged(tableShape, [[], rows]), { code: 'OutOfOrder', message: /Row 2 of input 2/ });
  assert.ok(compareRows(rows[0] as Row, rows[1] as Row) > 0);
});

test('heads of different jobs do not merge', () => {
  const [a] = fc.sample(arbitraryMeta(tableShape), 1);
  assert.ok(a);
  assert.throws(() => mergeMeta(a, { ...a, trace: { name: 'other', parameters: {} } }), { code: 'Mismatch' });
});
