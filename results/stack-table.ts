// Finds the node in which a whole stack ends by a hash of its path: a fleet's runs hold the same stacks again and again, and one look-up is less than one
// for each frame. Neighbours: results/call-tree.ts (the nodes), results/stack-fold.ts.

import { grown } from './sums.ts';

/** Stacks beyond these are looked up frame by frame. */
const most = 1 << 17;
const slotSize = 4;

export class StackTable {
  #count = 0;
  /** Two hashes, group, node. Node 0: empty. */
  #slots = new Int32Array(slotSize << 13);
  /** By depth, of the frames down to there. */
  #first = new Int32Array(64);
  #second = new Int32Array(64);
  /** Drawn, so that nobody can name functions such that two stacks meet. */
  readonly #seeds = crypto.getRandomValues(new Int32Array(2));

  push(depth: number, frame: number): void {
    if (depth === this.#first.length) {
      this.#first = grown(this.#first, 2 * depth);
      this.#second = grown(this.#second, 2 * depth);
    }
    const above = depth > 0 ? (this.#first[depth - 1] as number) : (this.#seeds[0] as number);
    const other = depth > 0 ? (this.#second[depth - 1] as number) : (this.#seeds[1] as number);
    const first = Math.imul(above ^ frame, 0x9e3779b1);
    const second = Math.imul((other + frame) | 0, 0x85ebca6b);
    this.#first[depth] = first ^ (first >>> 15);
    this.#second[depth] = second ^ (second >>> 13);
  }

  /** Where the stack of that many frames ends; 0: not known. */
  find(depth: number, group: number): number {
    const slot = this.#slotOf(this.#first[depth - 1] as number, this.#second[depth - 1] as number, group);
    return this.#slots[slot + 3] as number;
  }

  add(depth: number, group: number, node: number): void {
    if (this.#count === most) return;
    if (2 * slotSize * this.#count >= this.#slots.length) this.#rehash();
    this.#count++;
    this.#place(this.#first[depth - 1] as number, this.#second[depth - 1] as number, group, node);
  }

  /** Nodes are others now. */
  clear(): void {
    this.#count = 0;
    this.#slots.fill(0);
  }

  #slotOf(first: number, second: number, group: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = Math.imul(first ^ Math.imul(group, 0x27d4eb2f), slotSize) & mask;
    while (
      slots[slot + 3] !== 0 &&
      (slots[slot] !== first || slots[slot + 1] !== second || slots[slot + 2] !== group)
    )
      slot = (slot + slotSize) & mask;
    return slot;
  }

  #place(first: number, second: number, group: number, node: number): void {
    const slot = this.#slotOf(first, second, group);
    this.#slots[slot] = first;
    this.#slots[slot + 1] = second;
    this.#slots[slot + 2] = group;
    this.#slots[slot + 3] = node;
  }

  #rehash(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(2 * old.length);
    for (let slot = 0; slot < old.length; slot += slotSize)
      if (old[slot + 3] !== 0)
        this.#place(
          old[slot] as number,
          old[slot + 1] as number,
          old[slot + 2] as number,
          old[slot + 3] as number,
        );
  }
}
