// Functions as numbers, told apart by the bytes of their lines: a fleet's runs name the same functions again and again, and each is parsed once. Neighbours:
// results/stack-lines.ts (the lines), results/stack-fold.ts.

import { decodeFrame } from './row-json.ts';
import type { StackFrame } from './shape.ts';
import { grown } from './sums.ts';

/** What a frozen table gives for a frame that it has not. */
export const unknownFrame = 0;

export class FrameTable {
  /** The next number. */
  count = 1;
  bytes = 0;
  /** Nothing is added any more. */
  frozen = false;
  /** The place behind the line that was read last. */
  end = 0;
  #text = Buffer.allocUnsafeSlow(1 << 16);
  #view = viewOf(this.#text);
  #from = new Int32Array(1 << 10);
  #hash = new Int32Array(1 << 10);
  /** Numbers by hash; 0: empty. */
  #slots = new Int32Array(1 << 11);

  /** The number of the frame whose line begins there; `added` is told what is new. Leaves the place behind the line's newline in `end`. */
  read(
    text: Buffer,
    view: DataView,
    from: number,
    added: (frame: StackFrame, number: number) => void,
  ): number {
    // Four bytes at a time until one of them is the newline.
    let hash = 0;
    let at = from;
    const last = text.length - 4;
    for (; at <= last; at += 4) {
      const word = view.getUint32(at, true);
      const ends = word ^ 0x0a0a0a0a;
      if (((ends - 0x01010101) & ~ends & 0x80808080) !== 0) break;
      hash = Math.imul(hash ^ word, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    for (; text[at] !== 10; at++) {
      if (at >= text.length) throw new Error('a line has no end');
      hash = Math.imul(hash ^ (text[at] as number), 0x85ebca6b);
    }
    hash ^= hash >>> 13;
    this.end = at + 1;
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot] as number;
      if (number === 0) break;
      if (this.#hash[number] === hash && this.#same(number, text, view, from, at)) return number;
    }
    if (this.frozen) return unknownFrame;
    const frame = decodeFrame(JSON.parse(text.toString('utf8', from, at)));
    const number = this.#add(hash, text, from, at);
    added(frame, number);
    return number;
  }

  #same(number: number, text: Buffer, view: DataView, from: number, to: number): boolean {
    const start = this.#from[number] as number;
    const length = to - from;
    if ((this.#from[number + 1] as number) - start !== length) return false;
    const own = this.#view;
    let i = 0;
    for (; i + 4 <= length; i += 4) if (own.getUint32(start + i) !== view.getUint32(from + i)) return false;
    for (; i < length; i++) if (own.getUint8(start + i) !== text[from + i]) return false;
    return true;
  }

  #add(hash: number, text: Buffer, from: number, to: number): number {
    const number = this.count++;
    const length = to - from;
    if (this.bytes + length > this.#text.length) {
      const next = Buffer.allocUnsafeSlow(2 * (this.bytes + length));
      this.#text.copy(next, 0, 0, this.bytes);
      this.#text = next;
      this.#view = viewOf(next);
    }
    text.copy(this.#text, this.bytes, from, to);
    if (number + 2 > this.#from.length) {
      this.#from = grown(this.#from, 2 * this.#from.length);
      this.#hash = grown(this.#hash, 2 * this.#hash.length);
    }
    this.#from[number] = this.bytes;
    this.bytes += length;
    this.#from[number + 1] = this.bytes;
    this.#hash[number] = hash;
    if (2 * this.count > this.#slots.length) this.#rehash();
    else this.#place(number);
    return number;
  }

  #rehash(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    for (let number = 1; number < this.count; number++) this.#place(number);
  }

  #place(number: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#hash[number] as number) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = number;
  }

  frame(number: number): StackFrame {
    const text = this.#text.toString('utf8', this.#from[number], this.#from[number + 1]);
    return decodeFrame(JSON.parse(text));
  }

  /** Forgets the frames that are not kept. Gives the new number of each old one. */
  keep(kept: Uint8Array): Int32Array {
    const numbers = new Int32Array(this.count);
    const [text, from, hash, count] = [this.#text, this.#from, this.#hash, this.count];
    [this.count, this.bytes] = [1, 0];
    this.#slots = new Int32Array(this.#slots.length);
    this.#from = new Int32Array(from.length);
    this.#hash = new Int32Array(hash.length);
    this.#text = Buffer.allocUnsafeSlow(text.length);
    this.#view = viewOf(this.#text);
    for (let number = 1; number < count; number++)
      if (kept[number] === 1)
        numbers[number] = this.#add(
          hash[number] as number,
          text,
          from[number] as number,
          from[number + 1] as number,
        );
    return numbers;
  }
}

/** Words anywhere in these bytes: it reads faster than the bytes do. */
export function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
