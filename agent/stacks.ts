// From the kernel's stack maps to rows of resolved frames. Neighbours: bpf/include/stacks.bpf.h (the maps), native (Symbolizer), results/merge.ts (folds equal stacks).

import type { Source } from '../bpf/gadget.ts';
import type { BpfMap, BpfObject, BtfValue, Frame, Symbolizer } from '../native/api.ts';
import type { Row } from '../results/shape.ts';
import { memberOf } from './columns.ts';
import { integer, keyOf, member } from './decode.ts';
import type { Owners } from './owners.ts';

/** The rows of a stacks source, in no order; two of them may be the same stack (of two processes, or by inlining) and fold in the merge.
 *  endedAt: CLOCK_MONOTONIC when the job ended. */
export async function* decodeStacks(
  object: BpfObject,
  source: Source & { kind: 'stacks' },
  owners: Owners,
  symbolizer: Symbolizer,
  arch: string,
  endedAt: bigint,
): AsyncGenerator<Row> {
  const addresses = readStacks(object.map('stacks'));
  for (const { key, first, weights } of weighed(object, source, endedAt)) {
    const columns = keyOf(key, source.shape.keys, owners, arch);
    if (columns === null) continue;
    const pid = Number(integer(member(member(key, 'process') ?? 0, 'pid')));
    const user = addresses.get(integer(member(key, 'user_stack')));
    const kernel = addresses.get(integer(member(key, 'kernel_stack')));
    const innermostFirst: Frame[] = [];
    if (kernel !== undefined) innermostFirst.push(...withoutTracer(symbolizer.kernel(kernel).flat()));
    if (user !== undefined) innermostFirst.push(...(await symbolizer.user(pid, first, user)).flat());
    yield {
      kind: 'stacks',
      key: columns,
      frames: innermostFirst.reverse(),
      value: weights,
    };
  }
}

/** What the maps hold: a stack's key, when it was first seen, and its weights. */
function* weighed(
  object: BpfObject,
  { map, counts, unended, shape }: Source & { kind: 'stacks' },
  endedAt: bigint,
): Generator<{ key: BtfValue; first: bigint; weights: bigint[] }> {
  for (const { key, value } of object.map(map).entries()) {
    const weights = shape.weights.map((weight) => integer(member(value, memberOf(weight))));
    yield { key, first: integer(member(value, 'first')), weights };
  }
  if (unended === undefined) return;
  for (const { value } of object.map(unended.map).entries()) {
    const key = member(value, 'key');
    const first = integer(member(value, 'time'));
    const lasted = endedAt - first;
    // Detaching takes its time: what began in it is not the job's.
    if (key === undefined || first === 0n || lasted <= 0n) continue;
    if (lasted < BigInt(unended.minimumNs) || lasted > BigInt(unended.maximumNs)) continue;
    const weights = shape.weights.map(({ name }) =>
      name === unended.duration ? lasted : name === counts ? 1n : 0n,
    );
    yield { key, first, weights };
  }
}

/** Kernel frames without those of the program that took the stack and of the hook it ran from: they are not the traced one's. */
function withoutTracer(innermostFirst: Frame[]): Frame[] {
  const own =
    /^(bpf_prog_|bpf_trace_run|bpf_trampoline_|__bpf_trace_|__traceiter_|bpf_get_stack|bpf_overflow_handler)/;
  const first = innermostFirst.findIndex(({ name }) => !own.test(name));
  return first < 0 ? [] : innermostFirst.slice(first);
}

/** Stack id → its addresses, innermost first. The kernel's array is filled up with zeros. */
export function readStacks(map: BpfMap): Map<bigint, BigUint64Array> {
  const { count, keys, values } = map.bytes();
  const stacks = new Map<bigint, BigUint64Array>();
  if (count === 0) return stacks;
  const ids = words(keys);
  const all = words(values);
  const depth = all.length / count;
  for (let index = 0; index < count; index++) {
    const stack = all.subarray(index * depth, (index + 1) * depth);
    const end = stack.indexOf(0n);
    stacks.set(ids[index] ?? 0n, end < 0 ? stack : stack.subarray(0, end));
  }
  return stacks;
}

function words(bytes: Uint8Array): BigUint64Array {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : Uint8Array.from(bytes);
  return new BigUint64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 8);
}
