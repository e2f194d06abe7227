// Calls of functions that give a value in the kernel. Those that ask something of user space are output.ts, those about text text.ts.
// Neighbours: programs/check/functions.ts (the table), builtins.ts.

import type { Expression } from '../ast.ts';
import { builtins } from '../check/builtins.ts';
import type { Register } from '../ir.ts';
import type { Type } from '../types.ts';
import { perCpuAddress, userAddress } from './addresses.ts';
import { condition, fit } from './arithmetic.ts';
import { assignTo } from './assign.ts';
import type { Body } from './body.ts';
import { identifierValue, nameOf, symbolValue } from './builtins.ts';
import { registerValue } from './context.ts';
import { constantOf, located, needs, scalar, typeOf } from './expression.ts';
import { helper } from './kernel-helpers.ts';
import { deleteKey, keyPlace, lookup, type MapExpression } from './maps.ts';
import { baseOf, clear, copyBytes, isSigned, valueAt, widthOf, writeValue } from './memory.ts';
import { failWith, outputCalls } from './output.ts';
import { beyond, isScalar, type Place, type Value } from './place.ts';
import { CannotLower } from './shared.ts';
import { stackValue } from './stacks.ts';
import { textCalls } from './text.ts';

export type Call = Extract<Expression, { kind: 'call' }>;

/** Where a value that is not a number is to be written. */
export interface Into {
  place: Place;
  type: Type;
  /** Zeros behind text. */
  pad: boolean;
}

/** What was written: the type, and of text read just now the bytes. */
export interface Written {
  type: Type;
  length: Register | null;
}

export function callValue(body: Body, call: Call): Value {
  const type = typeOf(body, call);
  if (type.kind === 'none' || isScalar(type)) return scalarCall(body, call, type);
  const place = body.temporary(body.shared.sizeOf(type), call.span);
  const written = callInto(body, call, { place, type, pad: false });
  return { kind: 'located', location: place, type: written.type, padded: false };
}

/** A call that gives text, bytes or the like, into memory. */
export function callInto(body: Body, call: Call, into: Into): Written {
  const { place, type } = into;
  const text = textCalls[call.function];
  if (text !== undefined) return text(body, call, into);
  const first = call.arguments[0];
  switch (call.function) {
    case 'comm':
    case 'pcomm': {
      if (call.function === 'comm' && first !== undefined)
        throw new CannotLower('comm() of another process is not to be had in the kernel', call.span);
      const task = first === undefined ? null : scalar(body, first);
      if (body.shared.sizeOf(type) >= 16) {
        nameOf(body, call.function, task, call, place);
        clear(body, beyond(place, 16), into.pad ? body.shared.sizeOf(type) - 16 : 0);
        return { type, length: null };
      }
      writeValue(body, nameOf(body, call.function, task, call), place, type, call.span);
      return { type, length: null };
    }
    case 'usym':
      if (type.kind === 'symbol' && first !== undefined)
        symbolValue(body, scalar(body, first), type, call, place);
      return { type, length: null };
    case 'ntop':
      internetAddress(body, call, place);
      return { type, length: null };
    case 'macaddr': {
      const value = first === undefined ? undefined : bytesOf(body, first);
      if (value !== undefined) copyBytes(body, value.location, place, 6);
      return { type, length: null };
    }
  }
  writeValue(body, scalarCall(body, call, type), place, type, call.span);
  return { type, length: null };
}

/** The bytes that a pointer points to, or a number as an address, or that an expression has. */
export function bytesOf(body: Body, expression: Expression): Value & { kind: 'located' } {
  const type = typeOf(body, expression);
  if (type.kind !== 'pointer' && !isScalar(type)) return located(body, expression);
  const address = scalar(body, expression);
  return {
    kind: 'located',
    location: { at: 'remote', address, offset: 0, space: type.kind === 'pointer' ? type.space : 'none' },
    type: type.kind === 'pointer' ? type.to : { kind: 'none' },
    padded: false,
  };
}

/** family, then 16 bytes. */
function internetAddress(body: Body, call: Call, place: Place): void {
  const [first, second] = call.arguments;
  const address = second ?? first;
  if (address === undefined) return;
  const type = typeOf(body, address);
  const long = type.kind === 'array' && type.length === 16;
  clear(body, place, 20);
  const { base, offset } = baseOf(body, place);
  if (second !== undefined && first !== undefined) body.f.store(base, offset, 4, scalar(body, first));
  else body.f.store(base, offset, 4, { value: long ? 10n : 2n });
  if (isScalar(type) && type.kind !== 'pointer') {
    body.f.store(base, offset + 4, 4, scalar(body, address));
    return;
  }
  copyBytes(body, bytesOf(body, address).location, beyond(place, 4), long ? 16 : 4);
}

