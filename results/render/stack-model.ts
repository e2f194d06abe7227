// Flame graphs as arithmetic, without a screen: which stacks are chosen, folded into a tree, laid out, searched. Neighbours:
// report-data.ts is what it reads, browser/stacks.ts draws it. Trees are arrays in preorder, so that 100,000 frames are nothing.

import type { StacksBlock } from './report-data.ts';

/** What the reader has chosen to see. */
export interface StackChoice {
  /** By group: in or out. */
  groups: boolean[];
  /** Index of the weight. */
  weight: number;
  kernel: boolean;
  inlined: boolean;
  /** Callers above their callees: rooted at what was running. */
  reversed: boolean;
  /** Only stacks in which this frame stands; −1: all. */
  containing: number;
}

/** Preorder: a node's subtree is [i, end[i]). Node 0 is the root; its frame is −1. */
export interface StackTree {
  size: number;
  frame: Int32Array;
  parent: Int32Array;
  depth: Int32Array;
  end: Int32Array;
  total: Float64Array;
  self: Float64Array;
  /** Where it begins, in weight from the left of the root. */
  start: Float64Array;
}

/** Node `i`'s frames, outermost first, without those that are switched off. */
function framesOf(data: StacksBlock, choice: StackChoice, node: number): number[] {
  const frames: number[] = [];
  for (let i = node; i >= 0; i = data.parent[i] ?? -1) {
    const frame = data.frame[i] ?? -1;
    const kind = data.frames.kind[frame];
    if ((kind === 'kernel' && !choice.kernel) || (kind === 'inlined' && !choice.inlined)) continue;
    frames.push(frame);
  }
  return choice.reversed ? frames : frames.reverse();
}

/** Folds the chosen stacks into one tree; siblings stand heaviest first. `weights`: one number for each leaf. */
export function buildTree(data: StacksBlock, choice: StackChoice, weights: ArrayLike<number>): StackTree {
  const frame = [-1];
  const total = [0];
  const self = [0];
  const children: (Map<number, number> | undefined)[] = [undefined];
  data.leafNode.forEach((node, leaf) => {
    const weight = weights[leaf] ?? 0;
    if (weight === 0 || choice.groups[data.leafGroup[leaf] ?? -1] !== true) return;
    const frames = framesOf(data, choice, node);
    if (choice.containing >= 0 && !frames.includes(choice.containing)) return;
    let at = 0;
    total[0] = (total[0] ?? 0) + weight;
    for (const next of frames) {
      children[at] ??= new Map();
      let child = children[at]?.get(next);
      if (child === undefined) {
        child = frame.length;
        frame.push(next);
        total.push(0);
        self.push(0);
        children.push(undefined);
        children[at]?.set(next, child);
      }
      at = child;
      total[at] = (total[at] ?? 0) + weight;
    }
    self[at] = (self[at] ?? 0) + weight;
  });
  return layOut(data, frame, total, self, children);
}

function layOut(
  data: StacksBlock,
  frame: number[],
  total: number[],
  self: number[],
  children: (Map<number, number> | undefined)[],
): StackTree {
  const size = frame.length;
  const tree: StackTree = {
    size,
    frame: new Int32Array(size),
    parent: new Int32Array(size),
    depth: new Int32Array(size),
    end: new Int32Array(size),
    total: new Float64Array(size),
    self: new Float64Array(size),
    start: new Float64Array(size),
  };
  const name = (node: number) => data.frames.name[frame[node] ?? -1] ?? '';
  let next = 0;
  // Not recursive: stacks of thousands of frames are real.
  const todo: { node: number; parent: number; depth: number; start: number }[] = [
    { node: 0, parent: -1, depth: 0, start: 0 },
  ];
  for (let item = todo.pop(); item !== undefined; item = todo.pop()) {
    const { node, parent, depth, start } = item;
    const i = next++;
    tree.frame[i] = frame[node] ?? -1;
    tree.parent[i] = parent;
    tree.depth[i] = depth;
    tree.total[i] = total[node] ?? 0;
    tree.self[i] = self[node] ?? 0;
    tree.start[i] = start;
    const under = [...(children[node]?.values() ?? [])].sort(
      (a, b) => (total[b] ?? 0) - (total[a] ?? 0) || (name(a) < name(b) ? -1 : 1),
    );
    let right = start;
    const items = under.map((child) => {
      const from = right;
      right += total[child] ?? 0;
      return { node: child, parent: i, depth: depth + 1, start: from };
    });
    todo.push(...items.reverse());
  }
  tree.end.fill(0);
  for (let i = size - 1; i >= 0; i--) {
    const end = Math.max(tree.end[i] ?? 0, i + 1);
    tree.end[i] = end;
    const parent = tree.parent[i] ?? -1;
    if (parent >= 0) tree.end[parent] = Math.max(tree.end[parent] ?? 0, end);
  }
  return tree;
}

export interface FunctionTotals {
  frame: number;
  self: number;
  /** Once per stack, however often a function recurs in it. */
  total: number;
}

/** Self and total of each frame of an unreversed tree, heaviest self first. */
export function functionTotals(tree: StackTree): FunctionTotals[] {
  const byFrame = new Map<number, FunctionTotals>();
  const open = new Map<number, number>();
  const path: number[] = [];
  for (let i = 1; i < tree.size; i++) {
    while (path.length > 0 && (tree.end[path[path.length - 1] ?? 0] ?? 0) <= i) {
      const left = tree.frame[path.pop() ?? 0] ?? -1;
      open.set(left, (open.get(left) ?? 1) - 1);
    }
    const frame = tree.frame[i] ?? -1;
    let entry = byFrame.get(frame);
    if (entry === undefined) {
      entry = { frame, self: 0, total: 0 };
      byFrame.set(frame, entry);
    }
    entry.self += tree.self[i] ?? 0;
    const inside = open.get(frame) ?? 0;
    if (inside === 0) entry.total += tree.total[i] ?? 0;
    open.set(frame, inside + 1);
    path.push(i);
  }
  return [...byFrame.values()].sort((a, b) => b.self - a.self || b.total - a.total);
}

/** The weight under nodes whose frame matches, each stack counted once; within `zoom`'s subtree. */
export function matchedWeight(tree: StackTree, matches: (frame: number) => boolean, zoom: number): number {
  let sum = 0;
  const end = tree.end[zoom] ?? 0;
  for (let i = zoom; i < end; ) {
    if (matches(tree.frame[i] ?? -1)) {
      sum += tree.total[i] ?? 0;
      i = tree.end[i] ?? end;
    } else i++;
  }
  return sum;
}
