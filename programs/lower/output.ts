// What a program asks of user space: a record in the ring with its arguments, as Compiled.outputs says. Neighbour: program_emit in bpf/program/program.bpf.h.

import type { Expression } from '../ast.ts';
import type { Field, Output } from '../compiled.ts';
import type { Register } from '../ir.ts';
import { placed, up } from '../layout.ts';
import type { Span } from '../source.ts';
import { isAggregate, type Type } from '../types.ts';
import { convert } from './arithmetic.ts';
import type { Body } from './body.ts';
import { bytesOf, type Call } from './calls.ts';
import { constantOf, lowerInto, typeOf } from './expression.ts';
import { helper } from './kernel-helpers.ts';
import { keyPlace } from './maps.ts';
import { addressOf, baseOf, copyBytes, readText, spaceOf } from './memory.ts';
import { beyond, type Place } from './place.ts';
import { CannotLower } from './shared.ts';
import { numberConstant, textConstant } from './text.ts';

/** sizeof the fixed part of struct program_record: where its tail begins. */
const head = 72;

export const outputCalls: Record<string, (body: Body, call: Call) => void> = {
  printf: formatted,
  errorf: formatted,
  warnf: formatted,
  cat: formatted,
  print: printed,
  clear: (body, call) => ofMap(body, call, 'clear'),
  zero: (body, call) => ofMap(body, call, 'zero'),
  join: joined,

  time(body, call) {
    const [format] = call.arguments;
    const text = format === undefined ? undefined : textConstant(body, format);
    send(body, { kind: 'time', format: text ?? '%H:%M:%S\n' }, call.span, 0, () => null);
  },

  exit(body, call) {
    const [code] = call.arguments;
    leaveWith(body, code === undefined ? null : (place) => lowerInto(body, code, place, i32), call.span);
  },
};

const i32: Type = { kind: 'integer', bits: 32, signed: true };
const i64: Type = { kind: 'integer', bits: 64, signed: true };

function leaveWith(body: Body, code: ((place: Place) => void) | null, span: Span): void {
  const field: Field | null = code === null ? null : { offset: 0, type: i32 };
  send(body, { kind: 'exit', code: field }, span, code === null ? 0 : 4, (tail) => {
    code?.(tail);
    return null;
  });
  body.leave();
}

/** assert(): the message as an error, and the end. */
export function failWith(body: Body, message: string, span: Span): void {
  send(
    body,
    { kind: 'errorf', format: message.replaceAll('%', '%%'), arguments: [], span },
    span,
    0,
    () => null,
  );
  leaveWith(
    body,
    (place) => {
      const { base, offset } = baseOf(body, place);
      body.f.store(base, offset, 4, { value: 1n });
    },
    span,
  );
}

/** Writes the tail of a record and hands it over. write gives the tail's bytes where they are fewer than size. */
function send(
  body: Body,
  output: Output,
  span: Span,
  size: number,
  write: (tail: Place) => Register | null,
): void {
  const what = body.shared.output(output, span);
  body.statement(() => {
    const record = body.inScratch(head + size, span);
    const length = write(beyond(record, head));
    const place = body.f.constant((BigInt(body.index) << 32n) | BigInt(what));
    const bytes = length ?? body.f.constant(BigInt(size));
    body.f.call('program_emit', addressOf(body, record), body.container, place, bytes);
  });
}

/** An argument's type in a record: an aggregate is sent as its number. */
function sentType(body: Body, expression: Expression): Type {
  const type = typeOf(body, expression);
  if (type.kind === 'none') throw new CannotLower('this has no value to print', expression.span);
  return isAggregate(type) ? { kind: 'integer', bits: 64, signed: 'signed' in type && type.signed } : type;
}

/** Text and bytes come last: of the last of them only what there is is sent. */
function fieldsOf(body: Body, expressions: readonly Expression[]): { fields: Field[]; size: number } {
  const types = expressions.map((expression) => sentType(body, expression));
  const isText = (type: Type): boolean => type.kind === 'string' || type.kind === 'buffer';
  const indices = [...types.keys()];
  const order = [
    ...indices.filter((index) => !isText(types[index] as Type)),
    ...indices.filter((index) => isText(types[index] as Type)),
  ];
  const places = placed(
    order.map((index) => types[index] as Type),
    0,
    body.shared.checked.layouts,
  );
  const fields: Field[] = [];
  for (const [at, index] of order.entries()) {
    const element = places[at];
    if (element !== undefined) fields[index] = { offset: element.offset, type: element.type };
  }
  const last = places.at(-1);
  const size = last === undefined ? 0 : last.offset + body.shared.sizeOf(last.type);
  return { fields, size };
}

/** Writes arguments at their places; gives the tail's bytes where its last text is shorter than its room. */
function writeFields(
  body: Body,
  expressions: readonly Expression[],
  fields: readonly Field[],
  tail: Place,
): Register | null {
  const lastOffset = Math.max(0, ...fields.map(({ offset }) => offset));
  let total: Register | null = null;
  for (const [index, expression] of expressions.entries()) {
    const field = fields[index];
    if (field === undefined) continue;
    const length = lowerInto(body, expression, beyond(tail, field.offset), field.type, false);
    if (length !== null && field.offset === lastOffset)
      total = bounded(body, length, field.offset, body.shared.sizeOf(field.type));
  }
  return total;
}

