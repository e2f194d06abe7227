// What the renderers say about numbers besides results/units.ts: shares as flame graphs give them, exact values for hovering, amounts that
// a person types. Shared by flamegraph.ts and the report's browser code.

import type { Unit } from '../shape.ts';
import { formatAmount, formatCount } from '../units.ts';

/** A scaled amount of a number that need not be whole: "1.23 ms", "12,345". */
export function amount(value: number, unit: Unit | undefined): string {
  if (!Number.isFinite(value)) return '';
  if (unit === undefined && !Number.isInteger(value)) return value.toLocaleString('en-US', digits);
  return formatAmount(BigInt(Math.round(value)), unit);
}

const singular: Record<Unit, string> = {
  ns: 'ns',
  bytes: 'byte',
  calls: 'call',
  samples: 'sample',
  events: 'event',
  switches: 'switch',
};

const digits = { maximumSignificantDigits: 3 };

/** All digits and the unit's own name: "1,234,567 ns". */
export function exact(value: number | bigint, unit: Unit | undefined): string {
  const whole = typeof value === 'bigint' || Number.isInteger(value);
  const text = whole ? formatCount(value) : value.toLocaleString('en-US', { maximumFractionDigits: 3 });
  if (unit === undefined) return text;
  return `${text} ${Number(value) === 1 ? singular[unit] : unit}`;
}

/** A share as flame graphs say it: "12.34%"; a little that is not nothing is "<0.01%", nearly all is never "100%". */
export function percent(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0%';
  if (part >= whole) return '100%';
  const share = (100 * part) / whole;
  return share < 0.01 ? '<0.01%' : `${Math.min(share, 99.99).toFixed(2)}%`;
}

const factors: Record<string, number> = {
  ...{ ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9 },
  ...{ b: 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3, kb: 1e3, mb: 1e6, gb: 1e9, k: 1e3 },
};

/** A number as typed into a filter: "1.5ms" → 1500000, "64 KiB" → 65536, "12,000" → 12000. Undefined where it is none. */
export function parseAmount(text: string): number | undefined {
  const match = /^\s*(-?[\d.,_]+)\s*([a-zµ]*)\s*$/i.exec(text);
  if (match === null) return undefined;
  const value = Number((match[1] ?? '').replace(/[,_]/g, ''));
  const suffix = (match[2] ?? '').toLowerCase();
  const factor = suffix === '' ? 1 : factors[suffix];
  return factor === undefined || Number.isNaN(value) ? undefined : value * factor;
}
