// Reading and writing memory: the program's own by loads and stores, everybody else's by helpers. Where and what: programs/lower/place.ts.

import type { Register, Width } from '../ir.ts';
import type { Span } from '../source.ts';
import type { Space, Type } from '../types.ts';
import type { Body } from './body.ts';
import { helper } from './kernel-helpers.ts';
import { warn } from './output.ts';
import { beyond, isScalar, type Location, type Place, type Value } from './place.ts';
import { CannotLower } from './shared.ts';

/** So many bytes are cleared or copied by single stores; more by one call of a helper. */
const mostStores = 64;

export function ownPlace(location: Location): location is Place {
  return location.at === 'frame' || location.at === 'scratch' || location.at === 'pointer';
}

/** A register with an address in it, and an offset to it that loads and stores take. */
export function baseOf(body: Body, location: Location): { base: Register; offset: number } {
  const { offset } = location;
  switch (location.at) {
    case 'frame':
      return { base: body.f.frame(location.frame), offset };
    case 'scratch':
      body.room.used = true;
      return { base: body.scratch, offset };
    case 'pointer':
      return { base: location.register, offset };
    case 'context':
      return { base: body.context, offset };
    case 'remote':
      return { base: location.address, offset };
  }
}

export function addressOf(body: Body, location: Location): Register {
  const { base, offset } = baseOf(body, location);
  return body.f.add(base, offset);
}

/** A pointer without a space is of the probe's. */
export function spaceOf(body: Body, space: Space): 'kernel' | 'user' {
  return space === 'none' ? body.probe.context.space : space;
}

function spaceAt(body: Body, location: Location): 'kernel' | 'user' {
  return location.at === 'remote' ? spaceOf(body, location.space) : 'kernel';
}

/** Bytes from anywhere into memory of one's own; zeros where they can't be read. */
export function copyBytes(body: Body, from: Location, to: Place, size: number): void {
  if (size === 0) return;
  if (ownPlace(from) && size <= mostStores) {
    const source = baseOf(body, from);
    const target = baseOf(body, to);
    for (const [at, width] of pieces(source.offset, target.offset, size))
      body.f.store(
        target.base,
        target.offset + at,
        width,
        body.f.load(source.base, source.offset + at, width),
      );
    return;
  }
  const read = spaceAt(body, from) === 'user' ? helper.readUser : helper.readKernel;
  const result = body.f.helper(
    read,
    addressOf(body, to),
    body.f.constant(BigInt(size)),
    addressOf(body, from),
  );
  if (!ownPlace(from)) checkRead(body, read, result);
}

/** Pieces of memory that are aligned on both sides. */
function* pieces(first: number, second: number, size: number): Generator<[number, Width]> {
  for (let at = 0; at < size; ) {
    const width =
      ([8, 4, 2] as const).find(
        (wide) => at + wide <= size && (first + at) % wide === 0 && (second + at) % wide === 0,
      ) ?? 1;
    yield [at, width];
    at += width;
  }
}

export function clear(body: Body, place: Place, size: number): void {
  if (size > mostStores) {
    // Nothing can be read from address 0: the helper then leaves zeros, faster than any loop here.
    const nowhere = body.f.constant(0n);
    body.f.helper(helper.readKernel, addressOf(body, place), body.f.constant(BigInt(size)), nowhere);
    return;
  }
  const { base, offset } = baseOf(body, place);
  for (const [at, width] of pieces(offset, 0, size)) body.f.store(base, offset + at, width, { value: 0n });
}

/** Known bytes into memory, zeros behind them up to size. */
export function writeBytes(body: Body, bytes: Uint8Array, place: Place, size: number): void {
  const shown = bytes.subarray(0, size);
  if (shown.length > mostStores) {
    const data: Place = { at: 'pointer', register: body.f.data(padded(shown)), offset: 0 };
    copyBytes(body, data, place, shown.length);
    clear(body, beyond(place, shown.length), size - shown.length);
    return;
  }
  const { base, offset } = baseOf(body, place);
  const near = new Uint8Array(Math.min(size, Math.ceil(shown.length / 8) * 8));
  near.set(shown);
  const view = new DataView(near.buffer);
  for (const [at, width] of pieces(offset, 0, near.length)) {
    const value =
      width === 8
        ? view.getBigInt64(at, true)
        : BigInt(
            width === 4 ? view.getInt32(at, true) : width === 2 ? view.getInt16(at, true) : view.getInt8(at),
          );
    body.f.store(base, offset + at, width, { value });
  }
  clear(body, beyond(place, near.length), size - near.length);
}

/** To a multiple of 8, so that words can be loaded to the end. */
export function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.max(8, Math.ceil(bytes.length / 8) * 8));
  whole.set(bytes);
  return whole;
}

