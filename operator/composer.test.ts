// Results are made into files beside the operator's own work: right, without holding it up, and ended with the job.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { after, before, test } from 'node:test';
import { keyColumns } from '../results/columns.ts';
import { writeRun } from '../results/run.ts';
import { metaOf, tableShape } from '../results/samples.ts';
import type { Row } from '../results/shape.ts';
import { sortInMemory } from '../results/sort.ts';
import { ComposeError, compose } from './composer.ts';
import type { FetchedRun } from './observed.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonde-compose-'));
});
after(() => rm(folder, { recursive: true }));

const never = new AbortController().signal;

/** A run of a table with so many rows, each with a key of its own and the count 1. */
async function runOf(node: string, count: number): Promise<FetchedRun> {
  const rows = Array.from(
    { length: count },
    (_, at): Row => ({
      kind: 'table',
      key: keyColumns(tableShape).map(({ type }, column) =>
        column === 0 ? node : type === 'integer' ? BigInt(at) : `${at}`,
      ),
      value: tableShape.values.map(() => 1n),
    }),
  );
  const path = join(folder, `${node}.rows`);
  await writeRun(path, tableShape, sortInMemory(tableShape, rows));
  return { meta: metaOf(tableShape, 'sample'), path };
}

test('files, headline and summary are of all runs, and the thread that asked is not held up', async () => {
  const runs = [await runOf('one', 8_000), await runOf('two', 8_000)];
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const composed = await compose(folder, runs, never);
  delay.disable();
  assert.ok(composed.artifacts.some(({ name }) => name === 'result.json'));
  const { data } = JSON.parse(await readFile(join(composed.folder, 'result.json'), 'utf8'));
  assert.equal(data.rows.length, 16_000);
  assert.notEqual(composed.headline, '');
  assert.ok(delay.max < 1e9, `held up for ${delay.max / 1e6} ms`);
});

test('a run that is damaged is told in words, with its code', async () => {
  const run = await runOf('bad', 10);
  await writeFile(run.path, 'no row\n');
  await assert.rejects(compose(folder, [run], never), (error) => {
    assert.ok(error instanceof ComposeError);
    assert.equal(error.code, 'Malformed');
    return true;
  });
});

test('a job that ends takes its thread with it', async () => {
  const run = await runOf('long', 50_000);
  const ending = new AbortController();
  const composing = compose(folder, [run], ending.signal);
  setTimeout(() => ending.abort(new Error('the job is gone')), 50);
  await assert.rejects(composing, /the job is gone/);
});
