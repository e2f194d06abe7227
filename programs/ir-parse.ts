// Reads what ir-text.ts writes: tests say in a few lines what a program in the intermediate form is.

import type {
  BinaryOperation,
  Block,
  Condition,
  Instruction,
  IrFunction,
  IrMap,
  IrModule,
  MemoryType,
  Operand,
  Terminator,
  Width,
} from './ir.ts';
import { conditionSigns, operationSigns } from './ir-text.ts';

const operations = new Map(
  Object.entries(operationSigns).map(([name, sign]) => [sign, name as BinaryOperation]),
);
const conditions = new Map(Object.entries(conditionSigns).map(([name, sign]) => [sign, name as Condition]));

/** @throws Error with the line that is not understood. */
export function parseModule(text: string): IrModule {
  const module: IrModule = {
    functions: [],
    maps: [],
    globals: [],
    license: 'Dual BSD/GPL',
    source: { name: 'test', text: '' },
  };
  let block: { instructions: Instruction[]; end?: Terminator } = { instructions: [] };
  let current: IrFunction | undefined;
  for (const line of text.split('\n').map((l) => l.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const words = new Words(line);
    if (words.take('map')) {
      module.maps.push(mapOf(words));
    } else if (words.take('global')) {
      const name = words.next();
      words.expect(':');
      module.globals.push({ name, type: typeOf(words) });
    } else if (words.take('program') || words.take('function')) {
      current = head(line);
      module.functions.push(current);
    } else if (current && line === `${current.blocks.length}:`) {
      block = { instructions: [] };
      current.blocks.push(block as Block);
    } else if (current) {
      const end = endOf(words);
      if (end) block.end = end;
      else block.instructions.push(instructionOf(words));
      for (const [, register] of line.matchAll(/\br(\d+)\b/g))
        current.registers = Math.max(current.registers, Number(register) + 1);
    } else {
      words.fail();
    }
  }
  return module;
}

function head(line: string): IrFunction {
  const found =
    /^(?:program (?<program>\w+) "(?<section>[^"]*)"|function (?<name>\w+)\((?<parameters>\d+)\))(?: frames (?<frames>[\d ]+))?$/.exec(
      line,
    )?.groups;
  if (!found) throw new Error(`not understood: ${line}`);
  return {
    name: found.program ?? found.name ?? '',
    section: found.section ?? null,
    parameters: Number(found.parameters ?? 1),
    frames: (found.frames ?? '').split(' ').filter(Boolean).map(Number),
    registers: 0,
    blocks: [],
  };
}

/** A line in words: names and numbers, signs, texts. */
class Words {
  private readonly words: string[];
  private readonly line: string;
  private at = 0;

  constructor(line: string) {
    this.line = line;
    const pattern = /"(?:[^"\\]|\\.)*"|s?(?:<<|>>|<=|>=|[<>])|s[/%]|==|!=|\+=|[\w.]+|-\d+|[^\s\w]/g;
    this.words = line.match(pattern) ?? [];
  }

  peek(ahead = 0): string {
    return this.words[this.at + ahead] ?? '';
  }

  next(): string {
    return this.words[this.at++] ?? this.fail();
  }

  take(word: string): boolean {
    if (this.peek() !== word) return false;
    this.at++;
    return true;
  }

  expect(word: string): void {
    if (!this.take(word)) this.fail();
  }

  number(): number {
    return Number(this.next());
  }

  register(): number {
    const found = /^r(\d+)$/.exec(this.next());
    return found ? Number(found[1]) : this.fail();
  }

  operand(): Operand {
    return /^r\d+$/.test(this.peek()) ? this.register() : { value: BigInt(this.next()) };
  }

  fail(): never {
    throw new Error(`not understood at "${this.peek()}": ${this.line}`);
  }
}

function mapOf(words: Words): IrMap {
  const name = words.next();
  words.expect(':');
  const type = words.next() as IrMap['type'];
  words.expect('of');
  const entries = words.number();
  words.expect('from');
  const key = typeOf(words);
  words.expect('to');
  return { name, type, key, value: typeOf(words), entries };
}

