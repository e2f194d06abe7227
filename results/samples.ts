// Shapes and rows for tests: small fixed results, one of each shape, and fast-check's arbitrary rows of them. Neighbours: results/*.test.ts.

import fc from 'fast-check';
import type {
  Column,
  EventsShape,
  HistogramShape,
  Owner,
  ResultMeta,
  Row,
  Shape,
  StackFrame,
  StacksShape,
  TableShape,
  Value,
} from './shape.ts';

export const process: Column = { name: 'process', type: 'text', description: "The process's name" };
export const pid: Column = {
  name: 'pid',
  type: 'integer',
  description: "The process's id as the host sees it",
};

export const tableShape: TableShape = {
  kind: 'table',
  keys: [process, { name: 'syscall', type: 'text', description: 'The system call' }],
  values: [
    { name: 'calls', type: 'integer', unit: 'calls', description: 'How often', fold: 'sum' },
    { name: 'timeNs', type: 'integer', unit: 'ns', description: 'Time in it', fold: 'sum' },
    { name: 'longestNs', type: 'integer', unit: 'ns', description: 'The longest call', fold: 'max' },
    { name: 'shortestNs', type: 'integer', unit: 'ns', description: 'The shortest call', fold: 'min' },
  ],
  sort: 'timeNs',
};

export const histogramShape: HistogramShape = {
  kind: 'histogram',
  keys: [process],
  value: { name: 'latencyNs', type: 'integer', unit: 'ns', description: 'Time from runnable to running' },
  scale: { kind: 'log2' },
};

export const stacksShape: StacksShape = {
  kind: 'stacks',
  keys: [process, pid],
  weights: [{ name: 'samples', type: 'integer', unit: 'samples', description: 'Samples', fold: 'sum' }],
};

export const eventsShape: EventsShape = {
  kind: 'events',
  columns: [
    { name: 'time', type: 'time', description: 'When the call returned' },
    process,
    pid,
    { name: 'path', type: 'text', description: 'The path', sensitive: 'path' },
    { name: 'arguments', type: 'textList', description: 'Its arguments', sensitive: 'arguments' },
    { name: 'error', type: 'text', description: "The errno's name", optional: true },
  ],
};

export const shapes: readonly Shape[] = [tableShape, histogramShape, stacksShape, eventsShape];

/** 2026-11-24T10:00:00Z. */
export const start = 1_795_514_400_000_000_000n;

const api: Owner = { node: 'blue-1', namespace: 'shop', pod: 'checkout-7d', container: 'api' };
const worker: Owner = { node: 'blue-2', namespace: null, pod: null, container: 'worker' };

/** The head of a result, but for what is said. */
export function metaOf(shape: Shape, trace: string, more: Partial<ResultMeta> = {}): ResultMeta {
  return {
    job: { name: 'checkout', namespace: 'shop', uid: '6a1f6a9e-0000-4000-8000-000000000001' },
    trace: { name: trace, parameters: { frequencyHz: 99 } },
    startTime: start,
    completionTime: start + 10_000_000_000n,
    ended: 'Duration',
    shape,
    owners: [api, worker],
    events: {
      seen: 12_345n,
      recorded: 12_300n,
      lost: 45n,
      sampledBy: 1,
      losses: [{ owner: worker, reason: 'RingFull', count: 45n }],
    },
    overhead: {
      programsCpuNs: 61_725_000n,
      agentCpuNs: 20_000_000n,
      memoryBytes: 34_000_000n,
      hits: 12_345n,
    },
    attached: [
      { node: 'blue-1', program: 'on_exit', hook: 'tracepoint syscalls:sys_exit' },
      { node: 'blue-2', program: 'on_exit', hook: 'tracepoint syscalls:sys_exit' },
    ],
    warnings: [{ node: 'blue-2', reason: 'SymbolsMissing', message: '/app/worker is stripped' }],
    ...more,
  };
}

function keyOf(owner: Owner): Value[] {
  return [owner.node, owner.namespace, owner.pod, owner.container];
}

const user = (name: string): StackFrame => ({ name, kind: 'user', module: '/app/api' });

/** Fixed rows, sorted as a run is, with text that attacks each encoder. */
export function sampleRows(kind: Shape['kind']): Row[] {
  if (kind === 'table')
    return [
      {
        kind: 'table',
        key: [...keyOf(api), '=cmd|calc', 'read'],
        value: [10n, 5_000_000n, 900_000n, 1_000n],
      },
      {
        kind: 'table',
        key: [...keyOf(api), 'a,"b"\n', 'futex'],
        value: [2n, 8_000_000n, 7_000_000n, 1_000_000n],
      },
      {
        kind: 'table',
        key: [...keyOf(worker), 'evil\u001b[31m', 'read'],
        value: [3n, (1n << 63n) + 1n, 1n, 0n],
      },
    ];
  if (kind === 'histogram')
    return [
      {
        kind: 'histogram',
        key: [...keyOf(api), 'api'],
        value: {
          buckets: [
            [0, 1n],
            [12, 40n],
            [13, 100n],
            [15, 7n],
          ],
          total: 1_400_000n,
        },
      },
      {
        kind: 'histogram',
        key: [...keyOf(worker), 'worker'],
        value: { buckets: [[20, 3n]], total: 4_000_000n },
      },
    ];
  if (kind === 'stacks')
    return [
      {
        kind: 'stacks',
        key: [...keyOf(api), 'api', 4242],
        frames: [user('main.main'), user('main.handle'), user('encoding/json.Unmarshal')],
        value: [41n],
      },
      {
        kind: 'stacks',
        key: [...keyOf(api), 'api', 4242],
        frames: [
          user('main.main'),
          { name: 'main.hash', kind: 'user', module: '/app/api', file: '/src/hash.go', line: 12 },
          { name: 'rotl;32\n', kind: 'inlined', module: '/app/api', file: '/src/rot.go', line: 3 },
        ],
        value: [29n],
      },
      {
        kind: 'stacks',
        key: [...keyOf(worker), 'node', 77],
        frames: [
          { name: 'JS:*parse /app/src/index.js:10:5', kind: 'jit' },
          { name: 'do_syscall_64', kind: 'kernel' },
        ],
        value: [30n],
      },
    ];
  return [
    {
      kind: 'events',
      key: [start + 1n, ...keyOf(api)],
      value: ['api', 4242, '/etc/passwd', ['cat', '/etc/passwd'], null],
    },
    {
      kind: 'events',
      key: [start + 2_000_000_000n, ...keyOf(worker)],
      value: ['wor\u202eker', 77, '/secret/\u001b]0;x\u0007', [], 'ENOENT'],
    },
  ];
}

