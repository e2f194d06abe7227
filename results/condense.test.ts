// Many stacks told as few: every weight that is shown is the true one, nothing is lost, and no memory bound changes either.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type CondenseLimits, condense, usualLimits } from './condense.ts';
import { type Condensed, foldedFrame, rowsFile } from './condensed.ts';
import { digest } from './digest.ts';
import { mappedKey } from './key-detail.ts';
import { foldRows } from './order.ts';
import { writeResult } from './publish.ts';
import { jsonText } from './row-json.ts';
import { readRun, writeRun } from './run.ts';
import { arbitraryRow, collect, metaOf, stacksShape } from './samples.ts';
import type { Row, StacksShape } from './shape.ts';
import { sortInMemory } from './sort.ts';
import { viewOfRows } from './view.ts';

type StackRow = Row & { kind: 'stacks' };

const shape: StacksShape = {
  ...stacksShape,
  weights: [
    ...stacksShape.weights,
    { name: 'longestNs', type: 'integer', unit: 'ns', description: 'The longest', fold: 'max' },
  ],
};

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonde-condense-'));
});
after(() => rm(folder, { recursive: true }));

const someRows = fc
  .array(fc.tuple(arbitraryRow('stacks'), fc.bigInt({ min: 0n, max: 1n << 70n })), {
    minLength: 2,
    maxLength: 60,
  })
  .map((list) =>
    sortInMemory(
      shape,
      list.map(([row, longest]) => {
        const { value, ...rest } = row as StackRow;
        return { ...rest, value: [...value, longest] };
      }),
    ),
  );

async function condensed(
  rows: readonly Row[],
  limits: Partial<CondenseLimits>,
): Promise<{ about: Condensed | undefined; rows: StackRow[] }> {
  const [run, to] = [join(folder, 'run'), join(folder, 'fewer')];
  await writeRun(run, shape, rows);
  const about = await condense(shape, run, to, { ...usualLimits, ...limits });
  return { about, rows: about ? ((await collect(readRun(to, shape))) as StackRow[]) : [] };
}

/** What the rows must be: the same, with less exact keys. */
function addedUp(rows: readonly Row[], over: readonly string[]): Map<string, StackRow> {
  const detail =
    over.length === 0
      ? 'All'
      : over.includes('namespace')
        ? 'None'
        : over.includes('process')
          ? 'Containers'
          : 'Kinds';
  const sums = new Map<string, StackRow>();
  for (const row of rows as StackRow[]) {
    const mapped = { ...row, key: mappedKey(shape, row.key, detail) };
    const id = jsonText([mapped.key, mapped.frames]);
    const known = sums.get(id);
    sums.set(id, (known ? foldRows(shape, known, mapped) : mapped) as StackRow);
  }
  return sums;
}

function totalOf(rows: readonly Row[]): bigint {
  return (rows as StackRow[]).reduce((sum, { value }) => sum + (value[0] ?? 0n), 0n);
}

const isFolded = ({ frames }: StackRow) => frames.at(-1)?.name === foldedFrame.name;

function checked(all: readonly Row[], about: Condensed, rows: readonly StackRow[]): void {
  assert.equal(about.rows, all.length);
  assert.equal(totalOf(rows), totalOf(all), 'nothing is lost');
  const sums = addedUp(all, about.over);
  for (const row of rows) {
    if (isFolded(row)) continue;
    const id = jsonText([row.key, row.frames]);
    assert.deepEqual(row.value.map(String), sums.get(id)?.value.map(String), `${id} has its exact weights`);
    sums.delete(id);
  }
  for (const { value } of sums.values())
    assert.ok((value[0] ?? 0n) <= about.bound, 'what is missing is light');
}

test('what is shown has its exact weight, the rest is in its callers, whatever the bounds', async () => {
  await fc.assert(
    fc.asyncProperty(
      someRows,
      fc.record({
        rows: fc.nat({ max: 20 }),
        nodes: fc.integer({ min: 8, max: 200 }),
        groups: fc.integer({ min: 1, max: 40 }),
        frames: fc.integer({ min: 2, max: 100 }),
      }),
      async (all, limits) => {
        const { about, rows } = await condensed(all, limits);
        if (all.length <= limits.rows) assert.equal(about, undefined);
        else checked(all, about as Condensed, rows);
      },
    ),
    { numRuns: 40, endOnFailure: true },
  );
});

/** A stack of each of so many pods: one of four. */
function replicas(count: number): StackRow[] {
  return Array.from({ length: count }, (_, i) => ({
    kind: 'stacks' as const,
    key: [`node-${String(i).padStart(2, '0')}`, 'shop', `pod-${i}`, 'api', 'java', i],
    frames: [
      { name: 'main', kind: 'user' as const },
      { name: `f${i % 4}`, kind: 'kernel' as const },
    ],
    value: [BigInt(i), BigInt(i)],
  }));
}

test('replicas are added up before any stack is left out', async () => {
  const all = replicas(40);
  const { about, rows } = await condensed(all, { rows: 10 });
  assert.deepEqual(about?.over, ['node', 'pod', 'pid']);
  assert.equal(about?.folded, 0);
  assert.deepEqual(
    rows.map(({ frames, value }) => [frames.at(-1)?.name, ...value]),
    [0, 1, 2, 3].map((f) => [`f${f}`, BigInt(10 * f + 180), BigInt(36 + f)]),
  );
});

test('headline and hot functions are of all rows', async () => {
  await fc.assert(
    fc.asyncProperty(someRows, async (all) => {
      const { about } = await condensed(all, { rows: 0, nodes: 200 });
      const whole = await digest(viewOfRows(metaOf(shape, 'sample'), all));
      assert.ok(about && whole.kind === 'stacks');
      assert.equal(about.digest.total, whole.total);
      const plain = ({ frame, self, total }: (typeof whole.functions)[number]) =>
        [frame.name, frame.kind === 'kernel', frame.module, self, total].map(String);
      assert.deepEqual(about.digest.functions.map(plain).sort(), whole.functions.map(plain).sort());
      assert.deepEqual(
        about.digest.blamed.map(plain).sort(),
        whole.blamed
          .filter(({ self }) => self > 0n)
          .map(plain)
          .sort(),
      );
    }),
    { numRuns: 40, endOnFailure: true },
  );
});

test('a folder of a condensed result has every row in a file, and the others say so', async () => {
  const all = replicas(40);
  const run = join(folder, 'whole');
  await writeRun(run, shape, all);
  const output = join(folder, 'output');
  const limits = { ...usualLimits, rows: 10 };
  const { artifacts } = await writeResult({ meta: metaOf(shape, 'sample'), rows: run }, output, { limits });
  assert.deepEqual((await readdir(output)).sort(), artifacts.map(({ name }) => name).sort());
  assert.deepEqual(await readFile(join(output, rowsFile)), await readFile(run));
  const result = JSON.parse(await readFile(join(output, 'result.json'), 'utf8'));
  assert.equal(result.data.whole.rows, all.length);
  for (const name of ['summary.txt', 'report.html', 'flamegraph.svg'])
    assert.match(await readFile(join(output, name), 'utf8'), /This is of \d+ stacks/, name);
});
