// Gathers all stacks of a result into the one block that a report embeds. Neighbours: report.ts calls it, report-data.ts is the format,
// stack-model.ts folds it again as the reader chooses.

import { keyColumns } from '../columns.ts';
import { foldedFrame } from '../condensed.ts';
import type { Row, StackFrame, StacksShape, Value } from '../shape.ts';
import { packRows } from './pack.ts';
import type { StacksBlock } from './report-data.ts';

/** As many nodes as a browser rebuilds while one waits; lighter ones are folded into their callers. */
export const mostNodes = 150_000;

interface KnownFrame {
  frame: StackFrame;
  file: string;
  from: number;
  to: number;
}

interface Leaf {
  node: number;
  group: number;
  weights: bigint[];
}

interface Gathered {
  frames: KnownFrame[];
  parent: number[];
  frame: number[];
  groups: Value[][];
  leaves: Leaf[];
}

/** Functions are told apart by kind, module and name; the lines they were seen at become a range. */
function frameTable(): { frames: KnownFrame[]; place(frame: StackFrame): number } {
  const frames: KnownFrame[] = [];
  const places = new Map<string, number>();
  /** Equal frames of a run are the same object (results/stack-lines.ts). */
  const seen = new WeakMap<StackFrame, number>();
  const placeOf = (frame: StackFrame): number => {
    const id = `${frame.kind}\0${frame.module ?? ''}\0${frame.name}`;
    const line = frame.line ?? 0;
    const known = places.get(id);
    if (known === undefined) {
      places.set(id, frames.length);
      frames.push({ frame, file: frame.file ?? '', from: line, to: line });
      return frames.length - 1;
    }
    const entry = frames[known];
    if (entry !== undefined && line > 0 && frame.file === entry.file) {
      entry.from = entry.from === 0 ? line : Math.min(entry.from, line);
      entry.to = Math.max(entry.to, line);
    }
    return known;
  };
  return {
    frames,
    place(frame) {
      const known = seen.get(frame);
      if (known !== undefined) return known;
      const place = placeOf(frame);
      seen.set(frame, place);
      return place;
    },
  };
}

async function gather(rows: AsyncIterable<Row>, shape: StacksShape): Promise<Gathered> {
  const table = frameTable();
  const gathered: Gathered = { frames: table.frames, parent: [], frame: [], groups: [], leaves: [] };
  const children: (Map<number, number> | undefined)[] = [];
  const roots = new Map<number, number>();
  const groups = new Map<string, number>();
  const leaves: (Map<number, Leaf> | undefined)[] = [];
  for await (const row of rows) {
    if (row.kind !== 'stacks') continue;
    let node = -1;
    // A stack that could not be read at all still has its weight.
    const frames: StackFrame[] = row.frames.length > 0 ? row.frames : [{ name: '(no stack)', kind: 'user' }];
    for (const each of frames) {
      const frame = table.place(each);
      if (node >= 0) children[node] ??= new Map();
      const under = node < 0 ? roots : children[node];
      let next = under?.get(frame);
      if (next === undefined) {
        next = gathered.parent.push(node) - 1;
        gathered.frame.push(frame);
        under?.set(frame, next);
      }
      node = next;
    }
    const id = row.key.map(String).join('\0');
    let group = groups.get(id);
    if (group === undefined) {
      group = gathered.groups.push(row.key) - 1;
      groups.set(id, group);
    }
    leaves[node] ??= new Map();
    const known = leaves[node]?.get(group);
    if (known === undefined) {
      const leaf = { node, group, weights: [...row.value] };
      leaves[node]?.set(group, leaf);
      gathered.leaves.push(leaf);
    } else known.weights = known.weights.map((weight, i) => fold(shape, i, weight, row.value[i] ?? 0n));
  }
  return gathered;
}

function fold(shape: StacksShape, index: number, a: bigint, b: bigint): bigint {
  const how = shape.weights[index]?.fold ?? 'sum';
  if (how === 'sum') return a + b;
  return (how === 'min') === a < b ? a : b;
}

