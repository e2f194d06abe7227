// Models of maps for programs/interpret.ts, as one CPU sees them: lookup, update, delete.

import { sizeOf } from './emit/btf.ts';
import { readBytes } from './evaluate.ts';
import type { Machine, Model } from './interpret.ts';
import type { IrMap } from './ir.ts';

const exists = -17n;
const missing = -2n;
const full = -7n;

export const mapHelpers: Record<number, Model> = {
  1: (machine, map, key) => find(machine, map, key).value ?? 0n,
  2: (machine, map, key, value, flags) => {
    const { entries, definition, text, value: known } = find(machine, map, key);
    const size = sizeOf(definition.value);
    if (known === undefined && isArray(definition)) return full;
    if (known !== undefined) {
      if (flags === 1n) return exists;
      machine.bytes(known, size).set(machine.bytes(value, size));
      return 0n;
    }
    if (flags === 2n) return missing;
    if (entries.size >= definition.entries) return full;
    entries.set(text, machine.allocate(machine.bytes(value, size).slice()));
    return 0n;
  },
  3: (machine, map, key) => {
    const { entries, definition, text } = find(machine, map, key);
    if (isArray(definition)) return -22n;
    return entries.delete(text) ? 0n : missing;
  },
};

function isArray(map: IrMap): boolean {
  return map.type === 'array' || map.type === 'percpuArray';
}

/** value: the address of the entry's value. An array's elements are all there. */
function find(
  machine: Machine,
  address: bigint,
  key: bigint,
): { entries: Map<string, bigint>; definition: IrMap; text: string; value: bigint | undefined } {
  const name = machine.nameAt(address);
  const definition = machine.module.maps.find((map) => map.name === name);
  if (!definition) throw new Error(`${name} is no map of the module`);
  let entries = machine.maps.get(name);
  if (!entries) {
    entries = new Map();
    machine.maps.set(name, entries);
  }
  const bytes = machine.bytes(key, sizeOf(definition.key));
  const text = Buffer.from(bytes).toString('latin1');
  if (isArray(definition) && !entries.has(text) && readBytes(bytes) < BigInt(definition.entries))
    entries.set(text, machine.allocate(new Uint8Array(sizeOf(definition.value))));
  return { entries, definition, text, value: entries.get(text) };
}
