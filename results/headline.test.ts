// What a job's status may say of a result: one line and a few rows, without what only the job's own readers may see.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { digest } from './digest.ts';
import { escapeTerminal } from './escape.ts';
import { headline, summaryRows } from './headline.ts';
import { publicFunction } from './public.ts';
import { renderSummary } from './render/summary.ts';
import { jsonText } from './row-json.ts';
import {
  arbitraryRow,
  eventsShape,
  histogramShape,
  metaOf,
  sampleRows,
  shapes,
  stacksShape,
  start,
  tableShape,
} from './samples.ts';
import type { Row, Shape } from './shape.ts';
import { sortInMemory } from './sort.ts';
import { viewOfRows } from './view.ts';

async function about(shape: Shape, rows = sampleRows(shape.kind)) {
  const view = viewOfRows(metaOf(shape, 'sample'), rows);
  const made = await digest(view);
  return {
    meta: view.meta,
    digest: made,
    headline: headline(view.meta, made),
    rows: summaryRows(view.meta, made),
  };
}

test('each shape has its sentence, and every sentence says what was lost', async () => {
  const lines = [];
  for (const shape of [stacksShape, tableShape, histogramShape, eventsShape])
    lines.push((await about(shape)).headline);
  assert.deepEqual(lines, [
    '41% of samples in json.Unmarshal (0.4% lost)',
    '99% of time in evil\\x1b[31m read (9,223,372,037 s) (0.4% lost)',
    'latency: half below 16.4 µs, 99% below 2.1 ms, of 151 (0.4% lost)',
    '12,300 events, 50% by api (0.4% lost)',
  ]);
});

test("a column's noun is what the sentence calls it", async () => {
  const [weight] = stacksShape.weights;
  assert.ok(weight);
  const shape: Shape = { ...stacksShape, weights: [{ ...weight, noun: 'CPU' }] };
  assert.equal((await about(shape)).headline, '41% of CPU in json.Unmarshal (0.4% lost)');
});

test('a result without rows says so', async () => {
  assert.equal((await about(stacksShape, [])).headline, 'Nothing was seen (0.4% lost)');
});

test('a kernel function is blamed on the function that called into the kernel', async () => {
  const frames: (Row & { kind: 'stacks' })['frames'] = [
    { name: 'main', kind: 'user', module: '/app/api' },
    { name: 'read_config', kind: 'user', module: '/app/api' },
    { name: 'schedule', kind: 'kernel' },
  ];
  const key = ['n', null, null, 'c', 'api', 1];
  const { headline: line } = await about(stacksShape, [{ kind: 'stacks', key, frames, value: [9n] }]);
  assert.equal(line, '100% of samples in read_config (0.4% lost)');
});

test('names of functions lose the paths that runtimes put into them', () => {
  const of = (name: string, kind: 'user' | 'jit') => publicFunction({ name, kind });
  assert.equal(of('JS:*parse /srv/shop/src/index.js:10:5', 'jit'), 'JS:*parse');
  assert.equal(of('py::handle:/srv/shop/app.py', 'jit'), 'py::handle');
  assert.equal(of('LazyCompile:~run src/secret/x.js:1', 'jit'), 'LazyCompile:~run');
  assert.equal(of('github.com/acme/shop/cart.(*Cart).Add', 'user'), 'cart.(*Cart).Add');
  assert.equal(of('/srv/shop/api+0x12af', 'user'), 'api+0x12af');
  assert.equal(of('operator/(Money const&, int)', 'user'), '(Money const&, int)');
});

test('no summary is longer than 8 KiB, and none holds a column that may give something away', async () => {
  for (const shape of shapes)
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryRow(shape.kind), { maxLength: 80 }), async (rows) => {
        const { rows: summary, headline: line } = await about(shape, sortInMemory(shape, rows));
        assert.ok(Buffer.byteLength(jsonText(summary)) <= 8192);
        assert.ok(line.length <= 200 && line === escapeTerminal(line), line);
        for (const row of summary)
          for (const name of Object.keys(row)) assert.ok(!['path', 'arguments'].includes(name));
      }),
      { numRuns: 30 },
    );
  const { headline: line, rows } = await about(eventsShape);
  assert.doesNotMatch(line + jsonText(rows), /passwd|secret/);
});

test('nothing in summary.txt can move the cursor, colour or reorder text', async () => {
  for (const shape of shapes)
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryRow(shape.kind), { maxLength: 10 }), async (rows) => {
        const { meta, digest: made } = await about(shape, sortInMemory(shape, rows));
        const text = renderSummary(meta, made);
        assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
      { numRuns: 20 },
    );
});

test('events are counted by process and container, up to a bound that the summary names', async () => {
  const row = (i: number): Row => ({
    kind: 'events',
    key: [start + BigInt(i), 'n', null, null, i % 4 === 0 ? 'a' : 'b'],
    value: ['p', i, '/x', [], null],
  });
  const rows = Array.from({ length: 50_001 }, (_, i) => row(i));
  const { digest: made, meta, headline: line } = await about(eventsShape, rows);
  assert.ok(made.kind === 'events' && !made.complete);
  assert.deepEqual(made.groups, [
    { owner: 'b', process: 'p', count: 37_500n },
    { owner: 'a', process: 'p', count: 12_500n },
  ]);
  assert.equal(line, '12,300 events, 75% of the first 50,000 by p (0.4% lost)');
  assert.match(renderSummary(meta, made), /counted over the first 50,000 events/);
});

test('stacks that differ by their addresses alone are one to a reader, and no pid is said twice', async () => {
  const shape: Shape = {
    kind: 'stacks',
    keys: [
      { name: 'process', type: 'text', description: '' },
      { name: 'pid', type: 'integer', description: '' },
      { name: 'containerPid', type: 'integer', description: '' },
    ],
    weights: [{ name: 'samples', type: 'integer', fold: 'sum', description: '' }],
  };
  const row = (line: number, containerPid: number, value: bigint): Row => ({
    kind: 'stacks',
    key: ['n', null, null, 'c', 'api', 7, containerPid],
    frames: [
      { name: 'main', kind: 'user', module: '/app/api' },
      { name: 'hash', kind: 'user', module: '/app/api', line },
    ],
    value: [value],
  });
  const { meta, digest: made } = await about(shape, [row(1, 7, 30n), row(2, 7, 20n), row(2, 1, 50n)]);
  assert.equal(made.rows, 2);
  const text = renderSummary(meta, made);
  assert.match(text, /^50% .*api 7\n {4}hash\n {4}main$/m);
  assert.match(text, /^50% .*api 7 1$/m);
});
