// How values lie in memory: in keys and values of maps, in records' tails, in the program's own room. programs/lower/* writes them so, and who
// shows them (agent/, cli/) reads them so. By C's rules of alignment, little endian.
//
//   boolean 1 byte · integer its bits · pointer, timestamp (ns), stack (its id), kernel symbol, cgroupPath (the cgroup's id) a u64
//   string its size, ended by a NUL unless it fills its room; zeros behind it in keys · buffer u32 length, then its bytes
//   user symbol u64 address, u32 process, u32 0 · username u32 uid
//   ipAddress u32 family (2, 10), 16 bytes of address · macAddress 6 bytes
//   tuple, record as a struct of its elements · struct as its layout says, 8-aligned · array its elements
//   count u64 · sum s64 or u64 · min, max {u64 value, u64 set (0: nothing yet)} · avg, stats {u64 total, u64 count}
//   hist u64 for each bucket (histBuckets, histRange) · lhist u64 below, one for each step, above
//   tseries {u64 interval (its number since boot, from 1; 0: none), u64 value, u64 count} for each interval, at interval % intervals
// Of a per-CPU map each CPU has such a value; they are added (min and max: of those that are set; tseries: by interval).

import type { Layout, Type } from './types.ts';

export type Layouts = ReadonlyMap<string, Layout>;

export interface Element {
  type: Type;
  offset: number;
}

/** Bytes. */
export function sizeOf(type: Type, layouts: Layouts): number {
  switch (type.kind) {
    case 'none':
      return 0;
    case 'boolean':
      return 1;
    case 'integer':
      return type.bits / 8;
    case 'string':
      return type.size;
    case 'buffer':
      return 4 + type.size;
    case 'struct':
      return layouts.get(type.name)?.size ?? 0;
    case 'array':
      return type.length * sizeOf(type.of, layouts);
    case 'tuple':
    case 'record': {
      const elements = elementsOf(type, layouts);
      const last = elements.at(-1);
      if (last === undefined) return 0;
      return up(last.offset + sizeOf(last.type, layouts), alignmentOf(type, layouts));
    }
    case 'symbol':
      return type.space === 'user' ? 16 : 8;
    case 'ipAddress':
      return 20;
    case 'macAddress':
      return 6;
    case 'username':
      return 4;
    case 'min':
    case 'max':
    case 'avg':
    case 'stats':
      return 16;
    case 'hist':
      return 8 * histBuckets(type.bits);
    case 'lhist':
      return 8 * (lhistSteps(type) + 2);
    case 'tseries':
      return 24 * type.intervals;
    default:
      return 8;
  }
}

export function alignmentOf(type: Type, layouts: Layouts): number {
  switch (type.kind) {
    case 'none':
    case 'boolean':
    case 'string':
    case 'macAddress':
      return 1;
    case 'integer':
      return type.bits / 8;
    case 'buffer':
    case 'ipAddress':
    case 'username':
      return 4;
    case 'array':
      return alignmentOf(type.of, layouts);
    case 'tuple':
    case 'record':
      return membersOf(type).reduce((most, member) => Math.max(most, alignmentOf(member, layouts)), 1);
    default:
      return 8;
  }
}

/** Where the elements of a tuple or record lie. */
export function elementsOf(type: Type & { kind: 'tuple' | 'record' }, layouts: Layouts): Element[] {
  return placed(membersOf(type), 0, layouts);
}

/** Types one after the other from an offset on. */
export function placed(types: readonly Type[], from: number, layouts: Layouts): Element[] {
  let offset = from;
  return types.map((type) => {
    offset = up(offset, alignmentOf(type, layouts));
    const element = { type, offset };
    offset += sizeOf(type, layouts);
    return element;
  });
}

function membersOf(type: Type & { kind: 'tuple' | 'record' }): Type[] {
  return type.kind === 'tuple' ? type.elements : type.members.map((member) => member.type);
}

/** The next multiple. */
export function up(size: number, alignment: number): number {
  return Math.ceil(size / alignment) * alignment;
}

/** Buckets of hist(n, bits): below zero, one for each value less than 2^bits, then 2^bits for each power of two up to 2^63. */
export function histBuckets(bits: number): number {
  return 1 + ((64 - bits + 1) << bits);
}

/** The values that a bucket counts, [from, to); null: without end. As program_log2_bucket in bpf/program/program.bpf.h. */
export function histRange(bucket: number, bits: number): { from: bigint | null; to: bigint | null } {
  if (bucket === 0) return { from: null, to: 0n };
  const exact = 1 << bits;
  const index = bucket - 1;
  if (index < exact) return { from: BigInt(index), to: BigInt(index + 1) };
  const power = BigInt((index >> bits) - 1);
  const from = BigInt(exact + (index & (exact - 1))) << power;
  return { from, to: from + (1n << power) };
}

/** Buckets between the first (below min) and the last (from max on). */
export function lhistSteps(type: { min: bigint; max: bigint; step: bigint }): number {
  return Number((type.max - type.min) / type.step);
}
