// Calls that read memory or text: whose memory that is decides whether a namespaced job may. Neighbours: call-results.ts, access.ts.

import type { Expression } from '../ast.ts';
import type { Type } from '../types.ts';
import { follow } from './access.ts';
import type { Call } from './call.ts';
import { failed, type Pass, report } from './pass.ts';
import { typeText } from './type-text.ts';
import { boolean, int64, integer, none, uint64, unknown } from './unify.ts';

export function memoryResult(
  pass: Pass,
  expression: Expression,
  call: Call,
  types: readonly Type[],
): Type | undefined {
  const [first = unknown] = types;
  switch (call.function) {
    case 'str':
      read(pass, call, 0, first);
      return stringType(pass, expression, call, first);
    case 'buf':
      read(pass, call, 0, first);
      return bufferType(pass, call, first);
    case 'join':
      read(pass, call, 0, first);
      return none;
    case 'macaddr':
      read(pass, call, 0, first);
      return macAddress(pass, call, first);
    case 'ntop':
      return ipAddress(pass, call, types);
    case 'path':
      return pathType(pass, call, first);
    case 'memcmp':
      read(pass, call, 0, first);
      read(pass, call, 1, types[1] ?? unknown);
      count(pass, call, 2);
      return integer(32, true);
    case 'strncmp':
      read(pass, call, 0, first);
      read(pass, call, 1, types[1] ?? unknown);
      count(pass, call, 2);
      return int64;
    case 'strcontains':
    case 'globmatch':
      for (const [index, type] of types.entries()) read(pass, call, index, type);
      return boolean;
    case 'strstr':
      for (const [index, type] of types.entries()) read(pass, call, index, type);
      return int64;
    case 'strcap':
      return int64;
    case 'strlen':
      read(pass, call, 0, first);
      return uint64;
    case 'strftime':
      return timestamp(pass, call);
    default:
      return undefined;
  }
}

/** An argument's pointer, or its number as an address, is followed. */
function read(pass: Pass, call: Call, index: number, type: Type): void {
  const span = call.arguments[index]?.span ?? call.span;
  if (type.kind === 'pointer') follow(pass, type, span);
  else if (type.kind === 'integer') follow(pass, { kind: 'pointer', to: none, space: 'none' }, span);
  else if (type.kind === 'array' && type.space !== 'none')
    follow(pass, { kind: 'pointer', to: type.of, space: type.space }, span);
}

/** A length given as a literal; undefined: none, or only known when it runs. */
function literalLength(pass: Pass, call: Call): bigint | undefined {
  const argument = call.arguments[1];
  const length = argument === undefined ? undefined : pass.constants.get(argument);
  if (typeof length !== 'bigint') return undefined;
  if (length < 0n) report(pass, argument?.span ?? call.span, `a length is not negative, as ${length} is`);
  return length < 0n ? 0n : length;
}

function stringType(pass: Pass, expression: Expression, call: Call, type: Type): Type {
  const { maxStrlen } = pass.env.config;
  const length = literalLength(pass, call);
  const room =
    length === undefined ? maxStrlen : Number(length < BigInt(maxStrlen) ? length + 1n : BigInt(maxStrlen));
  const argument = call.arguments[0];
  const constant = argument === undefined ? undefined : pass.constants.get(argument);
  // A literal is text already: `str($1)`.
  if (typeof constant === 'string' && call.arguments.length === 1) pass.constants.set(expression, constant);
  if (type.kind === 'string') return { kind: 'string', size: Math.min(type.size, room) };
  if (type.kind === 'array' && type.of.kind === 'integer' && type.of.bits === 8 && type.length > 0)
    return { kind: 'string', size: Math.min(type.length + 1, room) };
  if (type.kind === 'array' || type.kind === 'buffer')
    return failed(pass, call.span, `${typeText(type)} is no text`, 'buf() takes bytes');
  return { kind: 'string', size: Math.max(1, room) };
}

