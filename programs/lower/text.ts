// Functions on text and bytes: reading them from a process or the kernel, comparing and searching. The loops are the runtime's (strings.bpf.h).

import type { Expression } from '../ast.ts';
import type { Register } from '../ir.ts';
import type { Body } from './body.ts';
import { bytesOf, type Call, type Into, type Written } from './calls.ts';
import { ownBytes, ownText } from './compare.ts';
import { constantOf, located, scalar, textBytes, typeOf } from './expression.ts';
import { globTable, needleTable } from './glob.ts';
import { helper } from './kernel-helpers.ts';
import {
  addressOf,
  baseOf,
  checkRead,
  clear,
  ownPlace,
  readText,
  spaceOf,
  writeBytes,
  writeValue,
} from './memory.ts';
import { beyond, type Place } from './place.ts';
import { CannotLower } from './shared.ts';

type TextCall = (body: Body, call: Call, into: Into) => Written;

export const textCalls: Record<string, TextCall> = {
  str(body, call, { place, type, pad }) {
    const [data, length] = call.arguments;
    const size = body.shared.sizeOf(type);
    const known = data === undefined ? undefined : textConstant(body, data);
    if (data === undefined) return { type, length: null };
    if (known !== undefined) {
      const most = length === undefined ? undefined : constantOf(body, length);
      writeBytes(
        body,
        textBytes(known, typeof most === 'bigint' ? Math.min(size, Number(most)) : size),
        place,
        size,
      );
      return { type, length: null };
    }
    const { address, space } = source(body, data);
    const bytes = lengthOf(body, length, size);
    // A length of 0 writes nothing.
    if (pad) clear(body, place, size);
    else if (length !== undefined) clear(body, place, 1);
    return { type, length: readText(body, address, space, place, bytes) };
  },

  buf(body, call, { place, type, pad }) {
    const [data, length] = call.arguments;
    if (data === undefined || type.kind !== 'buffer') return { type, length: null };
    const value = bytesOf(body, data);
    const from = typeOf(body, data);
    const whole = from.kind === 'pointer' ? type.size : Math.min(type.size, body.shared.sizeOf(value.type));
    const bytes = lengthOf(body, length, length === undefined ? whole : type.size);
    if (pad) clear(body, place, 4 + type.size);
    const { base, offset } = baseOf(body, place);
    body.f.store(base, offset, 4, bytes);
    const user = value.location.at === 'remote' && spaceOf(body, value.location.space) === 'user';
    const target = addressOf(body, beyond(place, 4));
    const read = user ? helper.readUser : helper.readKernel;
    checkRead(body, read, body.f.helper(read, target, bytes, addressOf(body, value.location)));
    return { type, length: body.f.binary('add', bytes, { value: 4n }) };
  },

  path(body, call, { place, type, pad }) {
    const [of] = call.arguments;
    const size = body.shared.sizeOf(type);
    if (pad) clear(body, place, size);
    if (of === undefined) return { type, length: null };
    const value = bytesOf(body, of);
    const address = addressOf(body, value.location);
    return {
      type,
      length: body.f.helper(helper.path, address, addressOf(body, place), body.f.constant(BigInt(size))),
    };
  },

  strlen(body, call, into) {
    const { place, size } = text(body, call.arguments[0], call);
    return give(
      body,
      into,
      body.f.call('program_string_length', addressOf(body, place), body.f.constant(BigInt(size))),
    );
  },

  strcap(body, call, into) {
    const { size } = text(body, call.arguments[0], call);
    return give(body, into, body.f.constant(BigInt(size)));
  },

  strncmp(body, call, into) {
    const left = text(body, call.arguments[0], call);
    const right = text(body, call.arguments[1], call);
    const most = BigInt(Math.min(left.size, right.size));
    const count = numberConstant(body, call.arguments[2]) ?? most;
    const size = body.f.constant(count < most ? count : most);
    const difference = body.f.call(
      'program_string_compare',
      addressOf(body, left.place),
      addressOf(body, right.place),
      size,
    );
    // Equal or not: which is the greater is not said, as in bpftrace.
    return give(body, into, body.f.compare('ne', difference, { value: 0n }));
  },

  memcmp(body, call, into) {
    const [first, second, third] = call.arguments;
    const count = Number(numberConstant(body, third) ?? 0n);
    if (first === undefined || second === undefined) return give(body, into, body.f.constant(0n));
    const left = ownBytes(body, bytesOf(body, first), count, call.span);
    const right = ownBytes(body, bytesOf(body, second), count, call.span);
    const size = body.f.constant(BigInt(count));
    return give(
      body,
      into,
      body.f.call('program_memory_compare', addressOf(body, left), addressOf(body, right), size),
    );
  },

  strcontains(body, call, into) {
    const { f } = body;
    return give(body, into, f.compare('sge', find(body, call), { value: 0n }));
  },

  strstr(body, call, into) {
    return give(body, into, find(body, call));
  },

  globmatch(body, call, into) {
    const { place, size } = text(body, call.arguments[0], call);
    const pattern = call.arguments[1];
    const { table, stars, end } = globTable((pattern && textConstant(body, pattern)) ?? '', call.span);
    const { f } = body;
    const matched = f.call(
      'program_glob',
      addressOf(body, place),
      f.constant(BigInt(size)),
      f.data(table),
      f.constant(stars),
      f.constant(end),
    );
    return give(body, into, matched);
  },
};

