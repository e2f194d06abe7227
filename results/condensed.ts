// What became of a result that has more stacks than a person can look at: the other files show fewer, and say so. Neighbours: results/condense.ts makes
// it, results/view.ts carries it, every renderer of stacks tells it.

import type { Digest } from './digest.ts';
import type { ResultMeta, StackFrame } from './shape.ts';
import { formatCount, wordsOf } from './units.ts';

/** Where all rows are. */
export const rowsFile = 'stacks.jsonl.zst';

/** Stands for what is below a caller and too light to be told. */
export const foldedFrame: StackFrame = { name: '(folded: each too light to be kept)', kind: 'user' };

export interface Condensed {
  /** In the whole run. */
  rows: number;
  /** Key columns that are null because rows that differ in them alone were added up. */
  over: string[];
  /** Stacks with more of the first weight than this are there, each with its exact weights. */
  bound: bigint;
  /** Callers with a frame "(folded)". */
  folded: number;
  /** Of the whole run, exact. */
  digest: Digest & { kind: 'stacks' };
}

/** For people. */
export function condensedNote({ shape }: ResultMeta, { rows, over, bound, folded }: Condensed): string {
  const weight = shape.kind === 'stacks' ? shape.weights[0] : undefined;
  const added = over.length > 0 ? `, added up over ${over.join(', ')}` : '';
  const light =
    folded > 0 && weight
      ? `; those of at most ${formatCount(bound)} ${wordsOf(weight)} are counted in their callers`
      : '';
  return `This is of ${formatCount(rows)} stacks${added}${light}; ${rowsFile} has all`;
}
