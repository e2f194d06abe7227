// Goes through a function's blocks and replaces what is known: copies by what they are copies of, constants, things computed or loaded a moment
// ago. fold.ts says what an instruction becomes.

import { assignedOnce, dominance, forEachRead, written } from '../flow.ts';
import type { Block, Instruction, IrFunction, Operand, Register, Terminator } from '../ir.ts';
import { constantOf, fold, foldEnd } from './fold.ts';
import { Scoped } from './scoped.ts';

/** Helpers that give the same for all of a program's run: the task, its ids, its cgroup. */
const unchanging = new Set([14, 15, 35, 80]);

export function propagate(source: IrFunction): IrFunction {
  const walk = new Walk(assignedOnce(source));
  for (const block of source.blocks) for (const instruction of block.instructions) walk.foresee(instruction);
  const blocks = [...source.blocks];
  const { order, dominators, predecessors } = dominance(source);
  const below: number[][] = blocks.map(() => []);
  for (const b of order.toReversed()) below[dominators[b] as number]?.push(b);
  const visit = (index: number): { state: State; left: number[] } => {
    const state = walk.enter(predecessors[index] !== 1);
    const block = source.blocks[index] as Block;
    const instructions = block.instructions.map((instruction) => walk.step(instruction));
    blocks[index] = { instructions, end: walk.end(block.end) };
    return { state, left: below[index] as number[] };
  };
  // Each block, then all that it dominates, with what was known at its end.
  const path = [visit(0)];
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const next = top.left.pop();
    if (next !== undefined) path.push(visit(next));
    else walk.leave((path.pop() as typeof top).state);
  }
  return { ...source, blocks };
}

/** A way that leaves a block and comes round to one below it may have changed all that is not assigned once: such blocks begin a region of
 *  their own, and what another region knew counts only if it lasts. */
interface State {
  marks: number[];
  region: number;
  memory: number;
}

interface Fact {
  instruction: Instruction;
  /** Of what it reads, when it was run. */
  versions: number[];
  region: number;
}

interface Held {
  register: Register;
  version: number;
  region: number;
  /** It and all that it was made of is assigned once. */
  lasting: boolean;
}

class Walk {
  private readonly once: (register: Register) => boolean;
  /** Of registers that are assigned once from such, everywhere. */
  private readonly lasting = new Map<Register, Instruction>();
  /** Of the others, in this region. */
  private readonly facts = new Scoped<Register, Fact>();
  private readonly versions = new Scoped<Register, { version: number; region: number }>();
  private readonly contexts = new Set<Register>();
  /** What has been computed, and the register that holds it. */
  private readonly available = new Scoped<string, Held>();
  private region = 0;
  private regions = 0;
  private memory = 0;

  constructor(once: (register: Register) => boolean) {
    this.once = once;
  }

  foresee(instruction: Instruction): void {
    const to = written(instruction);
    if (to < 0 || !this.once(to)) return;
    let all = true;
    forEachRead(instruction, (r) => {
      if (!this.once(r)) all = false;
    });
    if (all) this.lasting.set(to, instruction);
    if (instruction.op === 'context') this.contexts.add(to);
  }

  /** joined: several ways lead to the block. */
  enter(joined: boolean): State {
    const marks = [this.facts, this.versions, this.available].map((known) => known.mark());
    const state = { marks, region: this.region, memory: this.memory };
    if (joined) this.region = ++this.regions;
    return state;
  }

  /** Of the block that was entered so, and all below it. */
  leave({ marks: [facts = 0, versions = 0, available = 0], region, memory }: State): void {
    this.facts.restore(facts);
    this.versions.restore(versions);
    this.available.restore(available);
    this.region = region;
    this.memory = memory;
  }

  step(before: Instruction): Instruction {
    let instruction = this.substitute(before);
    instruction = fold(instruction, this.known);
    instruction = this.reuse(instruction);
    this.record(instruction);
    return instruction;
  }

  end(before: Terminator): Terminator {
    if (before.op === 'return') return { ...before, value: this.operand(before.value) };
    if (before.op !== 'branch') return before;
    const left = this.root(before.left);
    return foldEnd({ ...before, left, right: this.operand(before.right) }, this.known);
  }

  private version(register: Register): number {
    const known = this.versions.get(register);
    return known?.region === this.region ? known.version : 0;
  }

  private readonly known = (register: Register): Instruction | undefined => {
    const lasting = this.lasting.get(register);
    if (lasting) return lasting;
    const fact = this.facts.get(register);
    if (fact?.region !== this.region) return undefined;
    let i = 0;
    let same = true;
    forEachRead(fact.instruction, (r) => {
      if (this.version(r) !== fact.versions[i++]) same = false;
    });
    return same ? fact.instruction : undefined;
  };

