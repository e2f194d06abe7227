// Where a column's values lie in the kernel's structs, and what integers in it stand for. Used by agent/drain.ts (records) and agent/decode.ts (maps).

import type { From } from '../bpf/gadget.ts';
import type { BtfValue, JsonField } from '../native/api.ts';
import type { Column, Shape, Value } from '../results/shape.ts';
import { isTimed, ownerColumns } from '../results/shape.ts';
import { isNameTable, nameTable } from './names.ts';
import type { Owners } from './owners.ts';

/** The BTF member that a column comes from, as a path ("process.name"). */
export function memberOf(column: From): string {
  return column.member ?? column.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The names that a column's integers stand for, or undefined. */
export function namesOf(column: From, arch: string): ReadonlyMap<bigint, string> | undefined {
  const { names } = column;
  if (names === undefined) return undefined;
  if (isNameTable(names)) return nameTable(names, arch);
  return new Map(Object.entries(names).map(([value, name]) => [BigInt(value), name]));
}

/** The name of a record's member among a batch's columns: nested members are joined by an underscore. */
export function batchColumn(column: From): string {
  return memberOf(column).replaceAll('.', '_');
}

/** A result's shape: the gadget's, behind the columns that say whose a row is. */
export function withOwners(shape: Shape): Shape {
  if (isTimed(shape)) {
    const [time, ...columns] = shape.columns.map(plainColumn);
    return { ...shape, columns: [...(time === undefined ? [] : [time]), ...ownerColumns, ...columns] };
  }
  return { ...shape, keys: [...ownerColumns, ...shape.keys.map(plainColumn)] };
}

/** Without what only an agent needs: where it came from. A result's reader sees names, not numbers. */
function plainColumn(column: From): Column {
  const { member, names, when, completion, ...plain } = column;
  return names === undefined ? plain : { ...plain, type: 'text' };
}

/** How native writes each column of an events shape. `offset`: what makes a monotonic time a wall clock's, ns. */
export function jsonFields(
  columns: readonly From[],
  owners: Owners,
  arch: string,
  offset: bigint,
): JsonField[] {
  const fields = columns.map((column) => jsonField(column, arch, offset));
  const whose: JsonField = { column: 'container', as: 'members', values: owners.members() };
  const [time, ...rest] = fields;
  return time === undefined ? [] : [time, whose, ...rest];
}

function jsonField(column: From, arch: string, offset: bigint): JsonField {
  const field = fieldOf(column, arch, offset);
  const shown: JsonField =
    column.when === undefined ? field : { when: column.when.replaceAll('.', '_'), field };
  return column.completion === true ? { when: 'completed', field: shown } : shown;
}

function fieldOf(column: From, arch: string, offset: bigint): JsonField {
  const { name } = column;
  const from = batchColumn(column);
  const names = namesOf(column, arch);
  if (names !== undefined) {
    const values = new Map([...names].map(([value, text]) => [value, JSON.stringify(text)]));
    return { name, column: from, as: 'lookup', values, otherwise: 'integer' };
  }
  if (column.type === 'time') return { name, column: from, as: 'time', offset };
  if (column.type === 'textList') return { name, column: from, as: 'list' };
  return { name, column: from, as: column.type };
}

/** A decoded key's member as a row's value. */
export function columnValue(key: BtfValue, column: From, arch: string): Value {
  let value: BtfValue | undefined = key;
  for (const part of memberOf(column).split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
      return null;
    value = value[part];
  }
  if (column.type === 'ipAddress' && value instanceof Uint8Array) return ipAddress(value);
  if (value === undefined || (typeof value === 'object' && !Array.isArray(value))) return null;
  if (Array.isArray(value)) return null;
  const names = namesOf(column, arch);
  if (names === undefined || typeof value === 'string' || typeof value === 'boolean') return value;
  return names.get(BigInt(value)) ?? String(value);
}

/** 16 bytes as text; IPv4 from its mapped form. The URL parser writes IPv6 as RFC 5952 says. */
function ipAddress(bytes: Uint8Array): string {
  const mapped =
    bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  if (mapped) return bytes.subarray(12, 16).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