/** offset + length, for the verifier between offset and offset + size; what could not be read has no bytes. */
function bounded(body: Body, length: Register, offset: number, size: number): Register {
  const { f } = body;
  const bytes = f.register();
  f.move(bytes, length);
  f.when('sgt', bytes, { value: BigInt(size) }, () =>
    f.emit({ op: 'constant', to: bytes, value: BigInt(size) }),
  );
  f.when('slt', bytes, { value: 0n }, () => f.emit({ op: 'constant', to: bytes, value: 0n }));
  return f.add(bytes, offset);
}

function formatted(body: Body, call: Call): void {
  const [format, ...rest] = call.arguments;
  const text = format === undefined ? undefined : textConstant(body, format);
  if (text === undefined) throw new CannotLower('a format is a literal', call.span);
  const { fields, size } = fieldsOf(body, rest);
  const kind = call.function as 'printf' | 'errorf' | 'warnf' | 'cat';
  send(body, { kind, format: text, arguments: fields, span: call.span }, call.span, size, (tail) =>
    writeFields(body, rest, fields, tail),
  );
}

function printed(body: Body, call: Call): void {
  const [value, top, divisor] = call.arguments;
  if (value === undefined) throw new CannotLower('print() needs something to print', call.span);
  if (value.kind === 'map' && constantOf(body, value) === undefined) {
    const map = body.shared.map(value.name, value.span);
    if (value.key === null) {
      const number = (given: Expression | undefined): number | null => {
        const known = numberConstant(body, given);
        return known === undefined ? null : Number(known);
      };
      const output: Output = { kind: 'printMap', map: map.name, top: number(top), divisor: number(divisor) };
      send(body, output, call.span, 0, () => null);
      return;
    }
    if (map.key !== null) {
      // The key as it lies in the map, without the hidden part.
      const start = map.byContainer ? 8 : 0;
      const size = (map.map.key as { size: number }).size - start;
      const type: Type =
        map.key.length === 1 && map.key[0] !== undefined
          ? map.key[0].type
          : { kind: 'tuple', elements: map.key.map((part) => part.type) };
      const output: Output = { kind: 'printMapEntry', map: map.name, key: { offset: 0, type } };
      send(body, output, call.span, size, (tail) => {
        const key = keyPlace(body, map, value.key, value.span);
        copyBytes(body, beyond(key, start), tail, size);
        return null;
      });
      return;
    }
  }
  const { fields, size } = fieldsOf(body, [value]);
  const [field] = fields;
  if (field === undefined) return;
  send(body, { kind: 'print', value: field }, call.span, size, (tail) =>
    writeFields(body, [value], fields, tail),
  );
}

function ofMap(body: Body, call: Call, kind: 'clear' | 'zero'): void {
  const [map] = call.arguments;
  if (map?.kind !== 'map') throw new CannotLower(`${kind}() is of a map`, call.span);
  send(body, { kind, map: body.shared.map(map.name, map.span).name }, call.span, 0, () => null);
}

const mostJoined = 16;

/** Up to 16 texts of an array of pointers that ends with NULL; each has a room of its own. */
function joined(body: Body, call: Call): void {
  const { f } = body;
  const [texts, separator] = call.arguments;
  if (texts === undefined) throw new CannotLower('join() needs texts', call.span);
  const room = Math.min(body.shared.checked.config.maxStrlen, 1024);
  const type: Type = {
    kind: 'array',
    of: { kind: 'string', size: room },
    length: mostJoined,
    space: 'kernel',
  };
  const output: Output = {
    kind: 'join',
    separator: (separator && textConstant(body, separator)) ?? ' ',
    arguments: { offset: 0, type },
  };
  send(body, output, call.span, up(room * mostJoined, 8), (tail) => {
    const { location } = bytesOf(body, texts);
    const start = addressOf(body, location);
    const space = location.at === 'remote' ? spaceOf(body, location.space) : 'kernel';
    const length = f.constant(0n);
    const after = f.block();
    const slot = body.temporary(8, call.span);
    for (let index = 0; index < mostJoined; index++) {
      const read = space === 'user' ? helper.readUser : helper.readKernel;
      const { base, offset } = baseOf(body, slot);
      f.helper(read, f.add(base, offset), f.constant(8n), f.add(start, index * 8));
      const pointer = f.load(base, offset, 8);
      const there = f.block();
      f.branch('ne', pointer, { value: 0n }, there, after);
      f.goto(there);
      readText(body, pointer, space, beyond(tail, index * room), f.constant(BigInt(room)));
      f.emit({ op: 'constant', to: length, value: BigInt((index + 1) * room) });
    }
    f.jump(after);
    f.goto(after);
    return length;
  });
}

/** A warning of the language about what a helper refused, once for each place: the error's number is sent. */
export function warn(body: Body, helperName: string, error: Register, span: Span): void {
  const field: Field = { offset: 0, type: i32 };
  send(body, { kind: 'helperError', helper: helperName, error: field, span }, span, 4, (tail) => {
    const { base, offset } = baseOf(body, tail);
    body.f.store(base, offset, 4, convert(body, error, i64, i32));
    return null;
  });
}
