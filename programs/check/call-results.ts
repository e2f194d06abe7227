// What calls give, and what is to be said of them that the table in functions.ts can't. Neighbours: call.ts, call-memory.ts (str, buf …),
// call-output.ts (printf …).

import type { Expression } from '../ast.ts';
import type { Type } from '../types.ts';
import { addressBytes } from './addresses.ts';
import type { Call } from './call.ts';
import { memoryResult } from './call-memory.ts';
import { mapResult, outputResult } from './call-output.ts';
import type { Constant } from './checked.ts';
import { errorTexts } from './error-texts.ts';
import { isLiteral, isText } from './operators.ts';
import { failed, type Pass, report } from './pass.ts';
import { refusedMemory, refusedWith } from './tenancy.ts';
import { typeText } from './type-text.ts';
import { boolean, int64, integer, none, uint64, unknown } from './unify.ts';

/** `types`: of the arguments, judged. */
export function resultOf(pass: Pass, expression: Expression, call: Call, types: readonly Type[]): Type {
  return (
    outputResult(pass, call, types) ??
    mapResult(pass, call) ??
    memoryResult(pass, expression, call, types) ??
    compileTimeResult(pass, expression, call, types) ??
    plainResult(pass, call, types) ??
    unknown
  );
}

function plainResult(pass: Pass, call: Call, types: readonly Type[]): Type | undefined {
  const [first = unknown] = types;
  switch (call.function) {
    case 'bswap':
      return first.kind === 'integer' ? integer(first.bits) : first;
    case 'cgroup_path':
      return { kind: 'cgroupPath' };
    case 'comm':
      return failed(
        pass,
        call.span,
        'comm() of another process is not supported',
        'comm, without brackets, is the current thread',
      );
    case 'pid':
    case 'tid':
      return integer(32);
    case 'ppid':
      return ofTask(pass, call, integer(32));
    case 'pcomm':
      return ofTask(pass, call, { kind: 'string', size: 16 });
    case 'kstack':
    case 'ustack':
      return stackType(pass, call);
    case 'ksym':
      return { kind: 'symbol', space: 'kernel' };
    case 'usym':
      return { kind: 'symbol', space: 'user' };
    case 'len':
      return int64;
    case 'nsecs':
    case 'socket_cookie':
      return uint64;
    case 'percpu_kaddr':
      return { kind: 'pointer', to: uint64, space: 'kernel' };
    case 'reg':
      return register(pass, call);
    case 'kptr':
    case 'uptr':
      return pointerInto(first, call.function === 'kptr' ? 'kernel' : 'user');
    default:
      return undefined;
  }
}

/** Of another task than the current one. */
function ofTask(pass: Pass, call: Call, type: Type): Type {
  if (pass.env.options.tenancy === 'node') return type;
  const { message, hint } = refusedMemory();
  return failed(pass, call.span, message, hint);
}

function pointerInto(type: Type, space: 'kernel' | 'user'): Type {
  if (type.kind === 'pointer') return { ...type, space };
  if (type.kind === 'array') return { ...type, space };
  return { kind: 'pointer', to: uint64, space };
}

function stackType(pass: Pass, call: Call): Type {
  const space = call.function === 'kstack' ? 'kernel' : 'user';
  const [first, second] = call.arguments;
  const named =
    first?.kind === 'identifier' && ['bpftrace', 'perf', 'raw'].includes(first.name) ? first.name : null;
  const mode = (named ?? pass.env.config.stackMode) as 'bpftrace' | 'perf' | 'raw';
  const limitExpression = named === null ? first : second;
  const given = limitExpression === undefined ? undefined : pass.constants.get(limitExpression);
  const limit = typeof given === 'bigint' ? given : 127n;
  if (limit < 1n || limit > 127n) report(pass, call.span, `a stack has from 1 to 127 frames, not ${limit}`);
  if (space === 'kernel' && mode !== 'bpftrace' && pass.env.options.tenancy === 'pods') {
    const { message, hint } = refusedWith(
      `kstack(${mode})`,
      'it shows addresses of the kernel; kstack(bpftrace) shows names',
    );
    report(pass, call.span, message, hint);
  }
  return { kind: 'stack', space, mode, limit: Number(limit < 1n || limit > 127n ? 127n : limit) };
}

const x86Registers = 'r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip cs flags sp ss'.split(
  ' ',
);
const armRegisters = [...Array.from({ length: 31 }, (_, index) => `r${index}`), 'sp', 'pc', 'pstate'];

