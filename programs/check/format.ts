// Formats of printf and its kin: read into parts, and judged against what is to be shown. Pure. Neighbours: call-results.ts; who makes the text in user
// space reads formats with parseFormat too.

import type { Type } from '../types.ts';
import { typeText } from './type-text.ts';

export interface Conversion {
  flags: string;
  width: number | null;
  precision: number | null;
  /** hh, h, l, ll, j, z, t: accepted, as C has it; values have their own width. */
  length: string;
  conversion: 'd' | 'i' | 'u' | 'o' | 'x' | 'X' | 'c' | 'p' | 's' | 'r' | 'rx' | 'rh' | 'gr';
  /** Where in the format. */
  at: number;
}

export type FormatPart = { text: string } | Conversion;

const specifier =
  /%(?:(?<percent>%)|(?<flags>[-+ 0#']*)(?<width>[0-9]+)?(?:\.(?<precision>[0-9]*))?(?<length>hh|h|ll|l|j|z|t)?(?<conversion>rx|rh|gr|[diuoxXcpsr]))/y;

/** wrong: a clause; at: where. */
export function parseFormat(format: string): FormatPart[] | { wrong: string; at: number } {
  const parts: FormatPart[] = [];
  let text = '';
  for (let at = 0; at < format.length; ) {
    const percent = format.indexOf('%', at);
    if (percent < 0) {
      text += format.slice(at);
      break;
    }
    text += format.slice(at, percent);
    specifier.lastIndex = percent;
    const match = specifier.exec(format);
    const groups = match?.groups;
    if (match === null || groups === undefined) {
      const shown = /^%[^a-zA-Z%]*[a-zA-Z]?/.exec(format.slice(percent, percent + 20))?.[0] ?? '%';
      return { wrong: `'${shown}' is no format`, at: percent };
    }
    at = percent + match[0].length;
    if (groups.percent !== undefined) {
      text += '%';
      continue;
    }
    const width = groups.width === undefined ? null : Number(groups.width);
    const precision = groups.precision === undefined ? null : Number(groups.precision);
    if ((width ?? 0) > 1024 || (precision ?? 0) > 1024)
      return { wrong: `'${match[0]}' is wider than 1024`, at: percent };
    if (text !== '') parts.push({ text });
    text = '';
    parts.push({
      flags: groups.flags ?? '',
      width,
      precision,
      length: groups.length ?? '',
      conversion: groups.conversion as Conversion['conversion'],
      at: percent,
    });
  }
  if (text !== '') parts.push({ text });
  return parts;
}

export function conversionsOf(parts: readonly FormatPart[]): Conversion[] {
  return parts.filter((part) => 'conversion' in part);
}

/** What is wrong with showing a type so; null: nothing. */
export function misfit({ conversion }: Conversion, type: Type): string | null {
  if (type.kind === 'unknown') return null;
  const number = type.kind === 'integer' || type.kind === 'boolean' || type.kind === 'pointer';
  switch (conversion) {
    case 's':
      return null;
    case 'r':
    case 'rx':
    case 'rh':
      return type.kind === 'buffer'
        ? null
        : `%${conversion} shows a buffer, as buf() gives it, not ${typeText(type)}`;
    default:
      return number
        ? null
        : `%${conversion} shows an integer, not ${typeText(type)}${type.kind === 'string' ? '; %s does' : ''}`;
  }
}