function bufferType(pass: Pass, call: Call, type: Type): Type {
  const { maxStrlen } = pass.env.config;
  const length = literalLength(pass, call);
  const own =
    type.kind === 'array' && type.length > 0
      ? pass.env.names.layouts.size(type)
      : type.kind === 'string' || type.kind === 'buffer'
        ? type.size
        : undefined;
  if (length !== undefined) {
    if (length > BigInt(maxStrlen))
      return failed(
        pass,
        call.span,
        `buf() reads at most ${maxStrlen} bytes`,
        `config = { max_strlen = ${length} }`,
      );
    return { kind: 'buffer', size: Math.max(1, Number(length)) };
  }
  if (call.arguments.length === 1 && own === undefined && type.kind !== 'unknown')
    return failed(
      pass,
      call.span,
      'how many bytes buf() should read is not known',
      'write buf(DATA, LENGTH)',
    );
  return { kind: 'buffer', size: Math.min(own ?? maxStrlen, maxStrlen) };
}

function macAddress(pass: Pass, call: Call, type: Type): Type {
  const size =
    type.kind === 'array' || type.kind === 'buffer' || type.kind === 'string'
      ? pass.env.names.layouts.size(type)
      : 6;
  if (size !== 6 || type.kind === 'boolean')
    return failed(pass, call.span, `a MAC address has 6 bytes, and this is ${typeText(type)}`);
  return { kind: 'macAddress' };
}

function ipAddress(pass: Pass, call: Call, types: readonly Type[]): Type {
  const type = types.at(-1) ?? unknown;
  const span = call.arguments.at(-1)?.span ?? call.span;
  const family = types.length === 2 ? call.arguments[0] : undefined;
  const given = family === undefined ? undefined : pass.constants.get(family);
  if (typeof given === 'bigint' && given !== 2n && given !== 10n)
    report(
      pass,
      family?.span ?? call.span,
      `an address family is AF_INET (2) or AF_INET6 (10), not ${given}`,
    );
  if (type.kind === 'unknown' || type.kind === 'integer' || type.kind === 'boolean')
    return { kind: 'ipAddress' };
  const size =
    type.kind === 'array' || type.kind === 'buffer'
      ? pass.env.names.layouts.size(type)
      : type.kind === 'string'
        ? type.size
        : 0;
  const isConstant = call.arguments.at(-1)?.kind === 'string';
  if ((size !== 4 && size !== 16) || isConstant)
    return failed(pass, span, `an address is an integer, or 4 or 16 bytes, not ${typeText(type)}`);
  if (type.kind === 'array' && type.space !== 'none')
    follow(pass, { kind: 'pointer', to: type.of, space: type.space }, span);
  return { kind: 'ipAddress' };
}

function pathType(pass: Pass, call: Call, type: Type): Type {
  const inner = type.kind === 'pointer' ? type.to : type;
  if (inner.kind !== 'unknown' && !(inner.kind === 'struct' && inner.name === 'struct path'))
    return failed(
      pass,
      call.span,
      `path() is of a struct path, not of ${typeText(type)}`,
      'for example path(args.file.f_path)',
    );
  const { maxStrlen } = pass.env.config;
  const length = literalLength(pass, call);
  return {
    kind: 'string',
    size: length === undefined ? maxStrlen : Math.max(1, Math.min(maxStrlen, Number(length))),
  };
}

function count(pass: Pass, call: Call, index: number): void {
  const argument = call.arguments[index];
  const value = argument === undefined ? undefined : pass.constants.get(argument);
  if (typeof value === 'bigint' && (value < 0n || value > BigInt(pass.env.config.maxStrlen)))
    report(
      pass,
      argument?.span ?? call.span,
      `a count is from 0 to ${pass.env.config.maxStrlen}, not ${value}`,
    );
}

const clocks: Record<string, 'boot' | 'monotonic' | 'tai' | 'swTai'> = {
  boot: 'boot',
  monotonic: 'monotonic',
  tai: 'tai',
  sw_tai: 'swTai',
};

/** The clock is that of the nsecs() it is given; of anything else it is taken to be boot's. */
function timestamp(pass: Pass, call: Call): Type {
  const [format, time] = call.arguments;
  const text = format === undefined ? undefined : pass.constants.get(format);
  const word = time?.kind === 'call' && time.function === 'nsecs' ? time.arguments[0] : undefined;
  const clock = word?.kind === 'identifier' ? (clocks[word.name] ?? 'boot') : 'boot';
  if (clock === 'monotonic')
    return failed(
      pass,
      call.span,
      'the monotonic clock does not tell the time of day',
      'nsecs(boot) and nsecs(tai) do',
    );
  return { kind: 'timestamp', format: typeof text === 'string' ? text : '', clock };
}
