// Makes a function's blocks fewer: jumps to jumps, branches whose outcome is known on the way to them, blocks that nothing leads to, and those
// that only one leads to.

import { holds } from '../evaluate.ts';
import { nextBlocks } from '../flow.ts';
import type { Block, IrFunction, Register, Terminator } from '../ir.ts';

export function thread(source: IrFunction): IrFunction {
  const blocks = source.blocks.map((block) => ({ ...block, end: retargeted(source.blocks, block) }));
  return merged({ ...source, blocks });
}

/** Follows what leaves a block through blocks that do nothing. */
function retargeted(blocks: Block[], block: Block): Terminator {
  const { end } = block;
  if (end.op === 'return') return end;
  if (end.op === 'branch') {
    const then = destination(blocks, end.then);
    const otherwise = destination(blocks, end.otherwise);
    return then === otherwise ? { op: 'jump', to: then } : { ...end, then, otherwise };
  }
  let to = destination(blocks, end.to);
  // A jump to an empty block that tests what was set to a constant just now.
  for (let i = 0; i < 16; i++) {
    const target = blocks[to];
    if (!target || target.instructions.length > 0 || target.end.op !== 'branch') break;
    const { condition, left, right, then, otherwise } = target.end;
    const a = constantAtEnd(block, left);
    const b = typeof right === 'number' ? constantAtEnd(block, right) : right.value;
    if (a === undefined || b === undefined) break;
    const taken = holds(condition, BigInt.asUintN(64, a), BigInt.asUintN(64, b)) ? then : otherwise;
    to = destination(blocks, taken);
  }
  const target = blocks[to];
  if (target?.instructions.length === 0 && target.end.op === 'return' && typeof target.end.value !== 'number')
    return target.end;
  return { op: 'jump', to };
}

function destination(blocks: Block[], start: number): number {
  let at = start;
  for (let i = 0; i < blocks.length; i++) {
    const block = blocks[at];
    if (!block || block.instructions.length > 0 || block.end.op !== 'jump') return at;
    at = block.end.to;
  }
  return at;
}

function constantAtEnd(block: Block, register: Register): bigint | undefined {
  const last = block.instructions.findLast((i) => 'to' in i && i.to === register);
  return last?.op === 'constant' ? last.value : undefined;
}

/** Reachable blocks only, in the order in which they are reached, each with the one after it where nothing else leads there. */
function merged(source: IrFunction): IrFunction {
  const { blocks } = source;
  const arrivals = new Uint32Array(blocks.length);
  const reached = new Set<number>([0]);
  for (const b of reached)
    for (const s of nextBlocks(blocks[b] as Block)) {
      arrivals[s] = (arrivals[s] ?? 0) + 1;
      reached.add(s);
    }
  const kept: Block[] = [];
  const numbers = new Map<number, number>();
  const place = (start: number): void => {
    numbers.set(start, kept.length);
    let { instructions, end } = blocks[start] as Block;
    // The entry is arrived at from outside as well.
    while (end.op === 'jump' && arrivals[end.to] === 1 && end.to !== 0 && end.to !== start) {
      const next = blocks[end.to] as Block;
      instructions = [...instructions, ...next.instructions];
      end = next.end;
    }
    kept.push({ instructions, end });
  };
  const waiting = [0];
  for (let b = waiting.pop(); b !== undefined; b = waiting.pop()) {
    if (numbers.has(b)) continue;
    place(b);
    const { end } = kept.at(-1) as Block;
    if (end.op === 'jump') waiting.push(end.to);
    else if (end.op === 'branch') waiting.push(end.otherwise, end.then);
  }
  const number = (b: number) => numbers.get(b) as number;
  const renumbered = (end: Terminator): Terminator => {
    if (end.op === 'jump') return { ...end, to: number(end.to) };
    if (end.op === 'return') return end;
    const [then, otherwise] = [number(end.then), number(end.otherwise)];
    return { ...end, then, otherwise };
  };
  return {
    ...source,
    blocks: kept.map(({ instructions, end }) => ({ instructions, end: renumbered(end) })),
  };
}
