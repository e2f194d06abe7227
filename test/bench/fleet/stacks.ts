// The rows of a simulated agent: stacks of a made-up program of 20,000 different ones, whose are its two containers. The same for the same agent,
// so that the sum of all is known beforehand. Neighbours: test/bench/fleet/agents.ts serves them, test/bench/rows/fleet.ts adds them up.

import { compareRows } from '../../../results/order.ts';
import type { Row, StackFrame } from '../../../results/shape.ts';

export const stacksInAll = 20_000;
export const stacksOfAgent = 2_000;
const functionsInAll = 4_000;
const levels = 6;
const branches = 6;
export const containers = ['api', 'worker'] as const;

type StackRow = Row & { kind: 'stacks' };

export interface Placed {
  node: string;
  pod: string;
}

export function placeOf(agent: number): Placed {
  const number = String(agent).padStart(5, '0');
  return { node: `node-${number}`, pod: `checkout-7d9c5b6f4-${number}` };
}

function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function functions(): StackFrame[] {
  return Array.from({ length: functionsInAll }, (_, i) => ({
    name: `example.com/shop/package${i % 97}.(*Type${i % 389}).Method${i}`,
    kind: 'user' as const,
    module: '/usr/local/bin/checkout',
  }));
}

/** All stacks in the order of runs: a tree with six branches at each of six levels, a tail of its own under each, 21 frames on average. */
export function allStacks(): StackFrame[][] {
  const known = functions();
  const at = (seed: number) => known[mixed(seed) % functionsInAll] as StackFrame;
  const stacks = Array.from({ length: stacksInAll }, (_, i) => {
    const frames = [1, 2, 3, 4].map(at);
    for (let level = 1; level <= levels; level++) {
      const prefix = Math.floor(i / branches ** (levels - level));
      frames.push(at(prefix * 16 + level), at(prefix * 16 + level + 8));
    }
    for (let tail = mixed(i) % 8; tail > 0; tail--) frames.push(at(i * 8 + tail + (1 << 20)));
    // Never an inner frame: no stack begins another one.
    frames.push({ name: `leaf${i}`, kind: 'kernel' });
    return frames;
  });
  const row = (frames: StackFrame[]): Row => ({ kind: 'stacks', key: [], frames, value: [] });
  return stacks.sort((a, b) => compareRows(row(a), row(b)));
}

/** The sorted rows of an agent. `distinct`: no stack is any other agent's or container's too; they are made of the same functions. */
export function rowsOf(all: readonly StackFrame[][], agent: number, distinct: boolean): StackRow[] {
  const { node, pod } = placeOf(agent);
  const step = stacksInAll / stacksOfAgent;
  const byContainer: StackRow[][] = [[], []];
  for (let i = 0; i < stacksOfAgent; i++) {
    const number = agent * stacksOfAgent + i;
    const frames = all[i * step + (mixed(number) % step)] as StackFrame[];
    const own = distinct ? [...frames, leafOf(number % 4096), leafOf(Math.floor(number / 4096))] : frames;
    const samples = BigInt(1 + (mixed(number + 7) % 40));
    byContainer[i % 2]?.push({
      kind: 'stacks',
      key: [node, 'shop', pod, containers[i % 2] ?? '', 'checkout', 4242 + (i % 2), 1],
      frames: own,
      value: [samples, samples * 10_101_010n],
    });
  }
  return byContainer.flat();
}

const leaves = new Map<number, StackFrame>();

function leafOf(number: number): StackFrame {
  const known = leaves.get(number);
  if (known) return known;
  const made: StackFrame = { name: `inner${number}`, kind: 'kernel' };
  leaves.set(number, made);
  return made;
}
