// Which registers an instruction of the intermediate form reads and writes, and which hold something that is needed where.

import type { Block, Instruction, IrFunction, Operand, Register, Terminator } from './ir.ts';

export function forEachRead(
  instruction: Instruction | Terminator,
  visit: (register: Register) => void,
): void {
  const operand = (value: Operand) => {
    if (typeof value === 'number') visit(value);
  };
  switch (instruction.op) {
    case 'move':
    case 'negate':
    case 'byteSwap':
    case 'extend':
      visit(instruction.from);
      return;
    case 'binary':
    case 'compare':
    case 'branch':
      visit(instruction.left);
      operand(instruction.right);
      return;
    case 'load':
      visit(instruction.base);
      return;
    case 'store':
    case 'atomicAdd':
      visit(instruction.base);
      operand(instruction.from);
      return;
    case 'helper':
    case 'call':
      for (const register of instruction.arguments) visit(register);
      return;
    case 'return':
      operand(instruction.value);
  }
}

/** The register that it assigns; -1: none. */
export function written(instruction: Instruction): Register {
  return 'to' in instruction ? instruction.to : -1;
}

export function nextBlocks({ end }: Block): number[] {
  if (end.op === 'jump') return [end.to];
  return end.op === 'branch' ? [end.then, end.otherwise] : [];
}

/** A set of registers. */
export class Registers {
  private readonly words: Uint32Array;

  constructor(count: number) {
    this.words = new Uint32Array((count + 31) >> 5);
  }

  has(r: Register): boolean {
    return (((this.words[r >> 5] ?? 0) >>> (r & 31)) & 1) === 1;
  }

  add(r: Register): void {
    this.words[r >> 5] = (this.words[r >> 5] ?? 0) | (1 << (r & 31));
  }

  delete(r: Register): void {
    this.words[r >> 5] = (this.words[r >> 5] ?? 0) & ~(1 << (r & 31));
  }

  clear(): void {
    this.words.fill(0);
  }

  addAll(other: Registers): void {
    for (let w = 0; w < this.words.length; w++) this.words[w] = (this.words[w] ?? 0) | (other.words[w] ?? 0);
  }

  /** Becomes read ∪ (out − written); true when that is something new. */
  become(read: Registers, out: Registers, writes: Registers): boolean {
    let changed = false;
    for (let w = 0; w < this.words.length; w++) {
      const now = ((read.words[w] ?? 0) | ((out.words[w] ?? 0) & ~(writes.words[w] ?? 0))) >>> 0;
      if (now !== this.words[w]) changed = true;
      this.words[w] = now;
    }
    return changed;
  }
}

/** By block: what is read there, or after it, before it is assigned. */
export function liveAtStart({ blocks, registers }: IrFunction): Registers[] {
  const live = blocks.map(() => new Registers(registers));
  const reads = blocks.map(() => new Registers(registers));
  const writes = blocks.map(() => new Registers(registers));
  for (const [b, block] of blocks.entries()) {
    const read = reads[b] as Registers;
    const write = writes[b] as Registers;
    const note = (r: Register) => {
      if (!write.has(r)) read.add(r);
    };
    for (const instruction of block.instructions) {
      forEachRead(instruction, note);
      if (written(instruction) >= 0) write.add(written(instruction));
    }
    forEachRead(block.end, note);
  }
  const next = blocks.map(nextBlocks);
  const order = reversePostorder(next).reverse();
  const out = new Registers(registers);
  for (let changed = true; changed; ) {
    changed = false;
    for (const b of order) {
      out.clear();
      for (const s of next[b] as number[]) if (live[s]) out.addAll(live[s]);
      if (live[b]?.become(reads[b] as Registers, out, writes[b] as Registers)) changed = true;
    }
  }
  return live;
}

/** Registers that one instruction assigns, and that no path reads before it: they are what that instruction says wherever they are read. */
export function assignedOnce(source: IrFunction): (register: Register) => boolean {
  const definitions = new Uint8Array(source.registers);
  for (const block of source.blocks)
    for (const instruction of block.instructions) {
      const to = written(instruction);
      if (to >= 0) definitions[to] = Math.min((definitions[to] ?? 0) + 1, 2);
    }
  const unset = liveAtStart(source)[0];
  return (register) => definitions[register] === 1 && !unset?.has(register);
}

/** order: of the blocks that are reached, each after those that lead to it but for loops. dominators: by block, the last one that every way to it
 *  passes; the entry's own is none (-1). */
export function dominance({ blocks }: IrFunction): {
  order: number[];
  dominators: number[];
  predecessors: number[];
} {
  const from: number[][] = blocks.map(() => []);
  const next = blocks.map(nextBlocks);
  const order = reversePostorder(next);
  for (const b of order) for (const s of new Set(next[b])) from[s]?.push(b);
  const places = new Int32Array(blocks.length);
  order.forEach((b, i) => {
    places[b] = i;
  });
  const dominators = new Array<number>(blocks.length).fill(-2);
  dominators[0] = -1;
  const common = (a: number, b: number): number => {
    let [x, y] = [a, b];
    while (x !== y)
      if ((places[x] as number) > (places[y] as number)) x = dominators[x] as number;
      else y = dominators[y] as number;
    return x;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const b of order.slice(1)) {
      const known = (from[b] as number[]).filter((p) => dominators[p] !== -2);
      const now = known.reduce(common);
      if (now !== dominators[b]) changed = true;
      dominators[b] = now;
    }
  }
  // The entry is come to from outside as well.
  return { order, dominators, predecessors: from.map((list, b) => list.length + (b === 0 ? 1 : 0)) };
}

/** The blocks that are reached from block 0, by what each goes on to: each after those that lead to it, but for loops. */
export function reversePostorder(next: readonly (readonly number[])[]): number[] {
  const done: number[] = [];
  const seen = new Set([0]);
  const path = [{ block: 0, left: [...(next[0] ?? [])] }];
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const to = top.left.pop();
    if (to === undefined) {
      done.push(top.block);
      path.pop();
    } else if (!seen.has(to)) {
      seen.add(to);
      path.push({ block: to, left: [...(next[to] ?? [])] });
    }
  }
  return done.reverse();
}
