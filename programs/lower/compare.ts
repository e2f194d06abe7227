// Whether texts, arrays and tuples are equal: by words where their length is known and small, else by the runtime's loops. Neighbour: arithmetic.ts.

import type { Expression } from '../ast.ts';
import type { Register, Width } from '../ir.ts';
import type { Span } from '../source.ts';
import type { Body } from './body.ts';
import { constantOf, located, textBytes } from './expression.ts';
import { addressOf, baseOf, copyBytes, ownPlace, readText, spaceOf, writeValue } from './memory.ts';
import type { Place, Value } from './place.ts';

const mostWords = 64;

/** 0 where two values in memory are equal. */
export function compareLocated(body: Body, left: Expression, right: Expression): Register {
  const { span } = left;
  for (const [literal, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const text = constantOf(body, literal) ?? (literal.kind === 'string' ? literal.value : undefined);
    if (typeof text === 'string') return compareLiteral(body, text, located(body, other), other.span);
  }
  const first = located(body, left);
  const second = located(body, right);
  if (first.type.kind === 'string' && second.type.kind === 'string') {
    const size = Math.min(first.type.size, second.type.size);
    return body.f.call(
      'program_string_compare',
      addressOf(body, ownText(body, first, span)),
      addressOf(body, ownText(body, second, span)),
      body.f.constant(BigInt(size)),
    );
  }
  const size = Math.min(body.shared.sizeOf(first.type), body.shared.sizeOf(second.type));
  const one = ownBytes(body, first, size, span);
  const two = ownBytes(body, second, size, span);
  if (size > mostWords)
    return body.f.call(
      'program_memory_compare',
      addressOf(body, one),
      addressOf(body, two),
      body.f.constant(BigInt(size)),
    );
  return differenceOf(
    body,
    one,
    size,
    (at, width) => {
      const { base, offset } = baseOf(body, two);
      return body.f.load(base, offset + at, width);
    },
    two.offset,
  );
}

function compareLiteral(body: Body, text: string, other: Value & { kind: 'located' }, span: Span): Register {
  const size = other.type.kind === 'string' ? other.type.size : body.shared.sizeOf(other.type);
  const bytes = textBytes(text, Number.MAX_SAFE_INTEGER);
  // A text that fills its room has no NUL there (a field of the kernel's); ours always have.
  if (bytes.length > size) return body.f.constant(1n);
  const place = ownText(body, other, span);
  if (bytes.length > mostWords) {
    const data = body.f.data(bytes);
    return body.f.call(
      'program_string_compare',
      addressOf(body, place),
      data,
      body.f.constant(BigInt(bytes.length)),
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return differenceOf(
    body,
    place,
    bytes.length,
    (at, width) =>
      body.f.constant(
        width === 8
          ? view.getBigUint64(at, true)
          : BigInt(
              width === 4
                ? view.getUint32(at, true)
                : width === 2
                  ? view.getUint16(at, true)
                  : view.getUint8(at),
            ),
      ),
    0,
  );
}

/** All bits in which so many bytes differ from others, together. */
function differenceOf(
  body: Body,
  place: Place,
  size: number,
  other: (at: number, width: Width) => Register,
  otherOffset: number,
): Register {
  const { base, offset } = baseOf(body, place);
  const { f } = body;
  let all: Register | undefined;
  for (let at = 0; at < size; ) {
    const width =
      ([8, 4, 2] as const).find(
        (wide) => at + wide <= size && (offset + at) % wide === 0 && (otherOffset + at) % wide === 0,
      ) ?? 1;
    const different = f.binary('xor', f.load(base, offset + at, width), other(at, width));
    all = all === undefined ? different : f.binary('or', all, different);
    at += width;
  }
  return all ?? f.constant(0n);
}

/** A text in memory of one's own: where it lies, or a copy. */
export function ownText(body: Body, value: Value & { kind: 'located' }, span: Span): Place {
  if (ownPlace(value.location)) return value.location;
  const size = value.type.kind === 'string' ? value.type.size : body.shared.sizeOf(value.type);
  const place = body.temporary(size, span);
  const space = value.location.at === 'remote' ? spaceOf(body, value.location.space) : 'kernel';
  if (value.type.kind === 'string') writeValue(body, value, place, value.type, span);
  else readText(body, addressOf(body, value.location), space, place, body.f.constant(BigInt(size)));
  return place;
}

export function ownBytes(body: Body, value: Value & { kind: 'located' }, size: number, span: Span): Place {
  if (ownPlace(value.location)) return value.location;
  const place = body.temporary(size, span);
  copyBytes(body, value.location, place, size);
  return place;
}
