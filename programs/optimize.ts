// Makes what programs/lower/* writes smaller before programs/emit/* chooses registers: values.ts and fold.ts by what is known of values, jumps.ts by
// what is known of the way, dead.ts by what is read. The result does the same: programs/emit/random.kernel.test.ts.

import type { IrFunction, IrModule } from './ir.ts';
import { withoutDead } from './optimize/dead.ts';
import { thread } from './optimize/jumps.ts';
import { propagate } from './optimize/values.ts';

export function optimize(module: IrModule): IrModule {
  return { ...module, functions: module.functions.map(optimizeFunction) };
}

export function optimizeFunction(source: IrFunction): IrFunction {
  let current = thread(source);
  // Each round finds what the one before has made visible; more than a few find little.
  for (let round = 0, size = Infinity; round < 6; round++) {
    current = thread(withoutDead(propagate(current)));
    const now = sizeOf(current);
    if (now === size) break;
    size = now;
  }
  return current;
}

function sizeOf({ blocks }: IrFunction): number {
  return blocks.reduce((sum, block) => sum + block.instructions.length + 1, 0);
}
