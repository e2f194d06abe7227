// The first N of a stream by an order, in memory for N. Neighbours: results/digest.ts.

import { heapOf } from './heap.ts';

export interface Top<T> {
  add(item: T): void;
  /** What was kept, first first; the collection is empty after. */
  list(): T[];
}

/** Keeps the `count` items that come first by `compare`. */
export function topOf<T>(count: number, compare: (a: T, b: T) => number): Top<T> {
  // The heap's top is the last of those kept: the one to go.
  const heap = heapOf<T>((a, b) => compare(b, a));
  let size = 0;
  return {
    add(item) {
      const last = heap.top();
      if (size < count) size++;
      else if (last === undefined || compare(item, last) >= 0) return;
      else heap.popTop();
      heap.push(item);
    },
    list() {
      const items: T[] = [];
      for (let item = heap.top(); item !== undefined; item = heap.top()) {
        items.push(item);
        heap.popTop();
      }
      return items.reverse();
    },
  };
}