export function widthOf(body: Body, type: Type): Width {
  const size = body.shared.sizeOf(type);
  return size === 1 || size === 2 || size === 4 ? size : 8;
}

export function isSigned(type: Type): boolean {
  return type.kind === 'integer' && type.signed;
}

/** The number at a location, widened. */
export function loadScalar(body: Body, location: Location, type: Type, span: Span): Register {
  const width = widthOf(body, type);
  const direct = location.at !== 'remote' && (location.at !== 'context' || location.offset % width === 0);
  if (direct) {
    const { base, offset } = baseOf(body, location);
    return body.f.load(base, offset, width, isSigned(type));
  }
  const slot = body.temporary(8, span);
  const read = spaceAt(body, location) === 'user' ? helper.readUser : helper.readKernel;
  const result = body.f.helper(
    read,
    addressOf(body, slot),
    body.f.constant(BigInt(width)),
    addressOf(body, location),
  );
  checkRead(body, read, result);
  const { base, offset } = baseOf(body, slot);
  return body.f.load(base, offset, width, isSigned(type));
}

/** What lies at a location as a value: numbers are read, all else stays where it is. */
export function valueAt(body: Body, location: Location, type: Type, span: Span): Value {
  if (type.kind === 'none') return { kind: 'none' };
  if (isScalar(type)) return { kind: 'scalar', register: loadScalar(body, location, type, span), type };
  return { kind: 'located', location, type, padded: false };
}

/** Writes a value as another type of its kind (wider, or a larger room). Gives the bytes of a string with its NUL where they are known only now. */
export function writeValue(body: Body, value: Value, to: Place, type: Type, span: Span): Register | null {
  if (value.kind === 'none') return null;
  if (value.kind === 'scalar') {
    if (!isScalar(type)) throw new CannotLower(`a number can't be kept as ${type.kind}`, span);
    const { base, offset } = baseOf(body, to);
    body.f.store(base, offset, widthOf(body, type), value.register);
    return null;
  }
  if (value.type.kind === 'string' && type.kind === 'string')
    return writeString(body, value.location, value.type.size, value.padded, to, type.size);
  const from = value.type;
  if (
    (from.kind === 'tuple' && type.kind === 'tuple') ||
    (from.kind === 'record' && type.kind === 'record')
  ) {
    const targets = body.shared.elementsOf(type);
    clear(body, to, body.shared.sizeOf(type));
    for (const [index, element] of body.shared.elementsOf(from).entries()) {
      const target = targets[index];
      if (target === undefined) continue;
      const part = valueAt(body, beyond(value.location, element.offset), element.type, span);
      writeValue(body, part, beyond(to, target.offset), target.type, span);
    }
    return null;
  }
  if (from.kind === 'buffer' && type.kind === 'buffer') {
    const size = Math.min(from.size, type.size);
    copyBytes(body, value.location, to, 4 + size);
    clear(body, beyond(to, 4 + size), type.size - size);
    return null;
  }
  const size = Math.min(body.shared.sizeOf(from), body.shared.sizeOf(type));
  copyBytes(body, value.location, to, size);
  clear(body, beyond(to, size), body.shared.sizeOf(type) - size);
  return null;
}

/** Text into a room, zeros behind it. */
function writeString(
  body: Body,
  from: Location,
  fromSize: number,
  isPadded: boolean,
  to: Place,
  size: number,
): Register | null {
  const most = Math.min(fromSize, size);
  if (isPadded && ownPlace(from) && most <= mostStores) {
    copyBytes(body, from, to, most);
    clear(body, beyond(to, most), size - most);
    return null;
  }
  clear(body, to, size);
  return readText(body, addressOf(body, from), spaceAt(body, from), to, body.f.constant(BigInt(most)));
}

/** Text up to its NUL; gives its bytes with the NUL, or an error. */
export function readText(
  body: Body,
  address: Register,
  space: 'kernel' | 'user',
  to: Place,
  size: Register,
): Register {
  const read = space === 'user' ? helper.readUserText : helper.readKernelText;
  const result = body.f.helper(read, addressOf(body, to), size, address);
  checkRead(body, read, result);
  return result;
}

const readNames: Record<number, string> = {
  [helper.readUser]: 'probe_read_user',
  [helper.readKernel]: 'probe_read_kernel',
  [helper.readUserText]: 'probe_read_user_str',
  [helper.readKernelText]: 'probe_read_kernel_str',
};

/** Tells of memory that can't be read, where that was asked for (-k): what was read is zeros then. */
export function checkRead(body: Body, read: number, result: Register): void {
  const { f } = body;
  const span = f.span;
  if (!body.shared.runtimeChecks || span === undefined) return;
  f.when('slt', result, { value: 0n }, () => warn(body, readNames[read] ?? 'probe_read', result, span));
}
