// A binary heap whose smallest item can change in place: what k-way merges are made of. Neighbours: results/merge.ts, results/merge-lines.ts.

export interface Heap<T> {
  push(item: T): void;
  /** The smallest, undefined when empty. */
  top(): T | undefined;
  /** The top has grown: finds its place again. */
  settleTop(): void;
  /** Takes the top away. */
  popTop(): void;
}

export function heapOf<T>(compare: (a: T, b: T) => number): Heap<T> {
  const items: T[] = [];

  function down(start: number): void {
    const item = items[start] as T;
    let at = start;
    for (let child = at * 2 + 1; child < items.length; child = at * 2 + 1) {
      if (child + 1 < items.length && compare(items[child + 1] as T, items[child] as T) < 0) child++;
      if (compare(items[child] as T, item) >= 0) break;
      items[at] = items[child] as T;
      at = child;
    }
    items[at] = item;
  }

  return {
    push(item) {
      let at = items.length;
      items.push(item);
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (compare(items[parent] as T, item) <= 0) break;
        items[at] = items[parent] as T;
        at = parent;
      }
      items[at] = item;
    },
    top: () => items[0],
    settleTop() {
      if (items.length > 1) down(0);
    },
    popTop() {
      const last = items.pop();
      if (last === undefined || items.length === 0) return;
      items[0] = last;
      down(0);
    },
  };
}
