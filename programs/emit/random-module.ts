// Random modules for tests: programs that the verifier can accept, of all operations, with loops, calls, maps, and more values at once than there
// are registers. The same seed gives the same module.

import type { BinaryOperation, IrModule } from '../ir.ts';
import { parseModule } from '../ir-parse.ts';
import { conditionSigns, operationSigns } from '../ir-text.ts';

export type Random = (below: number) => number;

/** Of a linear congruential kind (Mulberry32). */
export function random(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Numbers at whose edges things break. */
const notable = [
  0n,
  1n,
  2n,
  7n,
  63n,
  64n,
  255n,
  256n,
  65535n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 63n - 1n,
  2n ** 63n,
];

export function randomNumber(next: Random): bigint {
  const base = notable[next(notable.length)] ?? 0n;
  const value =
    next(3) === 0 ? BigInt(next(2 ** 31)) * BigInt(next(2 ** 31) + 1) : base + BigInt(next(3) - 1);
  return BigInt.asIntN(64, next(2) === 0 ? value : -value);
}

/** Programs p0 to p<count - 1> of raw tracepoints; each leaves its result in the global `result`. */
export function randomModule(next: Random, programs: number): IrModule {
  const text = [
    'map map_hash: hash of 16 from u64 to u64',
    'map map_array: array of 4 from u32 to bytes 64',
    'global result: u64',
    new Writer(next, 'function mixed(3)').write(),
    ...Array.from({ length: programs }, (_, i) => new Writer(next, `program p${i} "raw_tp"`).write()),
  ];
  return parseModule(text.join('\n'));
}

const variables = 9;

class Writer {
  private readonly next: Random;
  private readonly head: string;
  private readonly lines: string[] = [];
  private readonly inSubprogram: boolean;
  private blocks = 0;
  private registers = variables;
  private loops = 0;
  private inLoop = false;

  constructor(next: Random, head: string) {
    this.next = next;
    this.head = head;
    this.inSubprogram = head.startsWith('function');
  }

  write(): string {
    this.begin(this.block());
    for (let word = 0; word < 4; word++) this.put(`u64 [r${this.frame(0)} + ${word * 8}] = 0`);
    const context = this.fresh();
    if (!this.inSubprogram) this.put(`r${context} = context`);
    for (let v = 0; v < variables; v++) {
      if (this.inSubprogram)
        this.put(v < 3 ? `r${v} = parameter ${v}` : `r${v} = ${randomNumber(this.next)}`);
      else this.put(`r${v} = u64 [r${context} + ${v * 8}]`);
    }
    this.body(0);
    this.finish();
    return [`${this.head} frames 32 8`, ...this.lines].join('\n');
  }

  private finish(): void {
    let sum = this.fresh();
    this.put(`r${sum} = 17`);
    const fold = (register: number) => {
      const mixed = this.fresh();
      const scaled = this.fresh();
      this.put(`r${mixed} = r${sum} ^ r${register}`, `r${scaled} = r${mixed} * 1099511628211`);
      sum = scaled;
    };
    for (let v = 0; v < variables; v++) fold(v);
    for (let word = 0; word < 4; word++) {
      const value = this.fresh();
      this.put(`r${value} = u64 [r${this.frame(0)} + ${word * 8}]`);
      fold(value);
    }
    if (!this.inSubprogram) {
      const result = this.fresh();
      this.put(`r${result} = global result`, `u64 [r${result} + 0] = r${sum}`);
    }
    this.put(`return r${sum}`);
  }

  private put(...lines: string[]): void {
    this.lines.push(...lines.map((line) => `  ${line}`));
  }

  private fresh(): number {
    return this.registers++;
  }

  private block(): number {
    return this.blocks++;
  }

  /** Blocks are numbered as they are begun. */
  private begin(block: number): void {
    this.lines.push(`${block}:`);
  }

  private frame(index: number): number {
    const register = this.fresh();
    this.put(`r${register} = frame ${index}`);
    return register;
  }

  private variable(): string {
    return `r${this.next(variables)}`;
  }

  private operand(): string {
    return this.next(3) === 0 ? String(randomNumber(this.next)) : this.variable();
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.next(list.length)] as T;
  }

  private body(depth: number): void {
    const count = depth === 0 ? 4 + this.next(8) : 1 + this.next(3);
    for (let i = 0; i < count; i++) this.statement(depth);
  }

  private statement(depth: number): void {
    const kind = this.next(16);
    if (kind < 6) this.arithmetic();
    else if (kind < 8) this.memory();
    else if (kind === 8)
      this.put(`${this.variable()} = ${this.variable()} ${this.condition()} ${this.operand()}`);
    else if (kind === 9)
      this.put(
        `${this.variable()} = ${this.pick(['u8', 'u16', 'u32', 's8', 's16', 's32', 'swap16', 'swap32', 'swap64', '-'])} ${this.variable()}`.replace(
          '- ',
          '-',
        ),
      );
    else if (kind < 12 && depth < (this.inSubprogram ? 1 : 2)) this.choice(depth);
    else if (kind === 12 && depth === 0 && this.loops < 2) this.loop(depth);
    else if (kind === 13 && !this.inSubprogram && !this.inLoop)
      this.put(`${this.variable()} = call mixed(${this.variable()}, ${this.variable()}, ${this.variable()})`);
    else if (kind === 14) this.hash();
    else if (kind === 15) this.array();
    else this.arithmetic();
  }

  private condition(): string {
    return this.pick(Object.values(conditionSigns));
  }

  private arithmetic(): void {
    const operation = this.pick(Object.keys(operationSigns) as BinaryOperation[]);
    this.put(`${this.variable()} = ${this.variable()} ${operationSigns[operation]} ${this.operand()}`);
  }

  private memory(): void {
    const width = this.pick([8, 16, 32, 64]);
    const offset = this.next(32 / (width / 8)) * (width / 8);
    const base = this.frame(0);
    if (width >= 32 && this.next(4) === 0)
      this.put(`atomic u${width} [r${base} + ${offset}] += ${this.variable()}`);
    else if (this.next(2) === 0) this.put(`u${width} [r${base} + ${offset}] = ${this.operand()}`);
    else this.put(`${this.variable()} = ${this.pick(['u', 's'])}${width} [r${base} + ${offset}]`);
  }

  /** Blocks are written in the order of their numbers: what comes after a branch is numbered when it is known, so text is put in later. */
  private choice(depth: number): void {
    const at = this.lines.length;
    this.put('');
    const test = `if ${this.variable()} ${this.condition()} ${this.operand()}`;
    const then = this.block();
    this.begin(then);
    this.body(depth + 1);
    const leave = this.lines.length;
    this.put('');
    const otherwise = this.next(2) === 0 ? this.block() : undefined;
    let end: number | undefined;
    if (otherwise !== undefined) {
      this.begin(otherwise);
      this.body(depth + 1);
      end = this.lines.length;
      this.put('');
    }
    const after = this.block();
    this.begin(after);
    this.lines[at] = `  ${test} goto ${then} else ${otherwise ?? after}`;
    this.lines[leave] = `  goto ${after}`;
    if (end !== undefined) this.lines[end] = `  goto ${after}`;
  }

  private loop(depth: number): void {
    this.loops++;
    const counter = this.fresh();
    this.put(`r${counter} = 0`);
    const at = this.lines.length;
    this.put('');
    const body = this.block();
    this.lines[at] = `  goto ${body}`;
    this.begin(body);
    this.inLoop = true;
    this.body(depth + 1);
    this.inLoop = false;
    this.put(`r${counter} = r${counter} + 1`);
    const end = this.lines.length;
    this.put('');
    const after = this.block();
    this.begin(after);
    this.lines[end] = `  if r${counter} < ${2 + this.next(4)} goto ${body} else ${after}`;
  }

  /** Looks a key up; reads and writes the value where there is one, else puts one in. */
  private hash(): void {
    const [key, map, found, kept, value, flags] = Array.from({ length: 6 }, () => this.fresh());
    const slot = this.frame(1);
    this.put(
      `r${key} = ${this.variable()} & 7`,
      `u64 [r${slot} + 0] = r${key}`,
      `r${map} = map map_hash`,
      `r${found} = helper 1(r${map}, r${slot})`,
    );
    const at = this.lines.length;
    this.put('');
    const present = this.block();
    this.begin(present);
    if (this.next(2) === 0) this.put(`r${kept} = helper 1(r${map}, r${slot})`);
    this.put(`${this.variable()} = u64 [r${found} + 0]`, `u64 [r${found} + 0] = ${this.variable()}`);
    const leave = this.lines.length;
    this.put('');
    const absent = this.block();
    this.begin(absent);
    const other = this.frame(1);
    this.put(`r${flags} = 0`, `r${value} = helper 2(r${map}, r${slot}, r${other}, r${flags})`);
    const end = this.lines.length;
    this.put('');
    const after = this.block();
    this.begin(after);
    this.lines[at] = `  if r${found} != 0 goto ${present} else ${absent}`;
    this.lines[leave] = `  goto ${after}`;
    this.lines[end] = `  goto ${after}`;
  }

  /** A byte at a place that is known to be in the element only by its bounds. */
  private array(): void {
    const [map, found, place, byte] = Array.from({ length: 4 }, () => this.fresh());
    const slot = this.frame(1);
    this.put(
      `u64 [r${slot} + 0] = 0`,
      `r${place} = ${this.variable()} & 31`,
      `r${map} = map map_array`,
      `r${found} = helper 1(r${map}, r${slot})`,
    );
    const at = this.lines.length;
    this.put('');
    const present = this.block();
    this.begin(present);
    this.put(
      `r${byte} = r${found} + r${place}`,
      `${this.variable()} = u8 [r${byte} + 3]`,
      `u16 [r${byte} + 8] = ${this.variable()}`,
    );
    const leave = this.lines.length;
    this.put('');
    const after = this.block();
    this.begin(after);
    this.lines[at] = `  if r${found} != 0 goto ${present} else ${after}`;
    this.lines[leave] = `  goto ${after}`;
  }
}
