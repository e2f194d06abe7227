// From bytes (a record's tail, a map's key or value) to a value that can be shown. Where values lie is programs/layout.ts' rule.
// Neighbours: text.ts and json.ts write it, printf.ts formats it, map.ts has whole maps.

import { elementsOf, type Layouts, sizeOf } from '../layout.ts';
import type { Type } from '../types.ts';

export type Shown =
  | bigint
  | boolean
  | string
  | null
  /** A pointer, an enumerator: a name in text, a number where numbers are wanted. */
  | { kind: 'symbolic'; text: string; number: bigint }
  | { kind: 'array'; elements: Shown[] }
  | { kind: 'buffer'; bytes: Uint8Array }
  | { kind: 'tuple'; elements: Shown[] }
  /** A tuple whose elements have names. */
  | { kind: 'record'; members: [name: string, value: Shown][] }
  | { kind: 'struct'; members: [name: string, value: Shown][] };

/** What numbers mean on the node, as texts. agent/program-names.ts answers; tests do from tables. */
export interface Names {
  layouts: Layouts;
  enumerator(enumeration: string, value: bigint): string | undefined;
  stack(id: bigint, type: Type & { kind: 'stack' }): string;
  kernelSymbol(address: bigint): string;
  userSymbol(address: bigint, pid: number): string;
  cgroupPath(id: bigint): string;
  username(uid: number): string;
  time(nanoseconds: bigint, type: Type & { kind: 'timestamp' }): string;
  /** Behind a string that did not fit its room. */
  truncated: string;
  /** The output is a terminal: what a traced process says must not steer it. */
  terminal?: boolean;
}

const decoder = new TextDecoder();

export function readValue(type: Type, view: DataView, offset: number, names: Names): Shown {
  switch (type.kind) {
    case 'integer':
      return readInteger(type, view, offset, names);
    case 'boolean':
      return view.getUint8(offset) !== 0;
    case 'string':
      return readString(view, offset, type.size, names);
    case 'buffer': {
      const length = Math.min(view.getUint32(offset, true), type.size);
      return { kind: 'buffer', bytes: bytesAt(view, offset + 4, length).slice() };
    }
    case 'pointer': {
      const address = view.getBigUint64(offset, true);
      return { kind: 'symbolic', text: `0x${address.toString(16)}`, number: address };
    }
    case 'struct':
      return readStruct(type.name, view, offset, names);
    case 'array': {
      const width = sizeOf(type.of, names.layouts);
      const elements = Array.from({ length: type.length }, (_, i) =>
        readValue(type.of, view, offset + i * width, names),
      );
      return { kind: 'array', elements };
    }
    case 'tuple': {
      const places = elementsOf(type, names.layouts);
      return {
        kind: 'tuple',
        elements: places.map((place) => readValue(place.type, view, offset + place.offset, names)),
      };
    }
    case 'record': {
      const places = elementsOf(type, names.layouts);
      return {
        kind: 'record',
        members: places.map((place, i) => [
          type.members[i]?.name ?? '',
          readValue(place.type, view, offset + place.offset, names),
        ]),
      };
    }
    case 'stack':
      return names.stack(view.getBigUint64(offset, true), type);
    case 'symbol': {
      const address = view.getBigUint64(offset, true);
      if (type.space === 'kernel') return names.kernelSymbol(address);
      return names.userSymbol(address, view.getUint32(offset + 8, true));
    }
    case 'ipAddress':
      return ipAddress(view.getUint32(offset, true), bytesAt(view, offset + 4, 16));
    case 'macAddress':
      return [...bytesAt(view, offset, 6)].map((byte) => hex(byte).toUpperCase()).join(':');
    case 'cgroupPath':
      return names.cgroupPath(view.getBigUint64(offset, true));
    case 'username':
      return names.username(view.getUint32(offset, true));
    case 'timestamp':
      return names.time(view.getBigUint64(offset, true), type);
    default:
      // An aggregate is folded over CPUs before it is shown: map.ts.
      return null;
  }
}

function readInteger(type: Type & { kind: 'integer' }, view: DataView, offset: number, names: Names): Shown {
  const value = integerAt(view, offset, type.bits, type.signed);
  if (type.enum === undefined) return value;
  return { kind: 'symbolic', text: names.enumerator(type.enum, value) ?? `${value}`, number: value };
}

export function integerAt(view: DataView, offset: number, bits: number, signed: boolean): bigint {
  if (bits === 64) return signed ? view.getBigInt64(offset, true) : view.getBigUint64(offset, true);
  if (bits === 32) return BigInt(signed ? view.getInt32(offset, true) : view.getUint32(offset, true));
  if (bits === 16) return BigInt(signed ? view.getInt16(offset, true) : view.getUint16(offset, true));
  return BigInt(signed ? view.getInt8(offset) : view.getUint8(offset));
}

function readString(view: DataView, offset: number, size: number, names: Names): string {
  const bytes = bytesAt(view, offset, size);
  const end = bytes.indexOf(0);
  const text = decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
  const shown = names.terminal === true ? withoutControls(text) : text;
  return end < 0 ? shown + names.truncated : shown;
}

/** Control characters as \xNN, but newlines and tabs. */
function withoutControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (letter) =>
    letter === '\n' || letter === '\t' ? letter : `\\x${hex(letter.codePointAt(0) ?? 0)}`,
  );
}

function readStruct(name: string, view: DataView, offset: number, names: Names): Shown {
  const layout = names.layouts.get(name);
  if (layout === undefined) return null;
  return {
    kind: 'struct',
    members: layout.members.map((member) => {
      const at = offset + (member.offsetBits >> 3);
      if (member.bits === undefined) return [member.name, readValue(member.type, view, at, names)];
      return [member.name, bitField(member.type, view, offset, member.offsetBits, member.bits, layout.size)];
    }),
  };
}

/** A bit field may lie across the edges of its type: it is read byte by byte. */
function bitField(
  type: Type,
  view: DataView,
  offset: number,
  offsetBits: number,
  bits: number,
  size: number,
): bigint {
  let raw = 0n;
  const first = offsetBits >> 3;
  const last = Math.min(size - 1, (offsetBits + bits - 1) >> 3);
  for (let at = last; at >= first; at--) raw = (raw << 8n) | BigInt(view.getUint8(offset + at));
  const value = BigInt.asUintN(bits, raw >> BigInt(offsetBits & 7));
  return type.kind === 'integer' && type.signed ? BigInt.asIntN(bits, value) : value;
}

export function bytesAt(view: DataView, offset: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, length);
}

function ipAddress(family: number, bytes: Uint8Array): string {
  if (family === 2) return [...bytes.subarray(0, 4)].join('.');
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[i * 2] ?? 0) << 8) | (bytes[i * 2 + 1] ?? 0));
  // An IPv4 address in an IPv6 one is written as such (inet_ntop does).
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff)
    return `::ffff:${[...bytes.subarray(12)].join('.')}`;
  const { from, length } = longestZeros(words);
  const text = (part: number[]) => part.map((word) => word.toString(16)).join(':');
  if (length < 2) return text(words);
  return `${text(words.slice(0, from))}::${text(words.slice(from + length))}`;
}

function longestZeros(words: number[]): { from: number; length: number } {
  let best = { from: 0, length: 0 };
  for (let from = 0; from < words.length; from++) {
    let length = 0;
    while (words[from + length] === 0) length++;
    if (length > best.length) best = { from, length };
  }
  return best;
}

export function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** The number that a value is, where one is wanted (%d). */
export function numberOf(value: Shown): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (value !== null && typeof value === 'object' && value.kind === 'symbolic') return value.number;
  return 0n;
}
