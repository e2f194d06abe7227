// How exactly rows say whose they are, where all that they say would be too many for a reader. Neighbours: results/stack-fold.ts, results/columns.ts.

import { keyColumns } from './columns.ts';
import { ownerColumns, type StacksShape, type Value } from './shape.ts';

/** All: as recorded. Kinds: without node, pod and numbers (a process's id): what replicas have in common. Containers: container names and namespaces. */
export type KeyDetail = 'All' | 'Kinds' | 'Containers' | 'None';

const details: readonly KeyDetail[] = ['All', 'Kinds', 'Containers', 'None'];

export function coarser(detail: KeyDetail): KeyDetail | undefined {
  return details[details.indexOf(detail) + 1];
}

/** Names of the key columns that a detail leaves out. */
export function leftOut(shape: StacksShape, detail: KeyDetail): string[] {
  return keyColumns(shape)
    .filter((column, i) => {
      if (detail === 'All') return false;
      if (detail === 'None') return true;
      if (i >= ownerColumns.length) return detail === 'Containers' || column.type === 'integer';
      return column.name === 'node' || column.name === 'pod';
    })
    .map(({ name }) => name);
}

/** The key with null for what is left out. */
export function mappedKey(shape: StacksShape, key: readonly Value[], detail: KeyDetail): Value[] {
  const without = new Set(leftOut(shape, detail));
  return keyColumns(shape).map(({ name }, i) => (without.has(name) ? null : (key[i] ?? null)));
}
