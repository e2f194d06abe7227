// When a register, or a slot on the stack, is in use: what allocate.ts and spill.ts ask before they give it out.

/** Positions as in liveness.ts. */
export class Occupied {
  private readonly bits: Uint32Array;

  constructor(positions: number) {
    this.bits = new Uint32Array((positions >> 5) + 1);
  }

  isFree(ranges: number[]): boolean {
    for (let i = 0; i < ranges.length; i += 2)
      for (const [word, mask] of masks(ranges[i] as number, ranges[i + 1] as number))
        if (((this.bits[word] as number) & mask) !== 0) return false;
    return true;
  }

  release(ranges: number[]): void {
    for (let i = 0; i < ranges.length; i += 2)
      for (const [word, mask] of masks(ranges[i] as number, ranges[i + 1] as number))
        this.bits[word] = (this.bits[word] as number) & ~mask;
  }

  take(ranges: number[]): void {
    for (let i = 0; i < ranges.length; i += 2)
      for (const [word, mask] of masks(ranges[i] as number, ranges[i + 1] as number))
        this.bits[word] = (this.bits[word] as number) | mask;
  }
}

function* masks(from: number, to: number): Generator<[word: number, mask: number]> {
  for (let word = from >> 5; word << 5 < to; word++) {
    const low = Math.max(from - (word << 5), 0);
    const high = Math.min(to - (word << 5), 32);
    yield [word, high - low === 32 ? -1 : ((1 << (high - low)) - 1) << low];
  }
}
