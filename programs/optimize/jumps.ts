// Makes a function's blocks fewer: jumps to jumps, branches whose outcome is known on the way to them, blocks that nothing leads to, and those
// that only one leads to.

import { holds } from '../evaluate.ts';
import { nextBlocks, reversePostorder, written } from '../flow.ts';
import type { Block, Condition, Instruction, IrFunction, Terminator } from '../ir.ts';

export function thread(source: IrFunction): IrFunction {
  const blocks = source.blocks.map((block) => retargeted(source.blocks, block));
  return merged({ ...source, blocks });
}

/** Follows what leaves a block through blocks that do nothing. A short block that only tests something is done at once, where it is jumped to: often
 *  its outcome is known there. */
function retargeted(blocks: Block[], block: Block): Block {
  const { end } = block;
  if (end.op === 'return') return block;
  if (end.op === 'branch') {
    const then = decided(blocks, block, destination(blocks, end.then), true);
    const otherwise = decided(blocks, block, destination(blocks, end.otherwise), false);
    return { ...block, end: then === otherwise ? { op: 'jump', to: then } : { ...end, then, otherwise } };
  }
  const to = destination(blocks, end.to);
  const target = blocks[to];
  if (target && target !== block && isShort(target))
    return { instructions: [...block.instructions, ...target.instructions], end: target.end };
  return { ...block, end: { op: 'jump', to } };
}

/** Where a branch leads in the end, when `to` only tests what is known on the way there: a constant, or what the branch itself has tested. */
function decided(blocks: Block[], block: Block, to: number, holding: boolean): number {
  const target = blocks[to];
  const { end } = block;
  if (!target || target.instructions.length > 0 || target.end.op !== 'branch' || end.op !== 'branch')
    return to;
  const { condition, left, right, then, otherwise } = target.end;
  if (typeof right === 'number') return to;
  const value = BigInt.asUintN(64, right.value);
  const last = block.instructions.findLast((i) => written(i) === left);
  if (last?.op === 'constant')
    return destination(blocks, holds(condition, BigInt.asUintN(64, last.value), value) ? then : otherwise);
  // Its copy, made last of all, or itself.
  const same =
    left === end.left || (last?.op === 'move' && last.from === end.left && !changedAfter(block, last));
  if (!same || typeof end.right === 'number' || BigInt.asUintN(64, end.right.value) !== value) return to;
  if (!isEquality(condition) || !isEquality(end.condition)) return to;
  return destination(blocks, (condition === end.condition) === holding ? then : otherwise);
}

function isEquality(condition: Condition): boolean {
  return condition === 'eq' || condition === 'ne';
}

/** Whether what the copy was made of is something else at the block's end. */
function changedAfter({ instructions }: Block, copy: Extract<Instruction, { op: 'move' }>): boolean {
  return instructions.slice(instructions.indexOf(copy) + 1).some((i) => written(i) === copy.from);
}

function isShort({ instructions, end }: Block): boolean {
  if (end.op === 'return') return instructions.length === 0 && typeof end.value !== 'number';
  return end.op === 'branch' && instructions.length <= 2 && instructions.every(({ op }) => cheap.has(op));
}

const cheap: ReadonlySet<string> = new Set(['move', 'constant', 'compare']);

function destination(blocks: Block[], start: number): number {
  let at = start;
  for (let i = 0; i < blocks.length; i++) {
    const block = blocks[at];
    if (!block || block.instructions.length > 0 || block.end.op !== 'jump') return at;
    at = block.end.to;
  }
  return at;
}

/** Reachable blocks only, each after those that lead to it, and as one with the block before it where nothing else leads there. */
function merged(source: IrFunction): IrFunction {
  const { blocks } = source;
  const next = blocks.map(nextBlocks);
  const order = reversePostorder(next);
  const arrivals = new Uint32Array(blocks.length);
  // The entry is arrived at from outside.
  arrivals[0] = 1;
  for (const b of order) for (const s of next[b] as number[]) arrivals[s] = (arrivals[s] ?? 0) + 1;
  const isAppended = (b: number) => arrivals[b] === 1 && b !== 0;
  const kept: Block[] = [];
  const numbers = new Map<number, number>();
  const appended = new Set<number>();
  for (const b of order) {
    if (appended.has(b)) continue;
    numbers.set(b, kept.length);
    const instructions = [...(blocks[b] as Block).instructions];
    let { end } = blocks[b] as Block;
    while (end.op === 'jump' && isAppended(end.to)) {
      appended.add(end.to);
      const after = blocks[end.to] as Block;
      instructions.push(...after.instructions);
      end = after.end;
    }
    kept.push({ instructions, end });
  }
  const number = (b: number) => numbers.get(b) as number;
  const renumbered = (end: Terminator): Terminator => {
    if (end.op === 'jump') return { ...end, to: number(end.to) };
    if (end.op === 'return') return end;
    const [then, otherwise] = [number(end.then), number(end.otherwise)];
    return { ...end, then, otherwise };
  };
  return { ...source, blocks: kept.map(({ instructions, end }) => ({ instructions, end: renumbered(end) })) };
}
