// Bare names: builtins, `arg0`, enumerators, and functions that are called without brackets. Neighbours: builtins.ts, call.ts, tenancy.ts.

import type { Expression } from '../ast.ts';
import type { Span } from '../source.ts';
import type { Type } from '../types.ts';
import { aboutCurrentTask, type BuiltinName, builtins } from './builtins.ts';
import { inferCall } from './call.ts';
import type { Constant } from './checked.ts';
import { functions } from './functions.ts';
import { failed, near, type Pass, report } from './pass.ts';
import { refusedArguments, refusedWith, refusedWord } from './tenancy.ts';
import { anyOf } from './type-text.ts';
import { boolean, integer, uint64, unknown } from './unify.ts';
import type { Word } from './words.ts';

export function identifier(pass: Pass, expression: Extract<Expression, { kind: 'identifier' }>): Type {
  const { name, span } = expression;
  const argument = /^arg([0-9]{1,2})$/.exec(name);
  if (argument !== null) return argN(pass, Number(argument[1]), name, span);
  if (builtins.has(name)) return builtin(pass, expression, name, span);
  const found = pass.env.names.enumerator(name);
  if (found !== undefined) {
    pass.constants.set(expression, found.value);
    return found.type;
  }
  if (functions.has(name))
    return inferCall(pass, expression, { function: name, nameSpan: span, arguments: [], span });
  return unknownName(pass, name, span);
}

function unknownName(pass: Pass, name: string, span: Span): Type {
  const similar = near(pass, name, () => [...builtins.keys(), ...functions.keys()]);
  // A kernel could have an enumerator of that name; they are written in capitals.
  if (pass.env.kernel === null && /^[A-Z_][A-Z0-9_]*$/.test(name)) return unknown;
  return failed(
    pass,
    span,
    `unknown identifier '${name}'`,
    similar === undefined
      ? pass.env.names.open
        ? undefined
        : 'variables begin with $, maps with @'
      : `did you mean '${similar}'?`,
  );
}

/** Says where a word may not be used: by provider, tenancy, or for want of a task. True: it may. */
export function allowed(pass: Pass, word: Word, kind: 'builtin' | 'function', span: Span): boolean {
  const { provider } = pass.place.point;
  const shown = kind === 'builtin' ? word.name : `${word.name}()`;
  if (word.refused !== undefined) {
    report(pass, span, `${shown} is refused: ${word.refused}`);
    return false;
  }
  if (word.providers !== undefined && !word.providers.includes(provider)) {
    report(pass, span, `${shown} is not to be had in ${provider}`, `it is in ${anyOf(word.providers)}`);
    return false;
  }
  if (pass.env.options.tenancy === 'node') return true;
  const words = refusedWord(word.name, kind) ?? withoutTask(pass, word.name, shown);
  if (words !== null) report(pass, span, words.message, words.hint);
  return words === null;
}

function withoutTask(pass: Pass, name: string, shown: string) {
  if (pass.place.context.task || !aboutCurrentTask.has(name)) return null;
  return refusedWith(
    `${shown} in ${pass.place.point.provider}`,
    'there any process of the node may be current, and none of the job is concerned',
  );
}

/** Arguments and results of places that a namespaced job may not see. */
function argumentsAllowed(pass: Pass, what: string, span: Span): boolean {
  const { argumentsOf, name } = pass.place;
  if (pass.env.options.tenancy === 'node' || argumentsOf === null) return true;
  const { message, hint } = refusedArguments(what, name, argumentsOf);
  report(pass, span, message, hint);
  return false;
}

