// What an integer literal is worth: decimal, octal, hexadecimal, scientific, with `_` between digits, C's suffixes, and durations in nanoseconds.
// Pure. Neighbours: programs/parse/expressions.ts; programs/expand.ts and programs/check/* read the numbers of parameters and attach points with it.

const literal =
  /^(?:(?<hex>0[xX][0-9a-fA-F_]+)|(?<digits>[0-9][0-9_]*)(?:[eE](?<exponent>[0-9][0-9_]*))?)(?<suffix>ns|us|ms|s|m|h|d|[uU][lL]{0,2}|[lL]{1,2}[uU]?)?$/;

const nanoseconds: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
};

const largest = 2n ** 64n - 1n;

/** `wrong`: a clause for people. */
export function integerValue(text: string): { value: bigint } | { wrong: string } {
  const { hex, digits, exponent = '', suffix = '' } = literal.exec(text)?.groups ?? {};
  const whole = hex ?? digits;
  if (whole === undefined) {
    const tail = /^(?:0[xX][0-9a-fA-F_]*|[0-9_]+)(.*)$/.exec(text)?.[1] ?? '';
    return { wrong: tail === '' ? `'${text}' is no number` : `invalid integer suffix '${tail}'` };
  }
  if (whole.endsWith('_') || exponent.endsWith('_'))
    return { wrong: 'trailing underscore in integer literal' };
  const plain = whole.replaceAll('_', '');
  if (!/^0[xX]|^[0-9]/.test(plain) || /^0[xX]$/.test(plain)) return { wrong: `'${text}' is no number` };
  const octal = exponent === '' && /^0[0-9]+$/.test(plain);
  if (octal && /[89]/.test(plain))
    return { wrong: `'${text}' begins with 0, but has digits that are not octal` };
  const tooLarge = { wrong: `'${text}' does not fit into 64 bits` };
  // BigInt of a megabyte of digits takes minutes; 64 bits have 20 of them (22 octal).
  if (plain.replace(/^0[xX]?0*|^0+/, '').length > 22) return tooLarge;
  const power = exponent.replaceAll('_', '').replace(/^0+(?=.)/, '');
  if (power.length > 2) return tooLarge;
  const value =
    BigInt(octal ? `0o${plain.slice(1)}` : plain) * 10n ** BigInt(power) * (nanoseconds[suffix] ?? 1n);
  return value > largest ? tooLarge : { value };
}
