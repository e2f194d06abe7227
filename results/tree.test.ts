// Stacks folded into a call tree.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketRange, quantileBucket } from './buckets.ts';
import { allColumns } from './columns.ts';
import { escapeHtml, escapeTerminal, shorten } from './escape.ts';
import { barLines } from './render/bars.ts';
import { histogramShape, metaOf, sampleRows, shapes, stacksShape } from './samples.ts';
import { isTimed, ownerColumns, type Shape } from './shape.ts';
import { buildTree, type TreeNode } from './tree.ts';
import { formatAmount, formatShare, formatTime, parseTime } from './units.ts';
import { viewOfRows } from './view.ts';

const view = viewOfRows(metaOf(stacksShape, 'sample'), sampleRows('stacks'));

/** `name self/total` per line, indented. */
function drawn(node: TreeNode, depth = 0): string[] {
  const line = `${'  '.repeat(depth)}${node.name} ${node.self}/${node.total}`;
  return [line, ...node.children.flatMap((child) => drawn(child, depth + 1))];
}

test('equal callers share a node, the heaviest comes first', async () => {
  assert.deepEqual(drawn(await buildTree(view.rows(), { shape: stacksShape })), [
    'all 0/100',
    '  main.main 0/70',
    '    main.handle 0/41',
    '      encoding/json.Unmarshal 41/41',
    '    main.hash 0/29',
    '      rotl;32\n 29/29',
    '  JS:*parse /app/src/index.js:10:5 0/30',
    '    do_syscall_64 30/30',
  ]);
});

test('containers and processes can stand above the frames, and rows can be chosen', async () => {
  const tree = await buildTree(view.rows(), {
    shape: stacksShape,
    levels: ['container', 'process'],
    filter: (row) => row.key[3] === 'worker',
  });
  assert.deepEqual(drawn(tree).slice(0, 3), ['all 0/30', '  worker 0/30', '    node-77 0/30']);
  assert.deepEqual(
    [tree.kind, tree.children[0]?.kind, tree.children[0]?.children[0]?.kind],
    ['root', 'container', 'process'],
  );
});

test('what a terminal or a browser would act on is shown instead', () => {
  assert.equal(
    escapeTerminal('a\u001b]0;x\u0007\u202e\u{e0041}é😀\n'),
    'a\\x1b]0;x\\x07\\u202e\\u{e0041}é😀\\n',
  );
  assert.equal(escapeTerminal('\ud800x'), '\\ud800x');
  assert.equal(escapeHtml(`<b title='x'>&"`), '&lt;b title=&#39;x&#39;&gt;&amp;&quot;');
  assert.equal(shorten('ab😀cd', 4), 'ab…');
});

test('amounts have three digits and a unit, shares are never rounded to all or nothing', () => {
  assert.deepEqual(
    [0n, 999n, 1_500n, 12_345_678n, 3_600_000_000_000n].map((ns) => formatAmount(ns, 'ns')),
    ['0 ns', '999 ns', '1.5 µs', '12.3 ms', '3,600 s'],
  );
  assert.equal(formatAmount(16384n, 'bytes'), '16 KiB');
  assert.deepEqual(
    [formatShare(999_999n, 1_000_000n), formatShare(1n, 10_000n), formatShare(0n, 5n), formatShare(5n, 5n)],
    ['99%', '<0.1%', '0%', '100%'],
  );
});

test('times are written and read to the nanosecond', () => {
  const time = 1_795_514_400_000_000_007n;
  assert.equal(formatTime(time), '2026-11-24T10:00:00.000000007Z');
  assert.equal(parseTime(formatTime(time)), time);
  assert.equal(parseTime('2026-13-24T10:00:00.000000007Z'), undefined);
  assert.equal(parseTime('2026-02-30T10:00:00.000000007Z'), undefined);
  assert.equal(
    formatTime(parseTime('1970-01-01T00:00:00.000000001Z') ?? 0n),
    '1970-01-01T00:00:00.000000001Z',
  );
});

test('buckets have half-open ranges, and quantiles are the bucket that holds the rank', () => {
  const linear = { kind: 'linear', min: 0, max: 100, step: 10 } as const;
  assert.deepEqual(bucketRange(linear, 3), { from: 30n, to: 40n });
  assert.deepEqual(bucketRange({ kind: 'log2' }, 0), { from: 0n, to: 2n });
  assert.deepEqual(bucketRange({ kind: 'log2' }, 63), { from: 1n << 63n, to: 1n << 64n });
  const buckets = [
    [1, 50n],
    [4, 49n],
    [9, 1n],
  ] as const;
  assert.deepEqual(
    [1, 50, 51, 99, 99.5, 100].map((percent) => quantileBucket(buckets, percent)),
    [1, 1, 4, 4, 9, 9],
  );
  assert.equal(quantileBucket([], 50), undefined);
});

test("a shape may list the owner's columns itself: rows have them once", () => {
  for (const shape of shapes) {
    const listed: Shape = isTimed(shape)
      ? { ...shape, columns: [...shape.columns.slice(0, 1), ...ownerColumns, ...shape.columns.slice(1)] }
      : { ...shape, keys: [...ownerColumns, ...shape.keys] };
    assert.deepEqual(allColumns(listed), allColumns(shape));
  }
});

test('a histogram with a linear scale has its gaps and its end drawn', () => {
  const shape: Shape = { ...histogramShape, scale: { kind: 'linear', min: 0, max: 100, step: 10 } };
  assert.deepEqual(
    barLines(shape, [
      [2, 1n],
      [4, 4n],
    ]),
    [
      'from (included) to  count  distribution',
      '20 ns to 30 ns          1  |**********                              |',
      '30 ns to 40 ns          0  |                                        |',
      '40 ns to 50 ns          4  |****************************************|',
    ],
  );
});
