import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StacksShape } from '../shape.ts';
import { largeStacks, smallStacks } from './fixtures.ts';
import type { StacksBlock } from './report-data.ts';
import { stacksBlock } from './report-stacks.ts';
import { searchPattern } from './search.ts';
import { buildTree, functionTotals, matchedWeight, type StackChoice, type StackTree } from './stack-model.ts';

async function blockOf(view = smallStacks()): Promise<StacksBlock> {
  return (await stacksBlock(view.rows(), view.meta.shape as StacksShape)).block;
}

function weightsOf(block: StacksBlock): number[] {
  const packed = block.leafWeights[0];
  return packed?.as === 'numbers' ? packed.values.map(Number) : [];
}

function choose(block: StacksBlock, more: Partial<StackChoice> = {}): StackChoice {
  const groups = new Array<boolean>(block.groups.rows).fill(true);
  return { groups, weight: 0, kernel: true, inlined: true, reversed: false, containing: -1, ...more };
}

function names(block: StacksBlock, tree: StackTree): string[] {
  return Array.from(tree.frame, (frame) => block.frames.name[frame] ?? 'all');
}

test('the tree holds every stack once, heaviest first', async () => {
  const block = await blockOf();
  const tree = buildTree(block, choose(block), weightsOf(block));
  assert.deepEqual(names(block, tree).slice(0, 6), [
    'all',
    '_start',
    'main',
    'http.serve',
    'json.decode',
    'json.scan',
  ]);
  assert.equal(tree.total[0], 1000);
  assert.equal(tree.total[4], 600);
  assert.equal(tree.end[0], tree.size);
});

test('totals count recursion once, self adds up to everything', async () => {
  const block = await blockOf();
  const totals = functionTotals(buildTree(block, choose(block), weightsOf(block)));
  const decode = totals.find((each) => block.frames.name[each.frame] === 'json.decode');
  assert.deepEqual([decode?.self, decode?.total], [50, 600]);
  assert.equal(
    totals.reduce((sum, each) => sum + each.self, 0),
    1000,
  );
});

test('functions seen at several lines are one frame with a range', async () => {
  const block = await blockOf();
  const at = block.frames.name.indexOf('json.decode');
  assert.equal(block.frames.at[at], 'json.go:41–77');
});

test('without kernel or inlined frames their weight goes to the caller', async () => {
  const block = await blockOf();
  const tree = buildTree(block, choose(block, { kernel: false, inlined: false }), weightsOf(block));
  const shown = names(block, tree);
  assert.ok(!shown.includes('ksys_write') && !shown.includes('json.scan'));
  assert.equal(tree.total[0], 1000);
  assert.equal(tree.self[shown.indexOf('json.decode')], 450);
  assert.equal(tree.self[shown.indexOf('http.serve')], 140);
});

test('a choice of groups and of a function leaves only their stacks', async () => {
  const block = await blockOf();
  const pods = block.groups.columns[2];
  const groups = pods?.as === 'words' ? pods.at.map((i) => pods.words[i] === 'checkout-x2k8p') : [];
  assert.equal(buildTree(block, choose(block, { groups }), weightsOf(block)).total[0], 100);
  const containing = block.frames.name.indexOf('memcpy');
  assert.equal(buildTree(block, choose(block, { containing }), weightsOf(block)).total[0], 100);
});

test('reversed, what ran stands at the root with its callers over it', async () => {
  const block = await blockOf();
  const tree = buildTree(block, choose(block, { reversed: true }), weightsOf(block));
  const shown = names(block, tree);
  assert.equal(tree.total[0], 1000);
  assert.deepEqual(shown.slice(1, 4), ['json.scan', 'json.decode', 'http.serve']);
  assert.equal(tree.depth[1], 1);
});

test('a search counts each stack once', async () => {
  const block = await blockOf();
  const tree = buildTree(block, choose(block), weightsOf(block));
  const share = (text: string) => {
    const pattern = searchPattern(text);
    return matchedWeight(tree, (frame) => pattern?.test(block.frames.name[frame] ?? '') === true, 0);
  };
  assert.equal(share('json'), 600);
  assert.equal(share('^(memcpy|ksys_write)$'), 240);
  assert.equal(share('JSON'), 0);
  assert.equal(share('('), 0);
});

test('too many nodes: the lightest are folded into their callers, no weight is lost', async () => {
  const view = largeStacks(2000);
  const whole = await stacksBlock(view.rows(), view.meta.shape as StacksShape);
  const cut = await stacksBlock(view.rows(), view.meta.shape as StacksShape, 1000);
  assert.ok(cut.folded > 0 && cut.block.parent.length < whole.block.parent.length);
  assert.ok(cut.block.parent.every((parent, i) => parent < i));
  const total = (block: StacksBlock) => buildTree(block, choose(block), weightsOf(block)).total[0];
  assert.equal(total(cut.block), total(whole.block));
});
