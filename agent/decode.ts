// From kernel maps to rows: what the programs aggregated, with owners and names in place of numbers.
// Stacks are in agent/stacks.ts, events in agent/drain.ts. Neighbours: native (maps decoded by BTF), results/shape.ts (Row).

import type { From, Source } from '../bpf/gadget.ts';
import type { BpfObject, BtfValue } from '../native/api.ts';
import type { Row, Value } from '../results/shape.ts';
import { columnValue, memberOf } from './columns.ts';
import type { Owners } from './owners.ts';

/** The rows of a table or histogram source, in no order. */
export function* decodeRows(
  object: BpfObject,
  source: Source & { kind: 'table' | 'histogram' },
  owners: Owners,
  arch: string,
): Generator<Row> {
  for (const { key, value } of object.map(source.map).entries()) {
    const columns = keyOf(key, source.shape.keys, owners, arch);
    if (columns === null) continue;
    if (source.kind === 'table')
      yield {
        kind: 'table',
        key: columns,
        value: source.shape.values.map((column) => integer(member(value, memberOf(column)))),
      };
    else
      yield {
        kind: 'histogram',
        key: columns,
        value: { buckets: bucketsOf(member(value, 'buckets')), total: integer(member(value, 'total')) },
      };
  }
}

/** A row's key: whose it is, then the gadget's own key columns. Null: the row is not the job's. */
export function keyOf(key: BtfValue, columns: readonly From[], owners: Owners, arch: string): Value[] | null {
  const owner = owners.of(integer(member(key, 'container')));
  if (owner === null) return null;
  const { node, namespace, pod, container } = owner;
  return [node, namespace, pod, container, ...columns.map((column) => columnValue(key, column, arch))];
}

export function member(value: BtfValue, name: string): BtfValue | undefined {
  if (typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array) return undefined;
  return value[name];
}

/** An integer of any width; 0 for what is none (a hand-made object file could say anything). */
export function integer(value: BtfValue | undefined): bigint {
  return typeof value === 'bigint' ? value : typeof value === 'number' ? BigInt(value) : 0n;
}

function bucketsOf(value: BtfValue | undefined): [number, bigint][] {
  if (!Array.isArray(value)) return [];
  return value
    .map((count, index): [number, bigint] => [index, integer(count)])
    .filter(([, count]) => count !== 0n);
}
