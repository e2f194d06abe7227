// A call tree without its lightest nodes: how light those must be, for so few rows as are wanted. Neighbours: results/call-tree.ts, results/condense.ts,
// results/stack-fold.ts.

import type { CallTree } from './call-tree.ts';

/** Once anything must be left out, what is lighter than this share of all is: less than a tenth of a pixel of a flame graph. */
const leastShare = 1e-5;

/** Nodes of at most this weight are too light, where the tree would be more rows than wanted. */
export function tooLight(tree: CallTree, rows: number, totals = tree.totals()): number {
  return Math.max(leastKept(tree, rows, totals) ?? 0, (totals[0] ?? 0) * leastShare);
}

/** Nodes heavier than this make as many rows as there may be; undefined where all may stay. */
function leastKept(tree: CallTree, most: number, totals: Float64Array): number | undefined {
  if (rowsWith(tree, totals) <= most) return undefined;
  let [low, high] = [0, totals[0] ?? 0];
  for (;;) {
    const middle = Math.floor((low + high) / 2);
    // Also where doubles have no number between the two.
    if (middle <= low || middle >= high) return high;
    if (rowsWith(tree, totals, middle) <= most) high = middle;
    else low = middle;
  }
}

/** How many rows the tree would be without nodes that are not heavier. */
export function rowsWith(tree: CallTree, totals = tree.totals(), least = Number.NEGATIVE_INFINITY): number {
  const gone = new Uint8Array(tree.size);
  const rest = tree.rest.has.slice(0, tree.size);
  let rows = 0;
  for (let node = 1; node < tree.size; node++) {
    const caller = tree.parent[node] as number;
    if (gone[caller] === 1 || (caller !== 0 && (totals[node] as number) <= least)) {
      gone[node] = 1;
      if (gone[caller] === 0) rest[caller] = 1;
    } else rows += tree.self.has[node] as number;
  }
  for (let node = 0; node < tree.size; node++) if (gone[node] === 0) rows += rest[node] as number;
  return rows;
}

/** The weight of what goes is its callers' rest. */
export function withoutLighter(tree: CallTree, least: number, totals = tree.totals()): CallTree {
  return tree.without(
    (node) => (totals[node] as number) > least,
    (node) => tree.frame[node] as number,
  );
}

/** How many of the nodes before that one withoutLighter keeps. */
export function keptBefore(tree: CallTree, late: number, least: number, totals: Float64Array): number {
  const gone = new Uint8Array(late);
  let kept = 1;
  for (let node = 1; node < late; node++) {
    const caller = tree.parent[node] as number;
    if (gone[caller] === 0 && (caller === 0 || (totals[node] as number) > least)) kept++;
    else gone[node] = 1;
  }
  return kept;
}
