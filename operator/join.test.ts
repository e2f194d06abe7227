// Runs put together, whether they lie apart or overlap, are what one node that saw it all would have written.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { mergeRuns } from '../results/merge.ts';
import { readRun, writeRun } from '../results/run.ts';
import { collect, sampleRows, shapes } from '../results/samples.ts';
import type { Row, Shape } from '../results/shape.ts';
import { sortInMemory } from '../results/sort.ts';
import { readSummary } from '../results/stack-file.ts';
import { joinRuns } from './join.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonde-join-'));
});
after(() => rm(folder, { recursive: true }));

/** The sample's rows as another node would have them. */
function rowsOf(shape: Shape, node: string): Row[] {
  const at = shape.kind === 'events' ? 1 : 0;
  const rows = sampleRows(shape.kind).map((row) => ({ ...row, key: row.key.with(at, node) }));
  return sortInMemory(shape, rows);
}

async function runOf(shape: Shape, name: string, rows: Row[]): Promise<string> {
  const path = join(folder, name);
  await writeRun(path, shape, rows);
  return path;
}

async function merged(shape: Shape, paths: string[]): Promise<Row[]> {
  return collect(
    mergeRuns(
      shape,
      paths.map((each) => readRun(each, shape)),
    ),
  );
}

async function joined(shape: Shape, paths: string[]): Promise<Row[]> {
  const path = await joinRuns(shape, paths, folder);
  const rows = await collect(readRun(path, shape));
  if (shape.kind === 'stacks') {
    const { rows: count, range } = await readSummary(path, shape);
    assert.equal(count, rows.length);
    assert.deepEqual([range?.first, range?.last], [rows[0]?.key, rows.at(-1)?.key]);
  }
  return rows;
}

for (const shape of shapes) {
  test(`${shape.kind}: nodes in any order, one of them empty`, async () => {
    const paths = [
      await runOf(shape, 'c', rowsOf(shape, 'node-c')),
      await runOf(shape, 'a', rowsOf(shape, 'node-a')),
      await runOf(shape, 'none', []),
      await runOf(shape, 'b', rowsOf(shape, 'node-b')),
    ];
    const expected = await merged(shape, paths);
    assert.deepEqual(await joined(shape, paths), expected);
    assert.ok(expected.length > 0);
  });

  test(`${shape.kind}: runs of one node overlap, and their rows fold`, async () => {
    const paths = [
      await runOf(shape, 'first', rowsOf(shape, 'node-a')),
      await runOf(shape, 'second', rowsOf(shape, 'node-a')),
    ];
    const expected = await merged(shape, paths);
    assert.deepEqual(await joined(shape, paths), expected);
  });
}

test('more runs than may be open at once are merged in rounds', async () => {
  const [shape] = shapes as [Shape];
  const paths: string[] = [];
  for (let i = 0; i < 150; i++) paths.push(await runOf(shape, `many-${i}`, rowsOf(shape, 'node-a')));
  const expected = await merged(shape, paths);
  assert.deepEqual(await joined(shape, paths), expected);
});

test('one run is used as it is', async () => {
  const [shape] = shapes as [Shape];
  const path = await runOf(shape, 'one', rowsOf(shape, 'node-a'));
  assert.equal(await joinRuns(shape, [path], folder), path);
});
