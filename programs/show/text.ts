// A value as bpftrace prints it. Neighbours: value.ts, json.ts (the same as JSON), printf.ts (%s), map.ts.

import { hex, type Shown } from './value.ts';

export function textOf(value: Shown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return String(value);
  switch (value.kind) {
    case 'symbolic':
      return value.text;
    case 'buffer':
      return bufferText(value.bytes, { keepAscii: true, escape: true });
    case 'array':
      return `[${value.elements.map(textOf).join(',')}]`;
    case 'tuple':
      return `(${value.elements.map(textOf).join(', ')})`;
    case 'record':
    case 'struct':
      if (value.members.length === 0) return '{}';
      return `{ ${value.members.map(([name, member]) => `.${name} = ${textOf(member)}`).join(', ')} }`;
  }
}

/** Several keys are written as a tuple without its parentheses. */
export function keyText(keys: readonly Shown[]): string {
  const [only] = keys;
  if (keys.length !== 1 || only === undefined) return keys.map(textOf).join(', ');
  const text = textOf(only);
  return typeof only === 'object' && only?.kind === 'tuple' ? text.slice(1, -1) : text;
}

/** %r: printable characters as they are, others as \xNN. %rx: all as \xNN. %rh: all as NN, with spaces between. */
export function bufferText(bytes: Uint8Array, how: { keepAscii: boolean; escape: boolean }): string {
  const parts = [...bytes].map((byte) => {
    if (how.keepAscii && byte >= 32 && byte <= 126) return String.fromCharCode(byte);
    return how.escape ? `\\x${hex(byte)}` : hex(byte);
  });
  return parts.join(how.escape ? '' : ' ');
}
