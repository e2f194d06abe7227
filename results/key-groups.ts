// Keys as numbers, told as exactly as there is room for. Neighbours: results/key-detail.ts (what is left out), results/stack-fold.ts.

import { coarser, type KeyDetail, mappedKey } from './key-detail.ts';
import { jsonText } from './row-json.ts';
import type { StacksShape, Value } from './shape.ts';

/** With fewer, telling them less exactly saves little. */
const few = 16;

export class KeyGroups {
  /** By number. */
  keys: Value[][] = [];
  detail: KeyDetail = 'All';
  #numbers = new Map<string, number>();
  readonly #shape: StacksShape;

  constructor(shape: StacksShape) {
    this.#shape = shape;
  }

  numberOf(key: readonly Value[]): number {
    const mapped = mappedKey(this.#shape, key, this.detail);
    const text = jsonText(mapped);
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.keys.length);
    return this.keys.push(mapped) - 1;
  }

  /** Tells them less exactly. Gives each one's new number; undefined where they can't be, or are few. */
  tellLess(): number[] | undefined {
    const detail = coarser(this.detail);
    if (detail === undefined || this.keys.length <= few) return undefined;
    const old = this.keys;
    this.detail = detail;
    [this.keys, this.#numbers] = [[], new Map()];
    return old.map((key) => this.numberOf(key));
  }
}
