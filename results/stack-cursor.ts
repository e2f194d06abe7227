// Reads rows of stacks by their bytes: a fleet's results have millions. Neighbours: results/stack-lines.ts (what stands there), results/stack-fold.ts.

import { parts } from './sums.ts';

const [comma, open, close, minus] = [0x2c, 0x5b, 0x5d, 0x2d];

/** A place in a text. Every method throws an Error that says what stands there instead. */
export class Cursor {
  text: Buffer = Buffer.alloc(0);
  at = 0;

  expect(byte: number): void {
    if (this.text[this.at] !== byte) throw new Error(`not a row: something else stands at byte ${this.at}`);
    this.at++;
  }

  /** True where that byte stands; it is passed then. */
  passes(byte: number): boolean {
    if (this.text[this.at] !== byte) return false;
    this.at++;
    return true;
  }

  digits(): number {
    const { text, at: start } = this;
    let [at, value] = [start, 0];
    for (let digit = (text[at] ?? 0) - 48; digit >= 0 && digit <= 9; digit = (text[at] ?? 0) - 48) {
      value = value * 10 + digit;
      at++;
    }
    if (at === start) throw new Error(`not a row: a number is missing at byte ${at}`);
    this.at = at;
    return value;
  }

  /** A list of as many integers as there is room for, in the form of results/sums.ts. */
  integers(low: Float64Array, high: Float64Array): void {
    this.expect(open);
    for (let i = 0; i < low.length; i++) {
      if (i > 0) this.expect(comma);
      const start = this.at;
      const negative = this.passes(minus);
      const value = this.digits();
      const small = value < 1e15 && !negative;
      const wide = small ? undefined : parts(BigInt(this.text.toString('latin1', start, this.at)));
      low[i] = wide ? wide.low : value;
      high[i] = wide ? wide.high : 0;
    }
    if (!this.passes(close)) throw new Error(`value has not ${low.length} numbers`);
  }

  /** To the line's end. */
  line(): string {
    const end = this.text.indexOf(10, this.at);
    if (end < 0) throw new Error('a line has no end');
    const line = this.text.toString('utf8', this.at, end);
    this.at = end + 1;
    return line;
  }
}
