// Texts to search for as tables: for each byte, a bit for each place of the pattern that it fits. One step of the search is then a shift and an AND,
// whatever the pattern, so that the verifier has nothing to branch on. The loops over them: program_find and program_glob in bpf/program/strings.bpf.h.

import type { Span } from '../source.ts';
import { textBytes } from './expression.ts';
import { CannotLower } from './shared.ts';

const mostPlaces = 63;

export function needleTable(text: string, span: Span): { table: Uint8Array; length: number } {
  const bytes = textBytes(text, Number.MAX_SAFE_INTEGER).subarray(0, -1);
  if (bytes.length > mostPlaces)
    throw new CannotLower(`a text to search for has at most ${mostPlaces} bytes`, span);
  const masks = new BigUint64Array(256);
  for (const [place, byte] of bytes.entries()) masks[byte] = (masks[byte] ?? 0n) | (1n << BigInt(place));
  return { table: new Uint8Array(masks.buffer), length: bytes.length };
}

/** stars: places before which any bytes may stand. end: the bit of all places matched. */
export function globTable(pattern: string, span: Span): { table: Uint8Array; stars: bigint; end: bigint } {
  const bytes = textBytes(pattern, Number.MAX_SAFE_INTEGER).subarray(0, -1);
  const masks = new BigUint64Array(256);
  let place = 0n;
  let stars = 0n;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x2a) {
      stars |= 1n << place;
      continue;
    }
    const { fits, end } = classAt(bytes, at);
    at = end;
    for (let each = 1; each < 256; each++) if (fits(each)) masks[each] = (masks[each] ?? 0n) | (1n << place);
    place++;
    if (place > mostPlaces) throw new CannotLower(`a pattern has at most ${mostPlaces} characters`, span);
  }
  return { table: new Uint8Array(masks.buffer), stars, end: 1n << place };
}

/** What one place of a pattern fits, and where it ends. */
function classAt(bytes: Uint8Array, at: number): { fits: (byte: number) => boolean; end: number } {
  const byte = bytes[at] ?? 0;
  if (byte === 0x3f) return { fits: () => true, end: at };
  const close = byte === 0x5b ? bytes.indexOf(0x5d, at + 2) : -1;
  if (close < 0) return { fits: (each) => each === byte, end: at };
  const negated = bytes[at + 1] === 0x21;
  const ranges: [number, number][] = [];
  for (let index = at + (negated ? 2 : 1); index < close; index++) {
    const from = bytes[index] ?? 0;
    const isRange = bytes[index + 1] === 0x2d && index + 2 < close;
    ranges.push([from, isRange ? (bytes[index + 2] ?? 0) : from]);
    if (isRange) index += 2;
  }
  return { fits: (each) => ranges.some(([from, to]) => each >= from && each <= to) !== negated, end: close };
}
