// printf's formats. Neighbour: printf.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, parseFormat } from './printf.ts';
import type { Shown } from './value.ts';

const print = (text: string, ...values: Shown[]): string => format(parseFormat(text), values);

test('integers: widths, zeros, signs and bases are those of printf(3)', () => {
  assert.equal(print('%d|%5d|%-5d|%05d|%+d|% d', 42n, 42n, 42n, -42n, 5n, 5n), '42|   42|42   |-0042|+5| 5');
  assert.equal(print('%x|%X|%#x|%o|%u', 255n, 255n, 255n, 8n, -1n), 'ff|FF|0xff|10|18446744073709551615');
  assert.equal(print('%08x|%#08x|%.3d', 255n, 255n, 5n), '000000ff|0x0000ff|005');
});

test('a length takes the low bits; without one all are shown', () => {
  const x = 0x12345678abcdefn;
  assert.equal(
    print('%hhx %hx %x %jx %llx %lx', x, x, x, x, x, x),
    'ef cdef 12345678abcdef 12345678abcdef 12345678abcdef 12345678abcdef',
  );
  assert.equal(print('%hhd %hd', 255n, 65535n), '-1 -1');
});

test('texts: padded, cut, and enumerators by name; numbers where numbers are asked for', () => {
  const one: Shown = { kind: 'symbolic', text: 'ONE', number: 1n };
  assert.equal(
    print('%-6s|%6s|%.2s|%s %d|%c%c', 'ab', 'ab', 'abcdef', one, one, 65n, 66n),
    'ab    |    ab|ab|ONE 1|AB',
  );
  assert.equal(print('%*d|%-*d|', 5n, 1n, 4n, 2n), '    1|2   |');
  assert.equal(print('100%% %s', 'x'), '100% x');
  assert.equal(print('%d %s', true, true), '1 true');
  assert.equal(print('%p', 0xffff8880n), '0xffff8880');
});

test('buffers: printable as they are, all escaped, or bare', () => {
  const bytes: Shown = { kind: 'buffer', bytes: Uint8Array.of(97, 1, 98) };
  assert.equal(print('%r|%rx|%rh', bytes, bytes, bytes), 'a\\x01b|\\x61\\x01\\x62|61 01 62');
});

test('what is missing or hostile does not break the line', () => {
  assert.equal(print('%d %s'), '0 null');
  assert.equal(print('%999999999d', 1n).length, 4096);
  assert.equal(print('%q %'), '%q %');
});
