// A result of more stacks than a person can look at, as one of fewer: the heaviest as they are, the others in their callers' frame "(folded)". What is drawn
// is made of these; the whole run is a file of its own. Neighbours: results/stack-fold.ts (reads the run), results/publish.ts.

import type { CallTree } from './call-tree.ts';
import { type Condensed, foldedFrame } from './condensed.ts';
import { ResultError } from './errors.ts';
import { leftOut } from './key-detail.ts';
import { rowsWith, tooLight, withoutLighter } from './lighter.ts';
import { compareRows } from './order.ts';
import { writeRun } from './run.ts';
import type { Row, StackFrame, StacksShape } from './shape.ts';
import { sortInMemory } from './sort.ts';
import { readStackBlocks, readSummary } from './stack-file.ts';
import { type FoldLimits, StackFold } from './stack-fold.ts';
import { topOf } from './top.ts';

type StackRow = Row & { kind: 'stacks' };

/** `rows`: of the condensed run; a run that has no more is left as it is. */
export type CondenseLimits = FoldLimits;

export const usualLimits: CondenseLimits = {
  rows: 25_000,
  nodes: 1_000_000,
  groups: 256,
  frames: 500_000,
  frameBytes: 64 << 20,
};

const hottest = 10;

/** Writes the condensed run of a run; undefined where that has few enough rows to be shown whole. */
export async function condense(
  shape: StacksShape,
  path: string,
  to: string,
  limits: CondenseLimits = usualLimits,
): Promise<Condensed | undefined> {
  const { rows, keys } = await readSummary(path, shape);
  if (rows <= limits.rows) return undefined;
  const fold = new StackFold(shape, limits, { rows, keys });
  await read(fold, path);
  if (fold.incomplete && !fold.settle()) {
    fold.again();
    await read(fold, path);
  }
  while (rowsWith(fold.tree) > limits.rows && fold.tellLess());
  const whole = !fold.incomplete && rowsWith(fold.tree) <= limits.rows;
  const least = whole ? 0 : tooLight(fold.tree, limits.rows);
  const tree = whole ? fold.tree : withoutLighter(fold.tree, least);
  const kept = sortInMemory(shape, rowsOf(fold, tree)).filter(isStacks);
  await writeRun(to, shape, kept);
  const names = (number: number) => fold.frames.frame(number);
  fold.functions.cut(0);
  return {
    rows: fold.rows,
    over: leftOut(shape, fold.groups.detail),
    bound: atLeast(Math.max(fold.bound, least)),
    folded: kept.filter(isFolded).length,
    digest: {
      kind: 'stacks',
      rows: fold.rows,
      total: fold.functions.all(),
      ...fold.functions.lists(names),
      hottest: hottestOf(kept),
    },
  };
}

/** Totals are sums of doubles: exact as long as they are small. */
function atLeast(total: number): bigint {
  const whole = BigInt(Math.ceil(total));
  return Number.isSafeInteger(total) ? whole : whole + (whole >> 32n);
}

async function read(fold: StackFold, path: string): Promise<void> {
  for await (const text of readStackBlocks(path)) {
    try {
      fold.take(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ResultError('Malformed', `${path}: not a run of stacks: ${reason}`, { path, cause: error });
    }
  }
}

function rowsOf({ groups, frames }: StackFold, tree: CallTree): StackRow[] {
  const known = new Map<number, StackFrame>();
  const frameOf = (number: number) => {
    const frame = known.get(number) ?? frames.frame(number);
    known.set(number, frame);
    return frame;
  };
  const rows: StackRow[] = [];
  for (let node = 1; node < tree.size; node++) {
    const [ends, goesOn] = [tree.self.has[node] === 1, tree.rest.has[node] === 1];
    if (!ends && !goesOn) continue;
    const stack: StackFrame[] = [];
    let at = node;
    for (; tree.parent[at] !== 0; at = tree.parent[at] as number)
      stack.push(frameOf(tree.frame[at] as number));
    stack.reverse();
    const key = groups.keys[-1 - (tree.frame[at] as number)] ?? [];
    if (ends) rows.push({ kind: 'stacks', key, frames: stack, value: tree.self.exact(node) });
    if (goesOn)
      rows.push({ kind: 'stacks', key, frames: [...stack, foldedFrame], value: tree.rest.exact(node) });
  }
  return rows;
}

const isStacks = (row: Row): row is StackRow => row.kind === 'stacks';

function isFolded(row: StackRow): boolean {
  return row.frames.at(-1) === foldedFrame;
}

function hottestOf(rows: StackRow[]): StackRow[] {
  const top = topOf<StackRow>(hottest, (a, b) => {
    const [x, y] = [a.value[0] ?? 0n, b.value[0] ?? 0n];
    return x > y ? -1 : x < y ? 1 : compareRows(a, b);
  });
  for (const row of rows) if (!isFolded(row)) top.add(row);
  return top.list();
}
