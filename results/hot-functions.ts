// Which functions have how much weight, exactly, from stacks of which each is given as what differs from the one before. Neighbours:
// results/stack-fold.ts (gives the stacks), results/digest.ts (what is made of it).

import { type FunctionWeight, functionKey, heaviest } from './digest.ts';
import type { StackFrame } from './shape.ts';
import { grown, Sums } from './sums.ts';

export class HotFunctions {
  /** By frame. */
  #of = new Int32Array(1 << 10);
  #kernel = new Uint8Array(1 << 10);
  #numbers = new Map<string, number>();
  /** A frame of each function. */
  #frames: number[] = [];
  #self = new Sums(1 << 10);
  #total = new Sums(1 << 10);
  #blamed = new Sums(1 << 10);
  /** How often a function is on the stack: it is passed once. */
  #times = new Int32Array(1 << 10);
  /** By depth. */
  #functions = new Int32Array(64);
  #blame = new Int32Array(64);
  #first = new Uint8Array(64);
  #through = new Sums(64);
  #depth = 0;
  #all = new Sums(1);

  add(frame: StackFrame, number: number): void {
    const key = functionKey(frame);
    let known = this.#numbers.get(key);
    if (known === undefined) {
      known = this.#frames.push(number) - 1;
      this.#numbers.set(key, known);
      if (known === this.#times.length) {
        this.#times = grown(this.#times, 2 * known);
        for (const sums of [this.#self, this.#total, this.#blamed]) sums.grow(2 * known);
      }
    }
    if (number >= this.#of.length) {
      this.#of = grown(this.#of, 2 * number);
      this.#kernel = grown(this.#kernel, 2 * number);
    }
    this.#of[number] = known;
    this.#kernel[number] = frame.kind === 'kernel' ? 1 : 0;
  }

  push(frame: number): void {
    const depth = this.#depth++;
    if (depth === this.#functions.length) {
      this.#functions = grown(this.#functions, 2 * depth);
      this.#blame = grown(this.#blame, 2 * depth);
      this.#first = grown(this.#first, 2 * depth);
      this.#through.grow(2 * depth);
    }
    const of = frame === 0 ? -1 : (this.#of[frame] as number);
    this.#functions[depth] = of;
    const above = depth > 0 ? (this.#blame[depth - 1] as number) : -1;
    this.#blame[depth] = of >= 0 && this.#kernel[frame] === 1 ? above : of;
    if (of < 0) return;
    const times = this.#times[of] as number;
    this.#times[of] = times + 1;
    this.#first[depth] = times === 0 ? 1 : 0;
  }

  cut(depth: number): void {
    const through = this.#through;
    while (this.#depth > depth) {
      const at = --this.#depth;
      const of = this.#functions[at] as number;
      const [low, high] = [through.low[at] as number, through.highOf(at)];
      if (of >= 0) {
        this.#times[of] = (this.#times[of] as number) - 1;
        if (this.#first[at] === 1) this.#total.add(of, low, high);
      }
      if (at > 0) through.add(at - 1, low, high);
      through.set(at, 0, 0);
    }
  }

  /** The weight of the stack that is there. */
  take(low: number, high: number): void {
    this.#all.add(0, low, high);
    const at = this.#depth - 1;
    if (at < 0) return;
    this.#through.add(at, low, high);
    const of = this.#functions[at] as number;
    if (of < 0) return;
    this.#self.add(of, low, high);
    const blamed = this.#blame[at] as number;
    this.#blamed.add(blamed < 0 ? of : blamed, low, high);
  }

  /** The weight of all stacks. */
  all(): bigint {
    return this.#all.exact(0);
  }

  /** 1 for the frames that the heaviest functions are made of, however light each of their stacks is. */
  heavy(frames: number, most: number): Uint8Array {
    const weights = this.#frames.map((_, of) => this.#total.about(of));
    const least = weights.toSorted((a, b) => b - a)[most] ?? Number.NEGATIVE_INFINITY;
    const heavy = new Uint8Array(frames);
    for (let frame = 1; frame < frames; frame++)
      heavy[frame] = (weights[this.#of[frame] as number] as number) > least ? 1 : 0;
    return heavy;
  }

  /** The same after frames were given other numbers, 0 to those that are forgotten. No stack may be there. */
  renumbered(numbers: Int32Array, frameOf: (number: number) => StackFrame): HotFunctions {
    const next = new HotFunctions();
    for (let frame = 1; frame < numbers.length; frame++) {
      const number = numbers[frame] as number;
      if (number === 0) continue;
      next.add(frameOf(number), number);
      const [from, to] = [this.#of[frame] as number, next.#of[number] as number];
      next.#self.set(to, this.#self.low[from] as number, this.#self.highOf(from));
      next.#total.set(to, this.#total.low[from] as number, this.#total.highOf(from));
      next.#blamed.set(to, this.#blamed.low[from] as number, this.#blamed.highOf(from));
    }
    return next;
  }

  /** By their own weight, heaviest first. No stack may be there. */
  lists(frameOf: (number: number) => StackFrame): { functions: FunctionWeight[]; blamed: FunctionWeight[] } {
    const all = this.#frames.map((number, of) => ({ frame: frameOf(number), of }));
    return {
      functions: heaviest(
        all.map(({ frame, of }) => ({ frame, self: this.#self.exact(of), total: this.#total.exact(of) })),
      ),
      blamed: heaviest(
        all.map(({ frame, of }) => ({ frame, self: this.#blamed.exact(of), total: 0n })),
      ).filter(({ self }) => self !== 0n),
    };
  }
}