function typeOf(words: Words): MemoryType {
  if (words.take('bytes')) return { kind: 'bytes', length: words.number() };
  if (words.take('[')) {
    const of = typeOf(words);
    words.expect(';');
    const length = words.number();
    words.expect(']');
    return { kind: 'array', of, length };
  }
  if (words.take('struct')) {
    const name = words.next();
    const size = words.number();
    const members: { name: string; offset: number; type: MemoryType }[] = [];
    words.expect('{');
    while (!words.take('}')) {
      const offset = words.number();
      const member = words.next();
      words.expect(':');
      members.push({ name: member, offset, type: typeOf(words) });
      words.take(',');
    }
    return { kind: 'struct', name, size, members };
  }
  const { signed, bits } = integer(words.next()) ?? words.fail();
  return { kind: 'integer', bits, signed };
}

function integer(word: string): { signed: boolean; bits: 8 | 16 | 32 | 64 } | undefined {
  const found = /^([us])(8|16|32|64)$/.exec(word);
  return found ? { signed: found[1] === 's', bits: Number(found[2]) as 8 } : undefined;
}

function endOf(words: Words): Terminator | undefined {
  if (words.take('goto')) return { op: 'jump', to: words.number() };
  if (words.take('return')) return { op: 'return', value: words.operand() };
  if (!words.take('if')) return undefined;
  const left = words.register();
  const condition = conditions.get(words.next()) ?? words.fail();
  const right = words.operand();
  words.expect('goto');
  const then = words.number();
  words.expect('else');
  return { op: 'branch', condition, left, right, then, otherwise: words.number() };
}

function place(words: Words): { base: number; offset: number } {
  words.expect('[');
  const base = words.register();
  const sign = words.take('-') ? -1 : 1;
  if (sign === 1) words.expect('+');
  const offset = sign * words.number();
  words.expect(']');
  return { base, offset };
}

function instructionOf(words: Words): Instruction {
  const atomic = words.take('atomic');
  const type = integer(words.peek());
  if (type) {
    words.next();
    const width = (type.bits / 8) as Width;
    const at = place(words);
    words.expect(atomic ? '+=' : '=');
    if (atomic) return { op: 'atomicAdd', ...at, width: width as 4 | 8, from: words.register() };
    return { op: 'store', ...at, width, from: words.operand() };
  }
  const to = words.register();
  words.expect('=');
  return value(to, words);
}

function value(to: number, words: Words): Instruction {
  const word = words.peek();
  if (/^-?\d/.test(word)) return { op: 'constant', to, value: BigInt(words.next()) };
  if (words.take('-')) return { op: 'negate', to, from: words.register() };
  if (/^r\d+$/.test(word)) {
    const left = words.register();
    const sign = words.peek();
    if (sign === '') return { op: 'move', to, from: left };
    words.next();
    const operation = operations.get(sign);
    if (operation) return { op: 'binary', operation, to, left, right: words.operand() };
    const condition = conditions.get(sign) ?? words.fail();
    return { op: 'compare', condition, to, left, right: words.operand() };
  }
  words.next();
  const swap = /^swap(16|32|64)$/.exec(word);
  if (swap) return { op: 'byteSwap', to, bits: Number(swap[1]) as 16, from: words.register() };
  const type = integer(word);
  if (type && words.peek() === '[')
    return { op: 'load', to, ...place(words), width: (type.bits / 8) as Width, signed: type.signed };
  if (type && type.bits !== 64)
    return { op: 'extend', to, bits: type.bits, signed: type.signed, from: words.register() };
  switch (word) {
    case 'context':
      return { op: 'context', to };
    case 'parameter':
      return { op: 'parameter', to, index: words.number() };
    case 'frame':
      return { op: 'frame', to, frame: words.number() };
    case 'map':
      return { op: 'map', to, map: words.next() };
    case 'global':
    case 'function':
      return { op: word, to, name: words.next() };
    case 'data':
      return { op: 'data', to, bytes: Buffer.from(JSON.parse(words.next()) as string, 'latin1') };
    case 'helper':
      return { op: 'helper', to, helper: words.number(), arguments: list(words) };
    case 'call':
      return { op: 'call', to, function: words.next(), arguments: list(words) };
    default:
      return words.fail();
  }
}

function list(words: Words): number[] {
  const registers: number[] = [];
  words.expect('(');
  while (!words.take(')')) {
    registers.push(words.register());
    words.take(',');
  }
  return registers;
}
