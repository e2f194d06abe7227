// The intermediate form as text, for goldens and for people. ir-parse.ts reads it back.

import type {
  BinaryOperation,
  Condition,
  Instruction,
  IrFunction,
  IrMap,
  IrModule,
  MemoryType,
  Operand,
  Terminator,
} from './ir.ts';

export const operationSigns: Record<BinaryOperation, string> = {
  add: '+',
  sub: '-',
  mul: '*',
  udiv: '/',
  sdiv: 's/',
  umod: '%',
  smod: 's%',
  and: '&',
  or: '|',
  xor: '^',
  shl: '<<',
  shr: '>>',
  sar: 's>>',
};

export const conditionSigns: Record<Condition, string> = {
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
  slt: 's<',
  sle: 's<=',
  sgt: 's>',
  sge: 's>=',
};

/** Functions, maps and globals; positions in the source are left out. */
export function moduleText(module: Pick<IrModule, 'functions' | 'maps' | 'globals'>): string {
  return [
    ...module.maps.map(mapText),
    ...module.globals.map(({ name, type }) => `global ${name}: ${typeText(type)}\n`),
    ...module.functions.map(functionText),
  ].join('\n');
}

function mapText({ name, type, key, value, entries }: IrMap): string {
  return `map ${name}: ${type} of ${entries} from ${typeText(key)} to ${typeText(value)}\n`;
}

export function typeText(type: MemoryType): string {
  switch (type.kind) {
    case 'integer':
      return `${type.signed ? 's' : 'u'}${type.bits}`;
    case 'bytes':
      return `bytes ${type.length}`;
    case 'array':
      return `[${typeText(type.of)}; ${type.length}]`;
    case 'struct': {
      const members = type.members.map((m) => `${m.offset} ${m.name}: ${typeText(m.type)}`);
      return `struct ${type.name} ${type.size} { ${members.join(', ')} }`;
    }
  }
}

export function functionText({ name, section, parameters, frames, blocks }: IrFunction): string {
  const head = section === null ? `function ${name}(${parameters})` : `program ${name} "${section}"`;
  const lines = [frames.length === 0 ? head : `${head} frames ${frames.join(' ')}`];
  for (const [i, block] of blocks.entries()) {
    lines.push(`${i}:`, ...block.instructions.map((instruction) => `  ${instructionText(instruction)}`));
    lines.push(`  ${endText(block.end)}`);
  }
  return `${lines.join('\n')}\n`;
}

function endText(end: Terminator): string {
  switch (end.op) {
    case 'jump':
      return `goto ${end.to}`;
    case 'return':
      return `return ${operandText(end.value)}`;
    case 'branch': {
      const test = `r${end.left} ${conditionSigns[end.condition]} ${operandText(end.right)}`;
      return `if ${test} goto ${end.then} else ${end.otherwise}`;
    }
  }
}

function operandText(operand: Operand): string {
  return typeof operand === 'number' ? `r${operand}` : String(BigInt.asIntN(64, operand.value));
}

export function instructionText(i: Instruction): string {
  const list = (registers: number[]) => registers.map((r) => `r${r}`).join(', ');
  const place = (p: { base: number; offset: number }) =>
    `[r${p.base}${p.offset < 0 ? ` - ${-p.offset}` : ` + ${p.offset}`}]`;
  switch (i.op) {
    case 'constant':
      return `r${i.to} = ${BigInt.asIntN(64, i.value)}`;
    case 'move':
      return `r${i.to} = r${i.from}`;
    case 'binary':
      return `r${i.to} = r${i.left} ${operationSigns[i.operation]} ${operandText(i.right)}`;
    case 'compare':
      return `r${i.to} = r${i.left} ${conditionSigns[i.condition]} ${operandText(i.right)}`;
    case 'negate':
      return `r${i.to} = -r${i.from}`;
    case 'byteSwap':
      return `r${i.to} = swap${i.bits} r${i.from}`;
    case 'extend':
      return `r${i.to} = ${i.signed ? 's' : 'u'}${i.bits} r${i.from}`;
    case 'load':
      return `r${i.to} = ${i.signed ? 's' : 'u'}${i.width * 8} ${place(i)}`;
    case 'store':
      return `u${i.width * 8} ${place(i)} = ${operandText(i.from)}`;
    case 'atomicAdd':
      return `atomic u${i.width * 8} ${place(i)} += r${i.from}`;
    case 'context':
      return `r${i.to} = context`;
    case 'parameter':
      return `r${i.to} = parameter ${i.index}`;
    case 'frame':
      return `r${i.to} = frame ${i.frame}`;
    case 'map':
      return `r${i.to} = map ${i.map}`;
    case 'global':
      return `r${i.to} = global ${i.name}`;
    case 'function':
      return `r${i.to} = function ${i.name}`;
    case 'data':
      return `r${i.to} = data ${bytesText(i.bytes)}`;
    case 'helper':
      return `r${i.to} = helper ${i.helper}(${list(i.arguments)})`;
    case 'call':
      return `r${i.to} = call ${i.function}(${list(i.arguments)})`;
  }
}

/** As JSON writes a string of these bytes; each byte a character. */
function bytesText(bytes: Uint8Array): string {
  const text = JSON.stringify(Buffer.from(bytes).toString('latin1'));
  return text.replace(/[\u007f-\u00ff]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}