  /** What a register is a copy of. */
  private root(register: Register): Register {
    let at = register;
    for (let i = 0; i < 100; i++) {
      const instruction = this.known(at);
      if (instruction?.op !== 'move') return at;
      at = instruction.from;
    }
    return at;
  }

  private operand(operand: Operand): Operand {
    const value = constantOf(typeof operand === 'number' ? this.root(operand) : operand, this.known);
    if (value !== undefined) return { value: BigInt.asIntN(64, value) };
    return typeof operand === 'number' ? this.root(operand) : operand;
  }

  private substitute(instruction: Instruction): Instruction {
    switch (instruction.op) {
      case 'move': {
        const from = this.operand(instruction.from);
        if (typeof from === 'number') return { ...instruction, from };
        const { to, span } = instruction;
        return { op: 'constant', to, value: from.value, ...(span && { span }) };
      }
      case 'negate':
      case 'byteSwap':
      case 'extend':
        return { ...instruction, from: this.root(instruction.from) };
      case 'binary':
      case 'compare':
        return { ...instruction, left: this.root(instruction.left), right: this.operand(instruction.right) };
      case 'load':
        return { ...instruction, base: this.root(instruction.base) };
      case 'store':
        return { ...instruction, base: this.root(instruction.base), from: this.operand(instruction.from) };
      case 'atomicAdd':
        return { ...instruction, base: this.root(instruction.base), from: this.root(instruction.from) };
      case 'helper':
      case 'call':
        return { ...instruction, arguments: instruction.arguments.map((r) => this.root(r)) };
      default:
        return instruction;
    }
  }

  private reuse(instruction: Instruction): Instruction {
    const to = written(instruction);
    const key = to < 0 ? undefined : this.keyOf(instruction);
    if (key === undefined) return instruction;
    const held = this.available.get(key);
    if (held && held.register !== to && this.isHeld(held))
      return { op: 'move', to, from: held.register, ...(instruction.span && { span: instruction.span }) };
    // As of after it is assigned; what it reads must not be what it assigns.
    let reads = false;
    forEachRead(instruction, (r) => {
      if (r === to) reads = true;
    });
    if (reads) return instruction;
    const lasting =
      this.lasting.has(to) && (instruction.op !== 'load' || this.contexts.has(instruction.base));
    const version = this.once(to) ? 0 : this.version(to) + 1;
    this.available.set(key, { register: to, version, region: this.region, lasting });
    return instruction;
  }

  private isHeld({ register, version, region, lasting }: Held): boolean {
    return lasting || (region === this.region && this.version(register) === version);
  }

  /** The same for instructions that give the same; undefined: of others, or not worth a register. */
  private keyOf(i: Instruction): string | undefined {
    const r = (register: Register) => `r${register}@${this.version(register)}`;
    const o = (operand: Operand) => (typeof operand === 'number' ? r(operand) : operand.value);
    switch (i.op) {
      case 'binary':
        return `${i.operation} ${r(i.left)} ${o(i.right)}`;
      case 'compare':
        return `${i.condition} ${r(i.left)} ${o(i.right)}`;
      case 'negate':
        return `- ${r(i.from)}`;
      case 'byteSwap':
        return `swap${i.bits} ${r(i.from)}`;
      case 'extend':
        return `${i.signed ? 's' : 'u'}${i.bits} ${r(i.from)}`;
      case 'load': {
        // Nothing writes to a context.
        const memory = this.contexts.has(i.base) ? 'context' : this.memory;
        return `${i.signed ? 's' : 'u'}${i.width} ${r(i.base)}+${i.offset} ${memory}`;
      }
      case 'helper':
        return unchanging.has(i.helper) ? `helper ${i.helper}` : undefined;
      default:
        return undefined;
    }
  }

  private record(instruction: Instruction): void {
    if (['store', 'atomicAdd', 'helper', 'call'].includes(instruction.op)) this.memory++;
    const to = written(instruction);
    if (to < 0) return;
    const versions: number[] = [];
    let itself = false;
    forEachRead(instruction, (r) => {
      versions.push(this.version(r));
      if (r === to) itself = true;
    });
    if (!this.once(to)) this.versions.set(to, { version: this.version(to) + 1, region: this.region });
    if (this.lasting.has(to)) {
      let all = true;
      forEachRead(instruction, (r) => {
        if (!this.once(r)) all = false;
      });
      if (all) this.lasting.set(to, instruction);
    } else {
      // What it was made of is gone when it was made of itself.
      this.facts.set(to, { instruction, versions, region: itself ? -1 : this.region });
    }
  }
}
