// printf's formats: parsed once for each place in the source, applied to values. As printf(3), and %r, %rx, %rh for buffers.
// Neighbours: value.ts, text.ts.

import { bufferText, textOf } from './text.ts';
import { numberOf, type Shown } from './value.ts';

interface Spec {
  flags: string;
  width: number | '*' | null;
  precision: number | '*' | null;
  length: string;
  conversion: string;
}

/** Text, and what stands between. A format has one text more than specs. */
export interface Format {
  texts: string[];
  specs: Spec[];
}

const pattern = /%(?:%|([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?([hlLjzt]*)(rx|rh|[diouxXcspr]))/g;

/** A width beyond it is a mistake, or an attack. */
const widest = 4096;

export function parseFormat(format: string): Format {
  const texts: string[] = [];
  const specs: Spec[] = [];
  let text = '';
  let end = 0;
  for (const match of format.matchAll(pattern)) {
    text += format.slice(end, match.index);
    end = match.index + match[0].length;
    if (match[0] === '%%') {
      text += '%';
      continue;
    }
    texts.push(text);
    text = '';
    const [whole, flags = '', width, precision, length = '', conversion = ''] = match;
    specs.push({
      flags,
      width: bound(width),
      precision: whole.includes('.') ? (bound(precision) ?? 0) : null,
      length,
      conversion,
    });
  }
  texts.push(text + format.slice(end));
  return { texts, specs };
}

function bound(digits: string | undefined): number | '*' | null {
  if (digits === undefined) return null;
  return digits === '*' ? '*' : Math.min(Number(digits), widest);
}

/** What is missing among the values counts as 0 and ''. */
export function format({ texts, specs }: Format, values: readonly Shown[]): string {
  let out = texts[0] ?? '';
  let next = 0;
  const take = (): Shown => values[next++] ?? null;
  const star = (wanted: number | '*' | null): number | null =>
    wanted === '*' ? Math.max(-widest, Math.min(widest, Number(numberOf(take())))) : wanted;
  for (const [i, spec] of specs.entries()) {
    let width = star(spec.width);
    const precision = star(spec.precision);
    const left = spec.flags.includes('-') || (width !== null && width < 0);
    width = Math.abs(width ?? 0);
    const { text, numeric } = convert(spec, precision, take());
    out += pad(text, width, { left, zeros: numeric && precision === null && spec.flags.includes('0') });
    out += texts[i + 1] ?? '';
  }
  return out;
}

function pad(text: string, width: number, how: { left: boolean; zeros: boolean }): string {
  if (text.length >= width) return text;
  if (how.left) return text.padEnd(width);
  if (!how.zeros) return text.padStart(width);
  // Zeros stand between the sign, or 0x, and the digits.
  const sign = /^([-+ ]|0[xX])?/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}

function convert(spec: Spec, precision: number | null, value: Shown): { text: string; numeric: boolean } {
  switch (spec.conversion) {
    case 'd':
    case 'i':
      return { text: signed(spec, precision, numberOf(value)), numeric: true };
    case 'u':
    case 'o':
    case 'x':
    case 'X':
      return { text: unsigned(spec, precision, numberOf(value)), numeric: true };
    case 'p': {
      const address = BigInt.asUintN(64, numberOf(value));
      return { text: address === 0n ? '0' : `0x${address.toString(16)}`, numeric: false };
    }
    case 'c':
      return { text: String.fromCharCode(Number(BigInt.asUintN(8, numberOf(value)))), numeric: false };
    case 'r':
    case 'rx':
    case 'rh':
      return { text: bufferOf(spec.conversion, value), numeric: false };
    default: {
      const text = textOf(value);
      return { text: precision === null ? text : text.slice(0, precision), numeric: false };
    }
  }
}

function bufferOf(conversion: string, value: Shown): string {
  if (value === null || typeof value !== 'object' || value.kind !== 'buffer') return textOf(value);
  return bufferText(value.bytes, { keepAscii: conversion === 'r', escape: conversion !== 'rh' });
}

/** Without a length all of a number is shown. */
const bitsOf: Record<string, number> = { hh: 8, h: 16 };

function signed(spec: Spec, precision: number | null, number: bigint): string {
  // What is unsigned and passes the signed range is shown as it is: the language has no smaller type for it.
  const bits = bitsOf[spec.length] ?? 64;
  const value = BigInt.asIntN(bits, number);
  const digits = (value < 0n ? -value : value).toString().padStart(precision ?? 1, '0');
  if (value < 0n) return `-${digits}`;
  return (spec.flags.includes('+') ? '+' : spec.flags.includes(' ') ? ' ' : '') + digits;
}

function unsigned(spec: Spec, precision: number | null, number: bigint): string {
  const value = BigInt.asUintN(bitsOf[spec.length] ?? 64, number);
  const base = spec.conversion === 'u' ? 10 : spec.conversion === 'o' ? 8 : 16;
  let digits = value.toString(base).padStart(precision ?? 1, '0');
  if (spec.conversion === 'X') digits = digits.toUpperCase();
  if (!spec.flags.includes('#') || value === 0n) return digits;
  return (spec.conversion === 'o' ? '0' : base === 16 ? `0${spec.conversion}` : '') + digits;
}