function register(pass: Pass, call: Call): Type {
  const { point } = pass.place;
  if (pass.env.options.tenancy === 'pods' && !['uprobe', 'uretprobe', 'usdt'].includes(point.provider)) {
    const { message, hint } = refusedWith(
      `reg() in ${point.provider}`,
      "the registers may hold what is not the job's",
    );
    return failed(pass, call.span, message, hint);
  }
  const name = call.arguments[0] === undefined ? undefined : pass.constants.get(call.arguments[0]);
  const known = pass.env.kernel?.arch === 'arm64' ? armRegisters : x86Registers;
  if (pass.env.kernel !== null && typeof name === 'string' && !known.includes(name))
    return failed(pass, call.span, `there is no register '${name}'`, `registers are ${known.join(', ')}`);
  return uint64;
}

function compileTimeResult(
  pass: Pass,
  expression: Expression,
  call: Call,
  types: readonly Type[],
): Type | undefined {
  const { env } = pass;
  const [first = unknown] = types;
  const [firstArgument] = call.arguments;
  const given = firstArgument === undefined ? undefined : pass.constants.get(firstArgument);
  const text = typeof given === 'string' ? given : '';
  const constant = (value: Constant, type: Type): Type => {
    pass.constants.set(expression, value);
    return type;
  };
  // Types may still change: whoever asks for them waits.
  const about = (holds: boolean) =>
    env.level === 0 || first.kind === 'unknown' ? boolean : constant(holds, boolean);
  switch (call.function) {
    case 'is_array':
      return about(first.kind === 'array');
    case 'is_integer':
      return about(first.kind === 'integer');
    case 'is_literal':
      return about(firstArgument !== undefined && isLiteral(firstArgument));
    case 'is_ptr':
      return about(first.kind === 'pointer');
    case 'is_str':
      return about(first.kind === 'string');
    case 'is_unsigned_integer':
      return about(first.kind === 'integer' && !first.signed);
    case 'assert_str':
      if (first.kind !== 'unknown' && !isText(first) && first.kind !== 'pointer')
        report(pass, call.span, `${typeText(first)} is no text`);
      return none;
    case 'kfunc_allowed':
      return constant(false, boolean);
    case 'kfunc_exist':
      return env.kernel === null ? boolean : constant(env.kernel.kernelFunction(text) !== undefined, boolean);
    case 'kaddr': {
      const address = env.kernel?.symbolAddress(text);
      if (address !== undefined) pass.constants.set(expression, address);
      else if (env.kernel !== null)
        return failed(
          pass,
          call.span,
          `the kernel has no symbol ${text}`,
          'kernels tell symbols of data only where they are built with CONFIG_KALLSYMS_ALL',
        );
      return { kind: 'pointer', to: uint64, space: 'kernel' };
    }
    case 'uaddr':
      return userSymbol(pass, call, text);
    case 'cgroupid': {
      const id = env.kernel?.cgroupId(text);
      if (id !== undefined) pass.constants.set(expression, id);
      else if (env.kernel !== null)
        return failed(pass, call.span, `there is no cgroup (version 2) at ${text}`);
      return uint64;
    }
    case 'pton': {
      const bytes = addressBytes(text);
      if (bytes === undefined) return failed(pass, call.span, `'${text}' is no IPv4 or IPv6 address`);
      return constant(bytes, { kind: 'array', of: integer(8), length: bytes.length, space: 'none' });
    }
    case 'strerror':
    case 'syscall_name':
      return namedNumber(pass, expression, call.function, given);
    case 'static_assert':
      return staticAssert(pass, call, given);
    default:
      return undefined;
  }
}

/** Its address is known only where it runs: the binary may be mapped anywhere (programs/lower/addresses.ts). */
function userSymbol(pass: Pass, call: Call, name: string): Type {
  const { kernel } = pass.env;
  const { path } = pass.place;
  const unsigned: Type = { kind: 'pointer', to: uint64, space: 'user' };
  if (kernel === null || path === null) return unsigned;
  const found = kernel.userSymbolAddress(path, name);
  if (found === undefined) return failed(pass, call.span, `${path} has no symbol ${name}`);
  const bits = ([8, 16, 32] as const).find((each) => each / 8 === found.size) ?? 64;
  return { ...unsigned, to: integer(bits) };
}

/** Shown by its words: an integer whose enum is `errno text` or `syscall`. A constant is its words at once. */
function namedNumber(pass: Pass, expression: Expression, name: string, given: Constant | undefined): Type {
  const names = name === 'strerror' ? errorTexts : pass.env.kernel?.enumValues('syscall');
  const text = typeof given === 'bigint' ? names?.get(given < 0n ? -given : given) : undefined;
  if (text === undefined)
    return { ...integer(32, true), enum: name === 'strerror' ? 'errno text' : 'syscall' };
  pass.constants.set(expression, text);
  return { kind: 'string', size: text.length + 1 };
}

function staticAssert(pass: Pass, call: Call, holds: Constant | undefined): Type {
  const message = call.arguments[1] === undefined ? undefined : pass.constants.get(call.arguments[1]);
  if (holds === false || holds === 0n) report(pass, call.span, `static assertion failed: ${message}`);
  return none;
}
