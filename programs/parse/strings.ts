// What a string literal says: escapes, and bytes that are no text. Pure. Neighbours: programs/parse/expressions.ts, programs/lower/* (stringBytes).

export interface StringProblem {
  /** Offset within the literal's text. */
  at: number;
  length: number;
  message: string;
}

const plain: Record<string, number> = { n: 10, t: 9, r: 13, '"': 34, '\\': 92 };

/** `text` begins with its quote. The value is what could be understood. */
export function stringValue(text: string): { value: string; problems: StringProblem[] } {
  const problems: StringProblem[] = [];
  const closed = text.length > 1 && text.endsWith('"') && !/(?:^|[^\\])(?:\\\\)*\\"$/.test(text);
  if (!closed) problems.push({ at: 0, length: text.length, message: 'unterminated string' });
  const inner = text.slice(1, closed ? -1 : undefined);
  let value = '';
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length > 0) value += textOf(Uint8Array.from(bytes));
    bytes = [];
  };
  for (const match of inner.matchAll(/\\([0-7]{1,3})|\\[xX]([0-9a-fA-F]{1,2})|\\([\s\S])|[^\\]+|\\$/g)) {
    const [whole, octal, hex, escaped] = match;
    const wrong = (message: string) => problems.push({ at: 1 + match.index, length: whole.length, message });
    if (octal !== undefined) {
      const byte = Number.parseInt(octal, 8);
      if (byte > 255) wrong(`octal escape sequence out of range '${whole}'`);
      bytes.push(byte & 255);
    } else if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else if (escaped !== undefined) {
      const code = plain[escaped];
      if (code !== undefined) bytes.push(code);
      else if (/[xX]/.test(escaped)) wrong('invalid hex escape sequence');
      else wrong(`invalid escape character '${whole}'`);
    } else if (whole !== '\\') {
      flush();
      value += whole;
    }
  }
  flush();
  return { value, problems };
}

/** The bytes of a string in the tree: UTF-8, but U+DC80…U+DCFF are the bytes they were written as. */
export function stringBytes(value: string): Uint8Array {
  const parts: Uint8Array[] = [];
  let text = '';
  // By code points: a half of a pair alone is one.
  for (const character of value) {
    if (character.length > 1 || character < '\udc80' || character > '\udcff') text += character;
    else {
      parts.push(Buffer.from(text, 'utf8'), Uint8Array.of(character.charCodeAt(0) & 255));
      text = '';
    }
  }
  return Buffer.concat([...parts, Buffer.from(text, 'utf8')]);
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => String.fromCharCode(byte < 128 ? byte : 0xdc00 + byte)).join('');
  }
}
