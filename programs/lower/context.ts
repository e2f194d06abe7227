// What a probe is given: `args` and its members, arg0 …, retval, registers. Where each lies is in CheckedProbe.context. Neighbour: access.ts.

import type { Expression } from '../ast.ts';
import type { Register } from '../ir.ts';
import type { Span } from '../source.ts';
import type { Type } from '../types.ts';
import { fit } from './arithmetic.ts';
import type { Body } from './body.ts';
import { addressOf, loadScalar, valueAt } from './memory.ts';
import { isScalar, type Location, type Value } from './place.ts';
import { CannotLower } from './shared.ts';

/** `args`, and an iterator's `ctx`: not a value but a place. */
export function isContext(body: Body, expression: Expression): boolean {
  return (
    body.probe.context.args !== null &&
    expression.kind === 'identifier' &&
    (expression.name === 'args' || expression.name === 'ctx')
  );
}

/** Offsets in struct pt_regs by the names that `reg()` takes. */
const registers: Record<'x86' | 'arm64', Record<string, number>> = {
  x86: Object.fromEntries(
    [
      'r15',
      'r14',
      'r13',
      'r12',
      'bp',
      'bx',
      'r11',
      'r10',
      'r9',
      'r8',
      'ax',
      'cx',
      'dx',
      'si',
      'di',
      'orig_ax',
      'ip',
      'cs',
      'flags',
      'sp',
      'ss',
    ].map((name, index) => [name, index * 8]),
  ),
  arm64: Object.fromEntries([
    ...Array.from({ length: 31 }, (_, index) => [`r${index}`, index * 8]),
    ['sp', 248],
    ['pc', 256],
    ['ip', 256],
    ['pstate', 264],
  ]),
};

const argumentRegisters: Record<'x86' | 'arm64', readonly string[]> = {
  x86: ['di', 'si', 'dx', 'cx', 'r8', 'r9'],
  arm64: ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7'],
};

const resultRegister = { x86: 'ax', arm64: 'r0' } as const;

export function registerValue(body: Body, name: string, span: Span): Register {
  const { arch } = body.shared.kernel;
  const offset = registers[arch][name];
  if (offset === undefined)
    throw new CannotLower(
      `no register is called ${name} here: there are ${Object.keys(registers[arch]).join(', ')}`,
      span,
    );
  return body.f.load(body.context, offset, 8);
}

function argumentRegister(body: Body, index: number, span: Span): Register {
  const name = argumentRegisters[body.shared.kernel.arch][index];
  if (name === undefined)
    throw new CannotLower(
      `arg${index} is not passed in a register: read it from the stack, by reg("sp")`,
      span,
    );
  return registerValue(body, name, span);
}

/** arg0, arg1 … */
export function numberedArgument(body: Body, index: number, type: Type, span: Span): Value {
  const { argN } = body.probe.context;
  if (argN === null) throw new CannotLower(`this probe has no arg${index}`, span);
  const register =
    argN.from === 'registers'
      ? argumentRegister(body, index, span)
      : argN.from === 'slots'
        ? body.f.load(body.context, index * 8, 8)
        : body.f.call('program_usdt_argument', body.context, body.f.constant(BigInt(index)));
  return { kind: 'scalar', register: fit(body, register, type), type };
}

export function returnValue(body: Body, type: Type, span: Span): Value {
  const { args } = body.probe.context;
  const register =
    body.probe.provider === 'fexit'
      ? body.f.load(body.context, (args?.layout.members.length ?? 0) * 8, 8)
      : registerValue(body, resultRegister[body.shared.kernel.arch], span);
  return { kind: 'scalar', register: fit(body, register, type), type };
}

/** args.name */
export function argumentAt(body: Body, name: string, type: Type, span: Span): Value {
  const { args } = body.probe.context;
  const index = args?.layout.members.findIndex((member) => member.name === name) ?? -1;
  const member = args?.layout.members[index];
  if (args === null || args === undefined || member === undefined)
    throw new CannotLower(`this probe has no argument ${name}`, span);
  if (args.from !== 'record') {
    const register =
      args.from === 'slots' ? body.f.load(body.context, index * 8, 8) : argumentRegister(body, index, span);
    if (isScalar(type)) return { kind: 'scalar', register: fit(body, register, type), type };
    // A struct that is passed by value lies in the slot itself.
    throw new CannotLower(`${name} is passed by value: this can't be read`, span);
  }
  const location: Location = { at: 'context', offset: member.offsetBits / 8 };
  if (member.dataLoc) {
    // Where it lies in the record, and how long it is, 16 bits each.
    const where = body.f.binary('and', loadScalar(body, location, u32, span), { value: 0xffffn });
    const address = body.f.binary('add', body.context, where);
    if (isScalar(type)) return { kind: 'scalar', register: address, type };
    return {
      kind: 'located',
      location: { at: 'remote', address, offset: 0, space: 'kernel' },
      type,
      padded: false,
    };
  }
  if (member.bits !== undefined) throw new CannotLower(`${name} is a bit field of the record`, span);
  const value = valueAt(body, location, type, span);
  // An iterator's last call has nothing to show.
  if (value.kind === 'scalar' && type.kind === 'pointer' && body.probe.provider === 'iter')
    body.f.when('eq', value.register, { value: 0n }, () => body.leave());
  if (value.kind !== 'located') return value;
  const address = addressOf(body, location);
  return { ...value, location: { at: 'remote', address, offset: 0, space: 'kernel' } };
}

const u32: Type = { kind: 'integer', bits: 32, signed: false };
