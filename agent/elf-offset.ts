// Where an address of an ELF file lies in the file, for probes at addresses. The file may be hostile: what is read is bounded and checked.
// Neighbour: agent/program-attach.ts.

import { closeSync, openSync, readSync } from 'node:fs';

const load = 1;
const mostSegments = 256;
const segmentSize = 56;

/** Undefined: it is no 64-bit ELF file of this machine, or nothing is loaded at the address. */
export function fileOffsetOf(path: string, address: bigint): bigint | undefined {
  const fd = openSync(path, 'r');
  try {
    const header = read(fd, 0n, 64);
    if (header === undefined || header.getUint32(0) !== 0x7f454c46 || header.getUint8(4) !== 2)
      return undefined;
    const count = Math.min(header.getUint16(56, true), mostSegments);
    const segments = read(fd, header.getBigUint64(32, true), count * segmentSize);
    for (let at = 0; segments !== undefined && at < count * segmentSize; at += segmentSize) {
      if (segments.getUint32(at, true) !== load) continue;
      const [offset, start, size] = [8, 16, 32].map((field) => segments.getBigUint64(at + field, true));
      if (offset === undefined || start === undefined || size === undefined) continue;
      if (address >= start && address - start < size) return address - start + offset;
    }
    return undefined;
  } finally {
    closeSync(fd);
  }
}

function read(fd: number, position: bigint, length: number): DataView | undefined {
  if (position > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const bytes = new Uint8Array(length);
  return readSync(fd, bytes, 0, length, Number(position)) === length ? new DataView(bytes.buffer) : undefined;
}
