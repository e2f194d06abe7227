// A value as bpftrace's JSON output has it: numbers that no double holds are strings, objects have a space behind their commas, arrays none.
// Neighbours: value.ts, text.ts, lines.ts (whole lines).

import { keyText, textOf } from './text.ts';
import type { Shown } from './value.ts';

export function jsonOf(value: Shown): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return jsonInteger(value);
  if (typeof value === 'string') return jsonText(value);
  if (typeof value === 'boolean') return String(value);
  switch (value.kind) {
    case 'symbolic':
      return jsonInteger(value.number);
    case 'buffer':
      return `[${[...Int8Array.from(value.bytes)].join(',')}]`;
    case 'array':
    case 'tuple':
      return `[${value.elements.map(jsonOf).join(',')}]`;
    case 'record':
    case 'struct':
      return jsonObject(value.members.map(([name, member]) => [name, jsonOf(member)]));
  }
}

export function jsonObject(members: readonly (readonly [name: string, json: string])[]): string {
  return `{${members.map(([name, json]) => `${jsonText(name)}: ${json}`).join(', ')}}`;
}

export function jsonInteger(value: bigint): string {
  return BigInt(Number(value)) === value ? String(value) : `"${value}"`;
}

export function jsonText(text: string): string {
  return JSON.stringify(text);
}

/** Keys are always text: those of a tuple with commas alone between them. */
export function jsonKey(keys: readonly Shown[]): string {
  const [only] = keys;
  const parts =
    typeof only === 'object' && only?.kind === 'tuple' && keys.length === 1 ? only.elements : keys;
  return parts.length === 1 ? keyText(parts) : parts.map(textOf).join(',');
}
