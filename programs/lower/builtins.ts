// Names that stand for a value: pid, comm, nsecs … What the checker knows already is a constant. Neighbours: context.ts (args, arg0), programs/check/builtins.ts.

import type { Expression } from '../ast.ts';
import type { Register } from '../ir.ts';
import type { Type } from '../types.ts';
import type { Body } from './body.ts';
import { isContext, numberedArgument, registerValue, returnValue } from './context.ts';
import { textBytes, typeOf } from './expression.ts';
import { helper } from './kernel-helpers.ts';
import { addressOf, padded } from './memory.ts';
import type { Place, Value } from './place.ts';
import { CannotLower } from './shared.ts';
import { stackValue } from './stacks.ts';

export function identifierValue(body: Body, name: string, expression: Expression): Value {
  const { f, shared } = body;
  const type = typeOf(body, expression);
  const { span } = expression;
  const number = (register: Register): Value => ({ kind: 'scalar', register, type });
  const argument = /^arg(\d+)$/.exec(name);
  if (argument !== null) return numberedArgument(body, Number(argument[1]), type, span);
  if (isContext(body, expression)) return wholeContext(body, type, expression);
  switch (name) {
    case 'pid':
      return number(f.binary('shr', f.helper(helper.pidTgid), { value: 32n }));
    case 'tid':
      return number(low(body, f.helper(helper.pidTgid)));
    case 'uid':
    case 'username':
      return number(low(body, f.helper(helper.uidGid)));
    case 'gid':
      return number(f.binary('shr', f.helper(helper.uidGid), { value: 32n }));
    case 'comm':
    case 'pcomm':
      return nameOf(body, name, null, expression);
    case 'ppid':
      return number(f.call('program_parent', f.constant(0n)));
    case 'cpu':
      return number(f.helper(helper.processor));
    case 'numaid':
      return number(f.helper(helper.numaNode));
    case 'ncpus':
      return number(f.constant(BigInt(shared.kernel.cpus)));
    case 'cgroup':
      return number(f.helper(helper.cgroupId));
    case 'curtask':
      return number(f.helper(helper.currentTask));
    case 'rand':
      return number(f.helper(helper.random));
    case 'jiffies':
      return number(f.helper(helper.jiffies));
    case 'elapsed':
      return number(f.call('program_elapsed'));
    case 'nsecs':
      return number(f.helper(helper.bootTime));
    case 'retval':
      return returnValue(body, type, span);
    case 'usermode':
      return number(userMode(body, expression));
    case 'probe':
      return text(body, body.probe.attach[0]?.name ?? '', type);
    case 'probetype':
      return text(
        body,
        ['begin', 'end'].includes(body.probe.provider) ? 'special' : body.probe.provider,
        type,
      );
    case 'func':
      return functionName(body, type, expression);
    case 'kstack':
    case 'ustack':
      return stackValue(body, name, type, span);
    default:
      throw new CannotLower(`${name} has no value in a program`, span);
  }
}

function low(body: Body, register: Register): Register {
  const to = body.f.register();
  body.f.emit({ op: 'extend', to, from: register, bits: 32, signed: false });
  return to;
}

/** The name of the current thread, or of a process, written to memory. */
export function nameOf(
  body: Body,
  which: 'comm' | 'pcomm',
  task: Register | null,
  expression: Expression,
  into?: Place,
): Value {
  const place = into ?? body.temporary(16, expression.span);
  const address = addressOf(body, place);
  if (which === 'comm') body.f.helper(helper.comm, address, body.f.constant(16n));
  else body.f.call('program_process_name', address, task ?? body.f.constant(0n));
  return { kind: 'located', location: place, type: { kind: 'string', size: 16 }, padded: true };
}

function text(body: Body, value: string, type: Type): Value {
  const bytes = textBytes(value, type.kind === 'string' ? type.size : value.length + 1);
  const room = new Uint8Array(Math.max(bytes.length, body.shared.sizeOf(type)));
  room.set(bytes);
  const location: Place = { at: 'pointer', register: body.f.data(padded(room)), offset: 0 };
  return { kind: 'located', location, type: { kind: 'string', size: room.length }, padded: true };
}

/** A program of its own for each function of a wildcard, so the name is known. */
function functionName(body: Body, type: Type, expression: Expression): Value {
  if (type.kind === 'symbol') {
    const address = registerValue(body, 'ip', expression.span);
    return symbolValue(body, address, type, expression);
  }
  const attach = body.probe.attach[0]?.attach;
  const name =
    attach === undefined
      ? ''
      : 'function' in attach
        ? attach.function
        : 'functions' in attach
          ? (attach.functions[0] ?? '')
          : '';
  return text(body, name, type);
}

/** An address with whose it is. */
export function symbolValue(
  body: Body,
  address: Register,
  type: Type & { kind: 'symbol' },
  expression: Expression,
  into?: Place,
): Value {
  if (type.space === 'kernel') return { kind: 'scalar', register: address, type };
  body.shared.needsMappings = true;
  const place = into ?? body.temporary(16, expression.span);
  const base = addressOf(body, place);
  body.f.store(base, 0, 8, address);
  body.f.store(base, 8, 8, body.f.binary('shr', body.f.helper(helper.pidTgid), { value: 32n }));
  return { kind: 'located', location: place, type, padded: true };
}

/** The code segment's privilege level (x86), the exception level (arm64). */
function userMode(body: Body, expression: Expression): Register {
  const { f } = body;
  // bpftrace runs these in a function of its own.
  if (['begin', 'end'].includes(body.probe.provider)) return f.constant(1n);
  if (body.shared.kernel.arch === 'arm64') {
    const state = registerValue(body, 'pstate', expression.span);
    return f.compare('eq', f.binary('and', state, { value: 0xfn }), { value: 0n });
  }
  const segment = registerValue(body, 'cs', expression.span);
  return f.compare('eq', f.binary('and', segment, { value: 3n }), { value: 3n });
}

/** `print(args)`: the record as it lies in the context. */
function wholeContext(body: Body, type: Type, expression: Expression): Value {
  if (body.probe.context.args?.from !== 'record')
    throw new CannotLower('these arguments lie in no struct: name one of them', expression.span);
  const address = body.f.add(body.context, 0);
  return {
    kind: 'located',
    location: { at: 'remote', address, offset: 0, space: 'kernel' },
    type,
    padded: false,
  };
}