/** Keeps the heaviest nodes (callers are never lighter than what they call, so what is kept is a tree) and moves the weight of the others
 *  to a frame "(folded)" under the nearest kept caller. Gives how many were folded. */
function foldLight(gathered: Gathered, most: number): number {
  const { parent, frame, leaves } = gathered;
  if (parent.length <= most) return 0;
  const total = new Float64Array(parent.length);
  for (const leaf of leaves) total[leaf.node] = (total[leaf.node] ?? 0) + Number(leaf.weights[0] ?? 0n);
  for (let i = parent.length - 1; i >= 0; i--) {
    const caller = parent[i] ?? -1;
    if (caller >= 0) total[caller] = (total[caller] ?? 0) + (total[i] ?? 0);
  }
  const threshold = total.toSorted().at(-most - 1) ?? 0;
  const place = new Int32Array(parent.length).fill(-1);
  const kept: Gathered = { ...gathered, parent: [], frame: [] };
  for (let i = 0; i < parent.length; i++) {
    if ((total[i] ?? 0) <= threshold) continue;
    const caller = parent[i] ?? -1;
    place[i] = kept.parent.push(caller < 0 ? -1 : (place[caller] ?? -1)) - 1;
    kept.frame.push(frame[i] ?? 0);
  }
  const folded = gathered.frames.push({
    frame: foldedFrame,
    file: '',
    from: 0,
    to: 0,
  });
  const rests = new Map<number, number>();
  for (const leaf of leaves) {
    let node = leaf.node;
    if ((place[node] ?? -1) >= 0) {
      leaf.node = place[node] ?? -1;
      continue;
    }
    while (node >= 0 && (place[node] ?? -1) < 0) node = parent[node] ?? -1;
    const caller = node < 0 ? -1 : (place[node] ?? -1);
    let rest = rests.get(caller);
    if (rest === undefined) {
      rest = kept.parent.push(caller) - 1;
      kept.frame.push(folded - 1);
      rests.set(caller, rest);
    }
    leaf.node = rest;
  }
  const count = parent.length - (kept.parent.length - rests.size);
  gathered.parent = kept.parent;
  gathered.frame = kept.frame;
  return count;
}

function sourceOf({ file, from, to }: KnownFrame): string {
  if (file === '' || from === 0) return file;
  return from === to ? `${file}:${from}` : `${file}:${from}–${to}`;
}

/** Reads all rows. `rows`: how many stacks there were; `folded`: nodes that are not in the block one by one. */
export async function stacksBlock(
  source: AsyncIterable<Row>,
  shape: StacksShape,
  most: number = mostNodes,
): Promise<{ block: StacksBlock; rows: number; folded: number }> {
  const gathered = await gather(source, shape);
  const rows = gathered.leaves.length;
  const folded = foldLight(gathered, most);
  const { frames, leaves, groups } = gathered;
  const modules = new Map<string, number>();
  const module = frames.map(({ frame }) => {
    if (frame.module === undefined) return -1;
    const place = modules.get(frame.module) ?? modules.size;
    modules.set(frame.module, place);
    return place;
  });
  const block: StacksBlock = {
    kind: 'stacks',
    frames: {
      name: frames.map(({ frame }) => frame.name),
      kind: frames.map(({ frame }) => frame.kind),
      module,
      modules: [...modules.keys()],
      at: frames.map(sourceOf),
    },
    parent: gathered.parent,
    frame: gathered.frame,
    groups: { rows: groups.length, columns: packRows(keyColumns(shape), groups) },
    leafNode: leaves.map((leaf) => leaf.node),
    leafGroup: leaves.map((leaf) => leaf.group),
    leafWeights: packRows(
      shape.weights,
      leaves.map((leaf) => leaf.weights),
    ),
  };
  return { block, rows, folded };
}
