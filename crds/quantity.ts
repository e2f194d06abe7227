// Quantities as Kubernetes writes them (20m, 64Mi, 100000, 1e6), exact. Beside it: crds/duration.ts. Read by crds/trace-job.ts.

import type { Wrong } from './duration.ts';

/** An exact amount in billionths (Kubernetes' finest step), and the words it was given in. */
export interface Quantity {
  text: string;
  nano: bigint;
}

const nano = 1_000_000_000n;

/** Numerator and denominator of each suffix. */
const suffixes: Record<string, [bigint, bigint]> = {
  n: [1n, nano],
  u: [1n, 1_000_000n],
  m: [1n, 1_000n],
  '': [1n, 1n],
  k: [10n ** 3n, 1n],
  M: [10n ** 6n, 1n],
  G: [10n ** 9n, 1n],
  T: [10n ** 12n, 1n],
  P: [10n ** 15n, 1n],
  E: [10n ** 18n, 1n],
  Ki: [1n << 10n, 1n],
  Mi: [1n << 20n, 1n],
  Gi: [1n << 30n, 1n],
  Ti: [1n << 40n, 1n],
  Pi: [1n << 50n, 1n],
  Ei: [1n << 60n, 1n],
};

/** The grammar, for the API server and for documentation. */
export const quantityPattern =
  '^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(([eE][-+]?[0-9]{1,2})|n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$';

const form = /^([0-9]*)(?:\.([0-9]*))?(?:[eE]([-+]?[0-9]{1,2})|([A-Za-zµ]*))$/;
const longest = 64;

/** Reads a quantity. Like Kubernetes, what is finer than a billionth is rounded up. */
export function parseQuantity(input: unknown): Quantity | Wrong {
  if (typeof input !== 'number' && typeof input !== 'bigint' && typeof input !== 'string') {
    return { wrong: 'not a quantity; write one like 20m, 64Mi or 100000' };
  }
  const text = String(input).trim();
  if (text === '') return { wrong: 'an empty quantity; write one like 20m, 64Mi or 100000' };
  if (text.length > longest) return { wrong: `longer than ${longest} characters; write one like 64Mi` };
  if (text.startsWith('-')) return { wrong: `${text} is negative; write one like 20m, 64Mi or 100000` };
  const match = form.exec(text);
  const [, whole = '', fraction = '', exponent, suffix = ''] = match ?? [];
  if (match === null || whole + fraction === '') {
    return { wrong: `${JSON.stringify(text)} is not a quantity; write one like 20m, 64Mi or 100000` };
  }
  const factor = suffixes[suffix];
  if (factor === undefined) return { wrong: `${JSON.stringify(text)}: ${unknownSuffix(suffix)}` };
  let numerator = BigInt(whole + fraction) * factor[0] * nano;
  let denominator = 10n ** BigInt(fraction.length) * factor[1];
  const power = Number(exponent ?? 0);
  if (power >= 0) numerator *= 10n ** BigInt(power);
  else denominator *= 10n ** BigInt(-power);
  return { text, nano: (numerator + denominator - 1n) / denominator };
}

function unknownSuffix(suffix: string): string {
  const meant: Record<string, string> = {
    K: 'k or Ki',
    KB: 'k',
    kB: 'k',
    MB: 'M',
    GB: 'G',
    KiB: 'Ki',
    MiB: 'Mi',
    GiB: 'Gi',
    mb: 'M',
    mi: 'Mi',
    gi: 'Gi',
    g: 'G',
    B: 'no suffix for bytes',
  };
  const advice = Object.hasOwn(meant, suffix) ? `write ${meant[suffix]}` : 'known are m, k, M, G, Ki, Mi, Gi';
  return `unknown suffix "${suffix}"; ${advice}`;
}

/** The amount as a floating number: cores of 20m = 0.02. */
export function asNumber(quantity: Quantity): number {
  return Number(quantity.nano) / 1e9;
}

/** The amount in whole units, rounded up: bytes of 64Mi. */
export function asWhole(quantity: Quantity): bigint {
  return (quantity.nano + nano - 1n) / nano;
}