/** A number into the place of a call's value. */
function give(body: Body, { place, type }: Into, register: Register): Written {
  writeValue(body, { kind: 'scalar', register, type }, place, type, { start: 0, end: 0 });
  return { type, length: null };
}

/** Where text is read from. */
function source(body: Body, data: Expression): { address: Register; space: 'kernel' | 'user' } {
  const type = typeOf(body, data);
  if (type.kind === 'pointer') return { address: scalar(body, data), space: spaceOf(body, type.space) };
  if (type.kind === 'string' || type.kind === 'array' || type.kind === 'buffer') {
    const { location } = located(body, data);
    const space = location.at === 'remote' ? spaceOf(body, location.space) : 'kernel';
    return { address: addressOf(body, location), space };
  }
  return { address: scalar(body, data), space: body.probe.context.space };
}

/** A length that is at most the room, for the verifier too. */
function lengthOf(body: Body, length: Expression | undefined, size: number): Register {
  const { f } = body;
  const known = numberConstant(body, length);
  if (length === undefined || known !== undefined)
    return f.constant(BigInt(Math.min(size, Number(known ?? BigInt(size)))));
  const bytes = f.register();
  f.move(bytes, scalar(body, length));
  f.when('gt', bytes, { value: BigInt(size) }, () =>
    f.emit({ op: 'constant', to: bytes, value: BigInt(size) }),
  );
  return bytes;
}

export function textConstant(body: Body, expression: Expression): string | undefined {
  const constant = constantOf(body, expression);
  if (typeof constant === 'string') return constant;
  return expression.kind === 'string' ? expression.value : undefined;
}

export function numberConstant(body: Body, expression: Expression | undefined): bigint | undefined {
  if (expression === undefined) return undefined;
  const constant = constantOf(body, expression);
  if (typeof constant === 'bigint') return constant;
  return expression.kind === 'integer' ? expression.value : undefined;
}

/** Text in memory of one's own, with its room. */
function text(body: Body, expression: Expression | undefined, call: Call): { place: Place; size: number } {
  if (expression === undefined) throw new CannotLower(`${call.function}() is of a text`, call.span);
  const type = typeOf(body, expression);
  const known = textConstant(body, expression);
  if (known !== undefined) {
    const bytes = textBytes(known, Number.MAX_SAFE_INTEGER);
    return { place: { at: 'pointer', register: body.f.data(bytes), offset: 0 }, size: bytes.length };
  }
  if (type.kind === 'string' || type.kind === 'array') {
    const value = located(body, expression);
    const size = body.shared.sizeOf(value.type);
    return { place: ownPlace(value.location) ? value.location : ownText(body, value, call.span), size };
  }
  const size = body.shared.checked.config.maxStrlen;
  const place = body.temporary(size, call.span);
  const { address, space } = source(body, expression);
  readText(body, address, space, place, body.f.constant(BigInt(size)));
  return { place, size };
}

/** Where the second text stands in the first; -1: nowhere. */
function find(body: Body, call: Call): Register {
  const { f } = body;
  const haystack = text(body, call.arguments[0], call);
  const needle = call.arguments[1];
  const known = needle === undefined ? undefined : textConstant(body, needle);
  const size = f.constant(BigInt(haystack.size));
  if (known !== undefined) {
    const { table, length } = needleTable(known, call.span);
    return f.call(
      'program_find',
      addressOf(body, haystack.place),
      size,
      f.data(table),
      f.constant(BigInt(length)),
    );
  }
  const { place, size: room } = text(body, needle, call);
  const table = body.inScratch(2048, call.span);
  clear(body, table, 2048);
  const length = f.call(
    'program_needle',
    addressOf(body, table),
    addressOf(body, place),
    f.constant(BigInt(Math.min(room, 64))),
  );
  return f.call('program_find', addressOf(body, haystack.place), size, addressOf(body, table), length);
}
