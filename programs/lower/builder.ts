// Writes one function of the intermediate form, instruction by instruction. Neighbours: programs/ir.ts (what it makes), programs/lower/body.ts (who writes).

import type {
  BinaryOperation,
  Block,
  Condition,
  Instruction,
  IrFunction,
  Operand,
  Register,
  Terminator,
  Width,
} from '../ir.ts';
import type { Span } from '../source.ts';

type Unplaced<T> = T extends unknown ? Omit<T, 'span'> : never;

export class Builder {
  readonly frames: number[] = [];
  /** Put on what is written from now on: the verifier's words are shown there. */
  span: Span | undefined;
  private readonly blocks: { instructions: Instruction[]; end: Terminator | null }[] = [];
  private registers = 0;
  private current = 0;

  constructor() {
    this.block();
  }

  register(): Register {
    return this.registers++;
  }

  /** A new block, empty; `goto` moves there. */
  block(): number {
    return this.blocks.push({ instructions: [], end: null }) - 1;
  }

  /** What follows is written into this block. */
  goto(block: number): void {
    this.current = block;
  }

  /** Whether the block that is written has its end already: what follows is never reached. */
  ended(): boolean {
    return this.blocks[this.current]?.end !== null;
  }

  emit(instruction: Unplaced<Instruction>): void {
    if (this.ended()) this.goto(this.block());
    const placed = this.span === undefined ? instruction : { ...instruction, span: this.span };
    this.blocks[this.current]?.instructions.push(placed as Instruction);
  }

  private end(terminator: Terminator): void {
    const block = this.blocks[this.current];
    if (block !== undefined && block.end === null) block.end = terminator;
  }

  jump(to: number): void {
    this.end({ op: 'jump', to });
  }

  branch(condition: Condition, left: Register, right: Operand, then: number, otherwise: number): void {
    const span = this.span === undefined ? {} : { span: this.span };
    this.end({ op: 'branch', condition, left, right, then, otherwise, ...span });
  }

  return(value: Operand): void {
    this.end({ op: 'return', value });
  }

  constant(value: bigint): Register {
    const to = this.register();
    this.emit({ op: 'constant', to, value: BigInt.asIntN(64, value) });
    return to;
  }

  move(to: Register, from: Register): void {
    this.emit({ op: 'move', to, from });
  }

  binary(operation: BinaryOperation, left: Register, right: Operand): Register {
    const to = this.register();
    this.emit({ op: 'binary', operation, to, left, right });
    return to;
  }

  add(left: Register, bytes: number): Register {
    return bytes === 0 ? left : this.binary('add', left, { value: BigInt(bytes) });
  }

  compare(condition: Condition, left: Register, right: Operand): Register {
    const to = this.register();
    this.emit({ op: 'compare', condition, to, left, right });
    return to;
  }

  load(base: Register, offset: number, width: Width, signed = false): Register {
    const to = this.register();
    this.emit({ op: 'load', to, base, offset, width, signed });
    return to;
  }

  store(base: Register, offset: number, width: Width, from: Operand): void {
    this.emit({ op: 'store', base, offset, width, from });
  }

  context(): Register {
    const to = this.register();
    this.emit({ op: 'context', to });
    return to;
  }

  parameter(index: number): Register {
    const to = this.register();
    this.emit({ op: 'parameter', to, index });
    return to;
  }

  data(bytes: Uint8Array): Register {
    const to = this.register();
    this.emit({ op: 'data', to, bytes });
    return to;
  }

  map(map: string): Register {
    const to = this.register();
    this.emit({ op: 'map', to, map });
    return to;
  }

  frame(frame: number): Register {
    const to = this.register();
    this.emit({ op: 'frame', to, frame });
    return to;
  }

  function(name: string): Register {
    const to = this.register();
    this.emit({ op: 'function', to, name });
    return to;
  }

  helper(helper: number, ...args: Register[]): Register {
    const to = this.register();
    this.emit({ op: 'helper', to, helper, arguments: args });
    return to;
  }

  call(name: string, ...args: Register[]): Register {
    const to = this.register();
    this.emit({ op: 'call', to, function: name, arguments: args });
    return to;
  }

  /** Does `then` where the condition holds, and goes on after it. */
  when(condition: Condition, left: Register, right: Operand, then: () => void): void {
    const inside = this.block();
    const after = this.block();
    this.branch(condition, left, right, inside, after);
    this.goto(inside);
    then();
    this.jump(after);
    this.goto(after);
  }

  /** One or the other, and goes on after both. */
  choose(
    condition: Condition,
    left: Register,
    right: Operand,
    then: () => void,
    otherwise: () => void,
  ): void {
    const [first, second, after] = [this.block(), this.block(), this.block()];
    this.branch(condition, left, right, first, second);
    this.goto(first);
    then();
    this.jump(after);
    this.goto(second);
    otherwise();
    this.jump(after);
    this.goto(after);
  }

  /** The whole; a block without an end returns 0. Blocks that are never reached are left out: the verifier refuses them. */
  finish(name: string, section: string | null, parameters: number): IrFunction {
    const ends = this.blocks.map(({ end }): Terminator => end ?? { op: 'return', value: { value: 0n } });
    const order = new Map<number, number>();
    const waiting = [0];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (order.has(at)) continue;
      order.set(at, 0);
      const end = ends[at];
      if (end?.op === 'jump') waiting.push(end.to);
      if (end?.op === 'branch') waiting.push(end.then, end.otherwise);
    }
    const reached = [...order.keys()].sort((a, b) => a - b);
    for (const [place, block] of reached.entries()) order.set(block, place);
    const blocks = reached.map((at): Block => {
      const end = ends[at] as Terminator;
      const to = (block: number): number => order.get(block) ?? 0;
      return {
        instructions: this.blocks[at]?.instructions ?? [],
        end:
          end.op === 'jump'
            ? { op: 'jump', to: to(end.to) }
            : end.op === 'branch'
              ? // biome-ignore lint/suspicious/noThenProperty: programs/ir.ts names a branch's target so
                { ...end, then: to(end.then), otherwise: to(end.otherwise) }
              : end,
      };
    });
    return { name, section, parameters, frames: [...this.frames], registers: this.registers, blocks };
  }
}
