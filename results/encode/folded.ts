// stacks.folded: a line per stack, outermost frame first, as flamegraph.pl, speedscope and inferno read it.
// Neighbours: results/tree.ts (names of levels), results/publish.ts.

import { escapeTerminal } from '../escape.ts';
import type { LineWriter } from '../lines.ts';
import type { StackFrame, StacksShape } from '../shape.ts';
import { hasLevel, levelName, type TreeLevel } from '../tree.ts';
import type { ResultView } from '../view.ts';

/** `container;process;function;function_[k] weight`, with the shape's first weight. The suffixes are those that flame graph tools colour by:
 *  `_[k]` kernel, `_[j]` compiled at run time, `_[i]` inlined. */
export async function writeFolded(view: ResultView, writer: LineWriter): Promise<void> {
  const { shape } = view.meta;
  if (shape.kind !== 'stacks') return;
  const levels = levelsOf(shape);
  for await (const row of view.rows()) {
    if (row.kind !== 'stacks') continue;
    const frames = levels.map((level) => foldedName(levelName(shape, row, level)));
    for (const frame of row.frames) frames.push(foldedFrame(frame));
    await writer.write(`${frames.join(';')} ${row.value[0] ?? 0n}\n`);
  }
}

/** Whose a stack is, above its frames. */
export function levelsOf(shape: StacksShape): TreeLevel[] {
  return (['container', 'process'] as const).filter((level) => hasLevel(shape, level));
}

const suffixes: Record<StackFrame['kind'], string> = {
  user: '',
  kernel: '_[k]',
  jit: '_[j]',
  inlined: '_[i]',
};

/** Equal frames of a run are the same object (results/stack-lines.ts): what is made of one is made once. */
const folded = new WeakMap<StackFrame, string>();

function foldedFrame(frame: StackFrame): string {
  const text = folded.get(frame) ?? foldedName(frame.name) + suffixes[frame.kind];
  folded.set(frame, text);
  return text;
}

/** The format has no escape for its separator: `;` becomes `:`, as perf's own collapsing scripts do; control characters are written `\n`, `\x1b`. */
function foldedName(name: string): string {
  return escapeTerminal(name === '' ? '[unnamed]' : name).replaceAll(';', ':');
}
