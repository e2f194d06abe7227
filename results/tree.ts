// Stacks folded into one call tree with a weight for each function: what a flame graph draws.
// Neighbours: results/view.ts gives the rows; results/render/flamegraph.ts and report.ts draw the tree.

import { allColumns, ownerName, ownerOf, pidIndex, processIndex } from './columns.ts';
import type { Row, StackFrame, StacksShape } from './shape.ts';

export interface TreeNode {
  name: string;
  /** `root`, and the levels put above the frames, are not frames. */
  kind: StackFrame['kind'] | 'root' | 'container' | 'process';
  module?: string;
  /** Weight of stacks that end here, and of all that pass here. Sums, whatever the weight's fold. */
  self: bigint;
  total: bigint;
  /** Heaviest first, then by name. */
  children: TreeNode[];
}

/** A level above the outermost frame. */
export type TreeLevel = 'container' | 'process';

export interface TreeOptions {
  /** Needed to name levels. */
  shape: StacksShape;
  /** Index into the shape's weights; the first by default. */
  weight?: number;
  /** Put above the frames, in this order; none by default. */
  levels?: readonly TreeLevel[];
  /** Rows to count; all by default. */
  filter?: (row: Row & { kind: 'stacks' }) => boolean;
}

interface Growing {
  node: TreeNode;
  byName: Map<string, Growing>;
}

/** Reads all rows once. Frames with the same name, kind and module under the same caller are one node: file and line do not tell functions apart. */
export async function buildTree(rows: AsyncIterable<Row>, options: TreeOptions): Promise<TreeNode> {
  const root = growing({ name: 'all', kind: 'root' });
  const weight = options.weight ?? 0;
  for await (const row of rows) {
    if (row.kind !== 'stacks') continue;
    if (options.filter && !options.filter(row)) continue;
    const amount = row.value[weight] ?? 0n;
    let at = root;
    at.node.total += amount;
    for (const level of options.levels ?? []) {
      at = child(at, { name: levelName(options.shape, row, level), kind: level });
      at.node.total += amount;
    }
    for (const frame of row.frames) {
      at = child(at, frame);
      at.node.total += amount;
    }
    at.node.self += amount;
  }
  return finished(root);
}

/** The name that a row has at a level: the container with its pod, or the process with its pid where the shape tells. */
export function levelName(shape: StacksShape, row: Row & { kind: 'stacks' }, level: TreeLevel): string {
  if (level === 'container') return ownerName(ownerOf(shape, row));
  const name = row.key[processIndex(shape)];
  const pid = row.key[pidIndex(shape)];
  const known = typeof name === 'string' && name !== '' ? name : 'process';
  return pid === undefined || pid === null ? known : `${known}-${pid}`;
}

/** Whether a level can be told for this shape: without a process column there is no process level. */
export function hasLevel(shape: StacksShape, level: TreeLevel): boolean {
  if (level === 'container') return true;
  return allColumns(shape).some((column) => column.name === 'process' || column.name === 'pid');
}

function growing(start: Pick<TreeNode, 'name' | 'kind'> & { module?: string }): Growing {
  const node: TreeNode = { name: start.name, kind: start.kind, self: 0n, total: 0n, children: [] };
  if (start.module !== undefined) node.module = start.module;
  return { node, byName: new Map() };
}

/** Equal frames of a run are the same object (results/stack-lines.ts): what is made of one is made once. */
const names = new WeakMap<object, string>();

function child(parent: Growing, start: Pick<TreeNode, 'name' | 'kind'> & { module?: string }): Growing {
  const name = names.get(start) ?? `${start.kind}\0${start.module ?? ''}\0${start.name}`;
  names.set(start, name);
  const known = parent.byName.get(name);
  if (known) return known;
  const made = growing(start);
  parent.byName.set(name, made);
  parent.node.children.push(made.node);
  return made;
}

/** Children in order, without recursion: a hostile stack may be deep. */
function finished(root: Growing): TreeNode {
  const pending = [root];
  for (let at = pending.pop(); at; at = pending.pop()) {
    at.node.children.sort(heavierFirst);
    for (const each of at.byName.values()) pending.push(each);
    at.byName.clear();
  }
  return root.node;
}

function heavierFirst(a: TreeNode, b: TreeNode): number {
  if (a.total !== b.total) return a.total > b.total ? -1 : 1;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0;
}