/** All items of a stream; Array.fromAsync, which TypeScript's library does not have yet. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const text = fc.oneof(
  fc.constantFrom('api', 'worker', '', 'é', '\u{1f600}', '\uffff', '\ud800', '\n', '=1'),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const count = fc.oneof(fc.bigInt({ min: 0n, max: 20n }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));
const integer = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.bigInt({ min: 1n << 53n, max: 1n << 64n }));
const owner = fc.tuple(
  fc.constantFrom('blue-1', 'blue-2'),
  fc.option(fc.constant('shop')),
  fc.option(fc.constantFrom('a', 'b')),
  fc.option(text),
);
const frame: fc.Arbitrary<StackFrame> = fc
  .record({
    name: text,
    kind: fc.constantFrom('user', 'kernel', 'jit', 'inlined') satisfies fc.Arbitrary<StackFrame['kind']>,
    module: fc.option(fc.constantFrom('/a', '/b'), { nil: undefined }),
    line: fc.option(fc.nat({ max: 3 }), { nil: undefined }),
  })
  .map(({ name, kind, module, line }) => ({
    name,
    kind,
    ...(module === undefined ? {} : { module }),
    ...(line === undefined ? {} : { line }),
  }));
const buckets = fc
  .uniqueArray(fc.tuple(fc.nat({ max: 63 }), count), { selector: ([index]) => index, maxLength: 4 })
  .map((pairs) => pairs.sort(([a], [b]) => a - b));

/** Any row of one of `shapes`, with keys that often meet. */
export function arbitraryRow(kind: Shape['kind']): fc.Arbitrary<Row> {
  if (kind === 'table')
    return fc
      .record({ owner, key: fc.tuple(text, text), value: fc.tuple(count, count, count, count) })
      .map((row) => ({ kind, key: [...row.owner, ...row.key], value: row.value }));
  if (kind === 'histogram')
    return fc.record({ owner, key: fc.tuple(text), buckets, total: count }).map((row) => ({
      kind,
      key: [...row.owner, ...row.key],
      value: { buckets: row.buckets, total: row.total },
    }));
  if (kind === 'stacks')
    return fc
      .record({
        owner,
        key: fc.tuple(text, integer),
        frames: fc.array(frame, { maxLength: 3 }),
        value: fc.tuple(count),
      })
      .map((row) => ({ kind, key: [...row.owner, ...row.key], frames: row.frames, value: row.value }));
  return fc
    .record({
      time: fc.bigInt({ min: start, max: start + 5n }),
      owner,
      value: fc.tuple(text, integer, text, fc.array(text, { maxLength: 2 }), fc.option(text)),
    })
    .map((row) => ({ kind: 'events' as const, key: [row.time, ...row.owner], value: row.value }));
}

/** Any head of one job, as a node could send it. */
export function arbitraryMeta(shape: Shape): fc.Arbitrary<ResultMeta> {
  const someOwner: fc.Arbitrary<Owner> = owner.map(([node, namespace, pod, container]) => ({
    node,
    namespace,
    pod,
    container,
  }));
  const nodeText = fc.constantFrom('blue-1', 'blue-2');
  return (
    fc
      .record({
        startTime: count,
        completionTime: count,
        ended: fc.constantFrom<ResultMeta['ended']>('Duration', 'Budget', 'Failed', 'Stopped'),
        owners: fc.array(someOwner, { maxLength: 3 }),
        events: fc.record({
          seen: count,
          recorded: count,
          lost: count,
          sampledBy: fc.nat({ max: 8 }),
          losses: fc.array(
            fc.record({
              owner: someOwner,
              reason: fc.constantFrom('RingFull' as const, 'Budget' as const),
              count,
            }),
            { maxLength: 3 },
          ),
        }),
        overhead: fc.record({ programsCpuNs: count, agentCpuNs: count, memoryBytes: count, hits: count }),
        attached: fc.array(fc.record({ node: nodeText, program: text, hook: text }), { maxLength: 2 }),
        warnings: fc.array(fc.record({ node: nodeText, reason: text, message: text }), { maxLength: 2 }),
      })
      // fast-check's records have no prototype at times; what comes from files has.
      .map((part) => structuredClone({ ...metaOf(shape, 'sample'), ...part }))
  );
}
