// Runs a module in the intermediate form, as the kernel would run what programs/emit/ makes of it: what the tests of both compare with. Memory is
// regions of bytes; an address is a region's number and a place in it. Helpers and functions of the runtime are models that the caller gives.

import { evaluate, extended, holds, readBytes, swapped, writeBytes } from './evaluate.ts';
import { mapHelpers } from './interpret-maps.ts';
import type { Instruction, IrFunction, IrModule, Operand } from './ir.ts';

/** What a program did that the verifier or the kernel would not let it do, or that takes too long. */
export class InterpretError extends Error {
  override name = 'InterpretError';
}

export type Model = (machine: Machine, ...args: bigint[]) => bigint;

export interface Models {
  /** By number. */
  helpers?: Record<number, Model>;
  /** Of the runtime. */
  functions?: Record<string, Model>;
}

const regionBits = 32n;
const mask64 = (1n << 64n) - 1n;

/** The memory of a run, and what lies in it by name. */
export class Machine {
  /** Keys as latin1 text, values by address. */
  readonly maps = new Map<string, Map<string, bigint>>();
  readonly module: IrModule;
  private readonly models: Models;
  private readonly regions: Uint8Array[] = [new Uint8Array()];
  private readonly named = new Map<string, bigint>();
  private steps = 0;

  constructor(module: IrModule, models: Models = {}) {
    this.module = module;
    this.models = { ...models, helpers: { ...mapHelpers, ...models.helpers } };
  }

  /** New memory; its address. */
  allocate(bytes: Uint8Array): bigint {
    this.regions.push(bytes);
    return BigInt(this.regions.length - 1) << regionBits;
  }

  /** The bytes at an address; throws where it leads out of its region. */
  bytes(address: bigint, length: number): Uint8Array {
    const region = this.regions[Number(address >> regionBits)];
    const at = Number(address & ((1n << regionBits) - 1n));
    if (!region || at + length > region.length)
      throw new InterpretError(`${length} bytes at 0x${address.toString(16)} are nobody's memory`);
    return region.subarray(at, at + length);
  }

  /** What stands for a map, a global or a function: the same each time. */
  address(kind: 'map' | 'global' | 'function', name: string): bigint {
    const key = `${kind} ${name}`;
    let address = this.named.get(key);
    if (address === undefined) {
      address = this.allocate(new Uint8Array(kind === 'global' ? 4096 : 0));
      this.named.set(key, address);
    }
    return address;
  }

  nameAt(address: bigint): string {
    for (const [key, at] of this.named) if (at === address) return key.slice(key.indexOf(' ') + 1);
    throw new InterpretError(`0x${address.toString(16)} is no map and no function`);
  }

  /** Runs a function of the module: a program with its context's address, a subprogram with its arguments. */
  call(name: string, ...args: bigint[]): bigint {
    const source = this.module.functions.find((f) => f.name === name);
    if (source) return new Run(this, source, args).run();
    const model = this.models.functions?.[name];
    if (!model) throw new InterpretError(`no function ${name}, and no model of one`);
    return BigInt.asUintN(64, model(this, ...args));
  }

  helper(number: number, args: bigint[]): bigint {
    const model = this.models.helpers?.[number];
    if (!model) throw new InterpretError(`no model of helper ${number}`);
    return BigInt.asUintN(64, model(this, ...args));
  }

  step(): void {
    if (++this.steps > 10_000_000) throw new InterpretError('more than 10,000,000 steps');
  }
}

class Run {
  private readonly registers: BigUint64Array;
  private readonly frames: bigint[];
  private readonly machine: Machine;
  private readonly source: IrFunction;
  private readonly args: bigint[];

  constructor(machine: Machine, source: IrFunction, args: bigint[]) {
    this.machine = machine;
    this.source = source;
    this.args = args;
    this.registers = new BigUint64Array(source.registers);
    this.frames = source.frames.map((size) => machine.allocate(new Uint8Array(size)));
  }

  run(): bigint {
    let index = 0;
    for (;;) {
      const block = this.source.blocks[index];
      if (!block) throw new InterpretError(`${this.source.name} has no block ${index}`);
      for (const instruction of block.instructions) this.instruction(instruction);
      this.machine.step();
      const { end } = block;
      if (end.op === 'return') return this.value(end.value);
      if (end.op === 'jump') index = end.to;
      else index = holds(end.condition, this.get(end.left), this.value(end.right)) ? end.then : end.otherwise;
    }
  }

  private get(register: number): bigint {
    return this.registers[register] ?? 0n;
  }

  private value(operand: Operand): bigint {
    return typeof operand === 'number' ? this.get(operand) : BigInt.asUintN(64, operand.value);
  }

  private instruction(i: Instruction): void {
    this.machine.step();
    if (i.op === 'store') {
      writeBytes(this.at(i, i.width), this.value(i.from));
    } else if (i.op === 'atomicAdd') {
      const bytes = this.at(i, i.width);
      writeBytes(bytes, readBytes(bytes) + this.get(i.from));
    } else {
      this.registers[i.to] = BigInt.asUintN(64, this.result(i));
    }
  }

  private at(i: { base: number; offset: number }, width: number): Uint8Array {
    return this.machine.bytes((this.get(i.base) + BigInt(i.offset)) & mask64, width);
  }

  private result(i: Exclude<Instruction, { op: 'store' | 'atomicAdd' }>): bigint {
    switch (i.op) {
      case 'constant':
        return i.value;
      case 'move':
        return this.get(i.from);
      case 'binary':
        return evaluate(i.operation, this.get(i.left), this.value(i.right));
      case 'negate':
        return -this.get(i.from);
      case 'byteSwap':
        return swapped(this.get(i.from), i.bits);
      case 'extend':
        return extended(this.get(i.from), i.bits, i.signed);
      case 'compare':
        return holds(i.condition, this.get(i.left), this.value(i.right)) ? 1n : 0n;
      case 'load': {
        const value = readBytes(this.at(i, i.width));
        return i.signed ? BigInt.asIntN(i.width * 8, value) : value;
      }
      case 'context':
        return this.args[0] ?? 0n;
      case 'parameter':
        return this.args[i.index] ?? 0n;
      case 'frame':
        return this.frames[i.frame] ?? 0n;
      case 'data':
        return this.machine.allocate(i.bytes.slice());
      case 'map':
        return this.machine.address('map', i.map);
      case 'global':
      case 'function':
        return this.machine.address(i.op, i.name);
      case 'helper':
        return this.machine.helper(
          i.helper,
          i.arguments.map((r) => this.get(r)),
        );
      case 'call':
        return this.machine.call(i.function, ...i.arguments.map((r) => this.get(r)));
    }
  }
}
