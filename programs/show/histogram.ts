// Histograms as bpftrace draws them: from the first bucket that counts something to the last. Neighbours: fold.ts, map.ts.

import { lhistSteps } from '../layout.ts';
import type { Type } from '../types.ts';
import { jsonInteger } from './json.ts';

/** A bucket's edges: what is printed, and the number. null: without end. */
export interface Bar {
  from: Edge | null;
  to: Edge | null;
  count: bigint;
}

interface Edge {
  text: string;
  value: bigint;
}

type HistogramType = Type & { kind: 'hist' | 'lhist' };

/** Those to be drawn. divisor: of log2 histograms alone, as in bpftrace. */
export function barsOf(type: HistogramType, counts: readonly bigint[], divisor: bigint): Bar[] {
  const first = counts.findIndex((count) => count !== 0n);
  if (first < 0) return [];
  const last = counts.findLastIndex((count) => count !== 0n);
  const bars: Bar[] = [];
  for (let bucket = first; bucket <= last; bucket++) {
    const edges = type.kind === 'hist' ? log2Edges(bucket, type.bits) : linearEdges(type, bucket);
    const count = counts[bucket] ?? 0n;
    bars.push({ ...edges, count: type.kind === 'hist' ? count / divisor : count });
  }
  return bars;
}

function log2Edges(bucket: number, bits: number): { from: Edge | null; to: Edge | null } {
  return { from: bucket === 0 ? null : log2Edge(bucket - 1, bits), to: log2Edge(bucket, bits) };
}

/** Where the bucket before `index` ends. Large ones are written with a suffix, by 1024. */
function log2Edge(index: number, bits: number): Edge {
  if (index <= 2 << bits) return { text: String(index), value: BigInt(index) };
  const each = 1 << bits;
  const steps = BigInt(each + (index & (each - 1)));
  const power = (index >> bits) - 1;
  const thousands = Math.floor(power / 10);
  const shown = steps << BigInt(power - thousands * 10);
  return {
    text: `${shown}${['', 'K', 'M', 'G', 'T', 'P', 'E'][thousands] ?? ''}`,
    value: steps << BigInt(power),
  };
}

function linearEdges(
  type: HistogramType & { kind: 'lhist' },
  bucket: number,
): { from: Edge | null; to: Edge | null } {
  const edge = (index: number): Edge => linearEdge(type.min + BigInt(index) * type.step, type.step);
  const steps = lhistSteps(type);
  return { from: bucket === 0 ? null : edge(bucket - 1), to: bucket > steps ? null : edge(bucket) };
}

function linearEdge(value: bigint, step: bigint): Edge {
  const plain = { text: String(value), value };
  if (step % 1024n !== 0n || value === 0n) return plain;
  if (value % (1024n * 1024n) === 0n) return { text: `${value / (1024n * 1024n)}M`, value };
  return value % 1024n === 0n ? { text: `${value / 1024n}K`, value } : plain;
}

const widest = 52;

export function histogramText(bars: readonly Bar[]): string {
  const most = bars.reduce((max, { count }) => (count > max ? count : max), 0n);
  return bars
    .map((bar) => {
      const width =
        most === 0n ? 0 : Math.floor(Math.fround(Number(bar.count) / Math.fround(Number(most))) * widest);
      return `${label(bar).padEnd(16)}${String(bar.count).padStart(8)} |${'@'.repeat(width).padEnd(widest)}|\n`;
    })
    .join('');
}

function label({ from, to }: Bar): string {
  if (from === null) return `(..., ${to?.text})`;
  if (to === null) return `[${from.text}, ...)`;
  // Edges with a suffix are never one apart in what they show.
  const plain = from.text === String(from.value) && to.text === String(to.value);
  return plain && from.value + 1n === to.value ? `[${from.text}]` : `[${from.text}, ${to.text})`;
}

export function histogramJson(bars: readonly Bar[]): string {
  const objects = bars.map(({ from, to, count }) => {
    const members = [
      ...(from === null ? [] : [`"min": ${jsonInteger(from.value)}`]),
      ...(to === null ? [] : [`"max": ${jsonInteger(to.value - 1n)}`]),
      `"count": ${count}`,
    ];
    return `{${members.join(', ')}}`;
  });
  return `[${objects.join(',')}]`;
}
