// A call tree in typed arrays, with exact weights, for millions of nodes: node 0 is the root, a node's parent stands before it. Neighbours:
// results/stack-fold.ts grows it, results/lighter.ts makes it smaller.

import type { ValueColumn } from './shape.ts';
import { grown, Sums } from './sums.ts';

const slotSize = 4;

/** Weights that nodes may have: one for each column. */
class Weights {
  readonly columns: readonly ValueColumn[];
  readonly sums: Sums[];
  /** 1 where a node has any. */
  has: Uint8Array;

  constructor(columns: readonly ValueColumn[], size: number) {
    this.columns = columns;
    this.sums = columns.map(() => new Sums(size));
    this.has = new Uint8Array(size);
  }

  grow(size: number): void {
    for (const sums of this.sums) sums.grow(size);
    this.has = grown(this.has, size);
  }

  take(node: number, low: Float64Array, high: Float64Array): void {
    const had = this.has[node] === 1;
    for (let i = 0; i < this.sums.length; i++) {
      const sums = this.sums[i] as Sums;
      if (had) sums.fold((this.columns[i] as ValueColumn).fold, node, low[i] as number, high[i] as number);
      else sums.set(node, low[i] as number, high[i] as number);
    }
    this.has[node] = 1;
  }

  takeFrom(node: number, other: Weights, from: number): void {
    if (other.has[from] !== 1) return;
    const had = this.has[node] === 1;
    for (let i = 0; i < this.sums.length; i++) {
      const [sums, theirs] = [this.sums[i] as Sums, other.sums[i] as Sums];
      const [low, high] = [theirs.low[from] as number, theirs.highOf(from)];
      if (had) sums.fold((this.columns[i] as ValueColumn).fold, node, low, high);
      else sums.set(node, low, high);
    }
    this.has[node] = 1;
  }

  exact(node: number): bigint[] {
    return this.sums.map((sums) => sums.exact(node));
  }
}

export class CallTree {
  size = 1;
  parent: Int32Array;
  frame: Int32Array;
  /** Of stacks that end in a node. */
  self: Weights;
  /** Of stacks that go on below a node, to where no node is. */
  rest: Weights;
  readonly columns: readonly ValueColumn[];
  /** Node, caller, frame, nothing: what a look-up reads lies together. Node 0: empty. */
  #slots: Int32Array;

  constructor(columns: readonly ValueColumn[], room = 1 << 12) {
    this.columns = columns;
    this.parent = new Int32Array(room);
    this.frame = new Int32Array(room);
    this.self = new Weights(columns, room);
    this.rest = new Weights(columns, room);
    let slots = 1 << 12;
    while (slots < 2 * room) slots *= 2;
    this.#slots = new Int32Array(slotSize * slots);
  }

  /** The callee; 0 where there is none. */
  find(caller: number, frame: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = slotOf(caller, frame) & mask; ; slot = (slot + slotSize) & mask) {
      const node = slots[slot] as number;
      if (node === 0 || (slots[slot + 1] === caller && slots[slot + 2] === frame)) return node;
    }
  }

  /** The callee, made where there is none. */
  child(caller: number, frame: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = slotOf(caller, frame) & mask;
    for (let node = slots[slot] as number; node !== 0; node = slots[slot] as number) {
      if (slots[slot + 1] === caller && slots[slot + 2] === frame) return node;
      slot = (slot + slotSize) & mask;
    }
    return this.#add(caller, frame, slot);
  }

  #add(caller: number, frame: number, slot: number): number {
    const node = this.size++;
    if (node === this.parent.length) {
      const room = 2 * node;
      this.parent = grown(this.parent, room);
      this.frame = grown(this.frame, room);
      this.self.grow(room);
      this.rest.grow(room);
    }
    this.parent[node] = caller;
    this.frame[node] = frame;
    this.#place(slot, node);
    if (2 * slotSize * this.size > this.#slots.length) this.#rehash();
    return node;
  }

  #place(slot: number, node: number): void {
    this.#slots[slot] = node;
    this.#slots[slot + 1] = this.parent[node] as number;
    this.#slots[slot + 2] = this.frame[node] as number;
  }

  #rehash(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    const mask = this.#slots.length - 1;
    for (let node = 1; node < this.size; node++) {
      let slot = slotOf(this.parent[node] as number, this.frame[node] as number) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + slotSize) & mask;
      this.#place(slot, node);
    }
  }

  /** What a node and all below it weigh by the first column, rounded. */
  totals(): Float64Array {
    const totals = new Float64Array(this.size);
    const [self, rest] = [this.self.sums[0], this.rest.sums[0]];
    for (let node = this.size - 1; node >= 0; node--) {
      const total = (totals[node] as number) + (self?.about(node) ?? 0) + (rest?.about(node) ?? 0);
      totals[node] = total;
      if (node > 0)
        totals[this.parent[node] as number] = (totals[this.parent[node] as number] as number) + total;
    }
    return totals;
  }

  /** The same tree without the nodes that are not kept and what is below them: their weight is their callers' rest. Children of the root stay. `frameOf`: what a node's frame is now. */
  without(kept: (node: number) => boolean, frameOf: (node: number) => number): CallTree {
    const tree = new CallTree(this.columns, Math.max(1 << 12, this.size >> 1));
    const places = new Int32Array(this.size);
    const gone = new Uint8Array(this.size);
    for (let node = 0; node < this.size; node++) {
      const caller = this.parent[node] as number;
      if (node > 0) {
        gone[node] = gone[caller] === 1 || (caller !== 0 && !kept(node)) ? 1 : 0;
        const place = places[caller] as number;
        places[node] = gone[node] === 1 ? place : tree.child(place, frameOf(node));
      }
      const place = places[node] as number;
      if (gone[node] === 1) tree.rest.takeFrom(place, this.self, node);
      else tree.self.takeFrom(place, this.self, node);
      tree.rest.takeFrom(place, this.rest, node);
    }
    return tree;
  }

  /** All weights are forgotten; nodes stay. */
  clear(): void {
    this.self = new Weights(this.columns, this.parent.length);
    this.rest = new Weights(this.columns, this.parent.length);
  }
}

function slotOf(caller: number, frame: number): number {
  const hash = Math.imul(caller, 0x9e3779b1) ^ Math.imul(frame, 0x85ebca6b);
  return Math.imul(hash ^ (hash >>> 15), slotSize);
}