function scalarCall(body: Body, call: Call, type: Type): Value {
  const { f } = body;
  const { span } = call;
  const number = (register: Register): Value => ({ kind: 'scalar', register, type });
  const output = outputCalls[call.function];
  if (output !== undefined) {
    output(body, call);
    return { kind: 'none' };
  }
  const first = call.arguments[0];
  if (first === undefined && builtins.has(call.function)) return identifierValue(body, call.function, call);
  switch (call.function) {
    case 'kstack':
    case 'ustack':
      return stackValue(body, call.function, type, span);
    case 'nsecs':
      return number(clock(body, call));
    case 'pid':
    case 'tid':
    case 'nsecs()':
      return identifierValue(body, call.function, call);
    case 'reg': {
      const name =
        first === undefined
          ? undefined
          : (constantOf(body, first) ?? (first.kind === 'string' ? first.value : ''));
      return number(registerValue(body, String(name), span));
    }
    case 'delete':
    case 'has_key':
    case 'find':
      return number(mapCall(body, call));
    case 'static_assert':
    case 'assert_str':
      return { kind: 'none' };
  }
  if (first === undefined) throw new CannotLower(`${call.function}() is not supported`, span);
  switch (call.function) {
    case 'assert': {
      const [failed, after] = [f.block(), f.block()];
      condition(body, first, after, failed);
      f.goto(failed);
      const words = call.arguments[1];
      const message =
        words === undefined
          ? ''
          : String(constantOf(body, words) ?? (words.kind === 'string' ? words.value : ''));
      failWith(body, message, span);
      f.goto(after);
      return { kind: 'none' };
    }
    case 'kptr':
    case 'uptr':
    case 'ksym':
    case 'cgroup_path':
    case 'strerror':
    case 'syscall_name':
      return number(fit(body, scalar(body, first), type));
    case 'strftime': {
      const time = call.arguments[1];
      return number(time === undefined ? f.constant(0n) : scalar(body, time));
    }
    case 'ppid':
      return number(f.call('program_parent', scalar(body, first)));
    case 'bswap': {
      const of = scalar(body, first);
      if (type.kind !== 'integer' || type.bits === 8) return number(of);
      const to = f.register();
      f.emit({ op: 'byteSwap', to, from: of, bits: type.bits });
      return number(to);
    }
    case 'len': {
      if (first.kind === 'map') return number(mapLength(body, first));
      return number(f.call('program_stack_depth', scalar(body, first)));
    }
    case 'percpu_kaddr':
      return number(perCpuAddress(body, call));
    case 'uaddr':
      return number(userAddress(body, call));
    case 'socket_cookie':
      return number(f.helper(helper.socketCookie, scalar(body, first)));
  }
  const text = textCalls[call.function];
  if (text !== undefined) {
    const place = body.temporary(8, span);
    text(body, call, { place, type, pad: false });
    return valueAt(body, place, type, span);
  }
  throw new CannotLower(`${call.function}() is not supported`, span);
}

function clock(body: Body, call: Call): Register {
  const first = call.arguments[0];
  const mode = first?.kind === 'identifier' ? first.name : 'boot';
  const { f, shared } = body;
  if (mode === 'monotonic') return f.helper(helper.ktime);
  if (mode === 'tai') {
    needs(
      body,
      'nsecs(tai) needs Linux 6.1',
      shared.kernel.enumerator('BPF_FUNC_ktime_get_tai_ns') !== undefined,
      call.span,
    );
    return f.helper(helper.taiTime);
  }
  if (mode === 'sw_tai') throw new CannotLower('nsecs(sw_tai) is not supported: use nsecs(tai)', call.span);
  return f.helper(helper.bootTime);
}

function mapCall(body: Body, call: Call): Register {
  const { f, shared } = body;
  const [target, given, result] = call.arguments;
  if (target?.kind !== 'map') throw new CannotLower(`${call.function}() is of a map`, call.span);
  const map = shared.map(target.name, target.span);
  const key = keyPlace(body, map, keyOf(target, given), call.span);
  if (call.function === 'delete') return deleteKey(body, map, key);
  const address = lookup(body, map, key);
  if (call.function === 'find' && result?.kind === 'variable')
    f.when('ne', address, { value: 0n }, () => {
      const value: Value = isScalar(map.value)
        ? {
            kind: 'scalar',
            register: f.load(address, 0, widthOf(body, map.value), isSigned(map.value)),
            type: map.value,
          }
        : {
            kind: 'located',
            location: { at: 'pointer', register: address, offset: 0 },
            type: map.value,
            padded: true,
          };
      assignTo(body, result, value);
    });
  return f.compare('ne', address, { value: 0n });
}

/** delete(@a, key) and the old delete(@a[key]). */
export function keyOf(target: MapExpression, given: Expression | undefined): Expression[] | null {
  return given === undefined ? target.key : [given];
}

/** The helper that goes over a map gives how many it has been to. */
function mapLength(body: Body, expression: MapExpression): Register {
  const { f, shared } = body;
  const map = shared.map(expression.name, expression.span);
  needs(
    body,
    'len() of a map needs Linux 5.13',
    shared.kernel.enumerator('BPF_FUNC_for_each_map_elem') !== undefined,
    expression.span,
  );
  const nothing = 'each_nothing';
  if (!shared.functions.some(({ name }) => name === nothing))
    shared.functions.push({
      name: nothing,
      section: null,
      parameters: 4,
      frames: [],
      registers: 0,
      blocks: [{ instructions: [], end: { op: 'return', value: { value: 0n } } }],
    });
  const zero = f.constant(0n);
  const place = body.temporary(8, expression.span);
  const { base, offset } = baseOf(body, place);
  f.store(base, offset, 8, { value: 0n });
  return f.helper(
    helper.forEachMapElement,
    f.map(map.map.name),
    f.function(nothing),
    f.add(base, offset),
    zero,
  );
}
