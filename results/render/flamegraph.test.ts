import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { buildReport } from '../../build/report.ts';
import type { StacksShape } from '../shape.ts';
import { buildTree, type TreeNode } from '../tree.ts';
import type { ResultView } from '../view.ts';
import { largeStacks, smallStacks, troubled } from './fixtures.ts';
import { type FlamegraphOptions, renderFlamegraph } from './flamegraph.ts';

before(() => buildReport());

async function draw(view: ResultView, options?: FlamegraphOptions): Promise<string> {
  return renderFlamegraph(
    await buildTree(view.rows(), { shape: view.meta.shape as StacksShape }),
    view.meta,
    options,
  );
}

/** Title, x, width and y of each frame drawn. */
function framesOf(svg: string): { title: string; x: number; width: number; y: number }[] {
  const pattern = /<title>([^<]*)<\/title><rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/g;
  return [...svg.matchAll(pattern)].map(([, title = '', x, y, width]) => ({
    title,
    x: Number(x),
    y: Number(y),
    width: Number(width),
  }));
}

test('a flame graph names each frame with its weight, share and module', async () => {
  const svg = await draw(smallStacks());
  const decode = framesOf(svg).find((frame) => frame.title.startsWith('json.decode'));
  assert.equal(decode?.title, 'json.decode\n600 samples (60.00%)\nuser, /app/server');
  assert.match(
    svg,
    />cpu-profile of shop\/checkout-cpu<[\s\S]*>1,000 samples in 60\.0 s · 2 nodes · width: samples</,
  );
});

test('a frame is as wide as its share, stands on its caller and inside it', async () => {
  const frames = framesOf(await draw(smallStacks()));
  const byName = (name: string) => frames.find((frame) => frame.title.startsWith(`${name}\n`));
  const [all, serve, decode] = [byName('all'), byName('http.serve'), byName('json.decode')];
  assert.ok(all && serve && decode);
  assert.ok(Math.abs(decode.width / all.width - 0.6) < 0.002);
  assert.ok(decode.x >= serve.x && decode.x + decode.width <= serve.x + serve.width + 0.1);
  assert.ok(decode.y < serve.y && serve.y < all.y);
});

test('hostile names end neither an element nor the script, and show what they hide', async () => {
  const svg = await draw(smallStacks(troubled));
  assert.equal(svg.match(/<script/g)?.length, 1);
  assert.equal(svg.match(/\]\]>/g)?.length, 1);
  assert.doesNotMatch(svg, /<img/);
  assert.match(svg, /\\x1b\[31m\\u202egnp\.exe\\x00\\ud800/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what XML 1.0 forbids
  assert.doesNotMatch(svg, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u);
});

test('a flame graph refers to nothing outside itself and uses nothing that static viewers lack', async () => {
  const svg = await draw(smallStacks());
  assert.doesNotMatch(
    svg.replace('xmlns="http://www.w3.org/2000/svg"', ''),
    /https?:|href|url\(|@import|foreignObject/,
  );
  assert.match(svg, /<script><!\[CDATA\[/);
});

test('frames that are too narrow are not drawn, and are counted', async () => {
  const svg = await draw(largeStacks(3000), { narrowest: 2 });
  const frames = framesOf(svg);
  assert.ok(frames.every((frame) => frame.width >= 1.9));
  const left = Number(/>([\d,]+) frames too narrow/.exec(svg)?.[1]?.replaceAll(',', ''));
  const total = (node: TreeNode): number => node.children.reduce((sum, child) => sum + total(child), 1);
  const view = largeStacks(3000);
  const tree = await buildTree(view.rows(), { shape: view.meta.shape as StacksShape });
  assert.equal(left + frames.length, total(tree));
});

test('100,000 distinct frames become a picture with at most as many as allowed', async () => {
  const svg = await draw(largeStacks(6000), { narrowest: 0.001, frames: 5000 });
  assert.ok(framesOf(svg).length <= 5000);
  assert.ok(svg.length < 2_000_000);
});

test('a stack of 20,000 frames is cut at the level limit without overflowing ours', async () => {
  const chain = (depth: number): TreeNode => {
    let node: TreeNode = { name: 'leaf', kind: 'user', self: 1n, total: 1n, children: [] };
    for (let i = 0; i < depth; i++)
      node = { name: `f${i}`, kind: 'user', self: 0n, total: 1n, children: [node] };
    return { ...node, kind: 'root', name: 'all' };
  };
  const svg = renderFlamegraph(chain(20_000), smallStacks().meta, { levels: 100 });
  assert.equal(framesOf(svg).length, 101);
  assert.match(svg, />19,900 frames too narrow or too deep/);
});

test('no samples make an empty picture, not a broken one', async () => {
  const svg = renderFlamegraph(
    { name: 'all', kind: 'root', self: 0n, total: 0n, children: [] },
    smallStacks().meta,
  );
  assert.doesNotMatch(svg, /NaN|Infinity/);
});

test('the same result makes the same picture', async () => {
  assert.equal(await draw(largeStacks(200)), await draw(largeStacks(200)));
});

test('a job that has only its gadget for a name is called after what was traced', async () => {
  const view = smallStacks();
  const [owner] = view.meta.owners;
  assert.ok(owner);
  const job = { ...view.meta.job, namespace: null, name: view.meta.trace.name };
  const svg = await draw({ ...view, meta: { ...view.meta, job, owners: [{ ...owner, container: 'make' }] } });
  assert.match(svg, />cpu-profile of .*make</);
});
