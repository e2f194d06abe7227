// Takes out instructions whose value nobody reads and that do nothing else.

import { forEachRead, liveAtStart, nextBlocks, Registers, written } from '../flow.ts';
import type { Block, Instruction, IrFunction } from '../ir.ts';

/** Helpers that only tell something: time, random, cpu, task, ids, node, cgroup. */
const telling = new Set([5, 7, 8, 14, 15, 35, 42, 80, 118, 125, 208]);

export function withoutDead(source: IrFunction): IrFunction {
  const live = liveAtStart(source);
  const blocks = source.blocks.map((block): Block => {
    const needed = new Registers(source.registers);
    for (const s of nextBlocks(block)) if (live[s]) needed.addAll(live[s]);
    forEachRead(block.end, (r) => needed.add(r));
    const kept: Instruction[] = [];
    for (const instruction of block.instructions.toReversed()) {
      const to = written(instruction);
      if (to >= 0 && !needed.has(to) && !acts(instruction)) continue;
      if (instruction.op === 'move' && instruction.to === instruction.from) continue;
      if (to >= 0) needed.delete(to);
      forEachRead(instruction, (r) => needed.add(r));
      kept.push(instruction);
    }
    return { instructions: kept.reverse(), end: block.end };
  });
  return { ...source, blocks };
}

function acts(instruction: Instruction): boolean {
  return instruction.op === 'call' || (instruction.op === 'helper' && !telling.has(instruction.helper));
}
