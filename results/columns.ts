// Which columns the rows of a shape have, in which order. Neighbours: results/shape.ts (the contract); every merge, encoder and renderer reads rows through this.

import { type Column, isTimed, type Owner, ownerColumns, type Row, type Shape, type Value } from './shape.ts';

const timeColumn: Column = { name: 'time', type: 'time', description: 'When it was seen' };

/** The columns of `row.key`. Events and packets: time, then whose it is; other shapes: whose it is, then the shape's keys. A shape may name the owner's
 *  columns itself, or leave them out: rows have them either way, first. */
export function keyColumns(shape: Shape): Column[] {
  if (isTimed(shape)) return [shape.columns.find(isTime) ?? timeColumn, ...ownerColumns];
  return [...ownerColumns, ...shape.keys.filter((column) => !isOwner(column))];
}

/** The columns of `row.value`; for a histogram none (its value is buckets and total, not columns). */
export function valueColumns(shape: Shape): Column[] {
  if (isTimed(shape)) return shape.columns.filter((column) => !isTime(column) && !isOwner(column));
  if (shape.kind === 'table') return shape.values;
  return shape.kind === 'stacks' ? shape.weights : [];
}

/** All columns of a row as a person reads them, keys first. */
export function allColumns(shape: Shape): Column[] {
  return [...keyColumns(shape), ...valueColumns(shape)];
}

/** The values that belong to allColumns(shape). */
export function allValues(row: Row): Value[] {
  return row.kind === 'histogram' ? row.key : [...row.key, ...row.value];
}

function isTime(column: Column): boolean {
  return column.name === 'time';
}

function isOwner(column: Column): boolean {
  return ownerColumns.some((owner) => owner.name === column.name);
}

/** Where the owner begins in `row.key`. */
export function ownerOffset(shape: Shape): number {
  return isTimed(shape) ? 1 : 0;
}

/** Whose row it is. */
export function ownerOf(shape: Shape, row: Row): Owner {
  const at = ownerOffset(shape);
  const text = (index: number) => {
    const value = row.key[at + index];
    return typeof value === 'string' ? value : null;
  };
  return { node: text(0) ?? '', namespace: text(1), pod: text(2), container: text(3) };
}

/** An owner in one name for people: `namespace/pod/container`, or `container`, or the node where nothing else is known. */
export function ownerName(owner: Owner): string {
  const parts = [owner.namespace, owner.pod, owner.container].filter((part) => part !== null);
  return parts.length > 0 ? parts.join('/') : owner.node;
}

/** What tells a row from the others of its owner, for people: its own keys, without the container's pid where that is the host's. */
export function tellingKeys(shape: Shape, row: Row): [Column, Value][] {
  const columns = keyColumns(shape);
  const pid = row.key[columns.findIndex(({ name }) => name === 'pid')];
  return columns
    .map((column, i): [Column, Value] => [column, row.key[i] ?? null])
    .slice(ownerColumns.length)
    .filter(([{ name }, value]) => name !== 'containerPid' || value !== pid);
}

/** Finds the process name's column among all columns: it is called `process`; -1 where the shape has none. */
export function processIndex(shape: Shape): number {
  return allColumns(shape).findIndex((column) => column.name === 'process' && column.type === 'text');
}

/** Finds the pid's column (the host's) among all columns; -1 where the shape has none. */
export function pidIndex(shape: Shape): number {
  return allColumns(shape).findIndex((column) => column.name === 'pid' && column.type === 'integer');
}