function argN(pass: Pass, index: number, name: string, span: Span): Type {
  const { context, open, point } = pass.place;
  if (!argumentsAllowed(pass, name, span)) return unknown;
  const { argN } = context;
  if (argN === null) {
    const possible = ['kprobe', 'uprobe', 'usdt', 'rawtracepoint', 'fentry', 'fexit'];
    if (open && possible.includes(point.provider)) return uint64;
    const returns = point.provider === 'kretprobe' || point.provider === 'uretprobe';
    return failed(
      pass,
      span,
      `${name} is not to be had in ${point.provider}`,
      returns
        ? 'keep it in a map at the entry: @arg[tid] = arg0'
        : point.provider === 'tracepoint'
          ? 'a tracepoint has args.NAME'
          : `it is in ${anyOf(['kprobe', 'uprobe', 'usdt', 'rawtracepoint'])}`,
    );
  }
  const count =
    argN.from === 'registers'
      ? argN.count
      : argN.from === 'slots'
        ? argN.types.length
        : argN.arguments.length;
  if (index >= count)
    return failed(
      pass,
      span,
      count === 0 ? `${pass.place.name} has no arguments` : `${pass.place.name} has arg0 to arg${count - 1}`,
      argN.from === 'registers' ? 'further arguments are on the stack: *(reg("sp") + …)' : undefined,
    );
  return uint64;
}

function builtin(pass: Pass, expression: Expression, name: string, span: Span): Type {
  const word = builtins.get(name);
  if (word === undefined || !allowed(pass, word, 'builtin', span)) return unknown;
  return builtinType(pass, expression, name as BuiltinName, span);
}

export function builtinType(pass: Pass, expression: Expression, name: BuiltinName, span: Span): Type {
  const constant = (value: Constant, type: Type): Type => {
    pass.constants.set(expression, value);
    return type;
  };
  const text = (value: string) => constant(value, { kind: 'string', size: Buffer.byteLength(value) + 1 });
  const { place, env } = pass;
  switch (name) {
    case 'args':
    case 'ctx':
      return argsType(pass, name, span);
    case 'retval':
      if (!argumentsAllowed(pass, 'retval', span)) return unknown;
      if (place.open && place.point.provider === 'fexit') return unknown;
      return place.context.retval?.kind === 'none'
        ? failed(pass, span, `${place.functions[0] ?? place.name} returns nothing`)
        : (place.context.retval ?? unknown);
    case 'func':
      return text(place.functions[0] ?? place.name.split(':').at(-1) ?? '');
    case 'probe':
      return text(place.name);
    case 'probetype': {
      const { provider } = place.point;
      return text(provider === 'begin' || provider === 'end' ? 'special' : provider);
    }
    case 'comm':
    case 'pcomm':
      return { kind: 'string', size: 16 };
    case 'curtask':
      return {
        kind: 'pointer',
        to: { kind: 'struct', name: 'struct task_struct', space: 'kernel' },
        space: 'kernel',
      };
    case 'username':
      return { kind: 'username' };
    case 'has_cpid':
      return constant(env.options.hasCommand, boolean);
    case 'cpid':
      if (!env.options.hasCommand)
        return failed(
          pass,
          span,
          'cpid has no value: no command was given',
          'sonde run … -- COMMAND, or ask has_cpid',
        );
      return integer(32);
    case 'ncpus':
      return env.kernel === null ? uint64 : constant(BigInt(env.kernel.cpus), uint64);
    case 'default_str_length':
      return constant(BigInt(env.config.maxStrlen), uint64);
    case 'cpu':
    case 'numaid':
    case 'pid':
    case 'ppid':
    case 'tid':
    case 'rand':
      return integer(32);
    case 'usermode':
      return integer(8);
    case 'cgroup':
    case 'elapsed':
    case 'gid':
    case 'jiffies':
    case 'uid':
      return uint64;
  }
}

function argsType(pass: Pass, name: 'args' | 'ctx', span: Span): Type {
  if (!argumentsAllowed(pass, name, span)) return unknown;
  const { context, open, point } = pass.place;
  if (context.args !== null) return { kind: 'struct', name: context.args.layout.name, space: 'none' };
  if (open) return unknown;
  return failed(
    pass,
    span,
    `${pass.place.name} does not tell its arguments by name`,
    point.provider === 'uprobe' ? 'the binary has no DWARF for it; use arg0, arg1, …' : undefined,
  );
}
