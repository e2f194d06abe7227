// A program's maps: read whole for printing, emptied, set to zero. Neighbours: native (BpfMap), programs/show/map.ts, agent/program-session.ts.

import type { BpfObject, BtfValue } from '../native/api.ts';
import type { Compiled, CompiledMap } from '../programs/compiled.ts';
import {
  entriesOf,
  type MapBytes,
  type MapEntry,
  type MapNames,
  type MapPrint,
  mapJson,
  mapText,
  type OwnedEntry,
  ownedEntries,
} from '../programs/show/map.ts';
import { keyText } from '../programs/show/text.ts';
import type { Shown } from '../programs/show/value.ts';

export interface ProgramMaps {
  named(name: string): CompiledMap | undefined;
  /** A whole map as bpftrace prints it. */
  print(map: CompiledMap, print: MapPrint, format: 'text' | 'json', names: MapNames): string;
  /** One key of it. */
  printEntry(map: CompiledMap, keys: readonly Shown[], format: 'text' | 'json', names: MapNames): string;
  /** Each container's own, for results. */
  owned(map: CompiledMap, names: MapNames): OwnedEntry[];
  clear(map: CompiledMap): void;
  zero(map: CompiledMap): void;
}

export function programMaps(object: BpfObject, compiled: Compiled, possibleCpus: number): ProgramMaps {
  const byName = new Map(compiled.maps.map((map) => [map.name, map]));
  const bytesOf = (map: CompiledMap): MapBytes => {
    const perCpu = map.map.type.startsWith('percpu') || map.map.type.startsWith('lruPercpu');
    return { ...object.map(map.map.name).bytes({ perCpu: true }), cpus: perCpu ? possibleCpus : 1 };
  };
  const entries = (map: CompiledMap, names: MapNames): MapEntry[] => entriesOf(map, bytesOf(map), names);
  const show = (
    map: CompiledMap,
    shown: readonly MapEntry[],
    print: MapPrint,
    format: 'text' | 'json',
    names: MapNames,
  ): string => (format === 'json' ? mapJson : mapText)(map, shown, print, names);
  return {
    named: (name) => byName.get(name),
    owned: (map, names) => ownedEntries(map, bytesOf(map), names),
    print: (map, print, format, names) => show(map, entries(map, names), print, format, names),
    printEntry(map, keys, format, names) {
      const wanted = keyText(keys);
      const found = entries(map, names).filter((entry) => keyText(entry.keys) === wanted);
      return show(map, found, { top: null, divisor: null }, format, names);
    },
    clear: (map) => void object.map(map.map.name).entries({ drain: true }),
    zero(map) {
      const own = object.map(map.map.name);
      for (const { key, value } of own.entries()) own.set(key, zeroOf(value));
    },
  };
}

function zeroOf(value: BtfValue): BtfValue {
  if (typeof value === 'bigint') return 0n;
  if (typeof value === 'number') return 0;
  if (typeof value === 'boolean') return false;
  if (typeof value === 'string') return '';
  if (value instanceof Uint8Array) return new Uint8Array(value.length);
  if (Array.isArray(value)) return value.map(zeroOf);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, zeroOf(member)]));
}
