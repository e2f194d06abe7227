// Results as large and as hostile as real ones, made from nothing: what the tests of report.html and flamegraph.svg render.
// Neighbours: results/samples.ts has the small fixed ones, and what all of them begin with.

import { metaOf, pid, process, start } from '../samples.ts';
import type {
  EventsShape,
  HistogramShape,
  Owner,
  ResultMeta,
  Row,
  Shape,
  StackFrame,
  StacksShape,
  TableShape,
} from '../shape.ts';
import { type ResultView, viewOfRows } from '../view.ts';

/** Every trick that a name can try: markup, an end of script, attribute quotes, terminal and bidi controls, half a surrogate pair. */
export const hostileName =
  '</script><img src=x onerror="document.title=\'pwned\'">]]>&amp;\'"\u001b[31m\u202egnp.exe\u0000\ud800\ufffe<!--';

export const owners: Owner[] = [
  { node: 'blue-1', namespace: 'shop', pod: 'checkout-7d9f4', container: 'api' },
  { node: 'blue-1', namespace: 'shop', pod: 'checkout-7d9f4', container: 'sidecar' },
  { node: 'blue-2', namespace: 'shop', pod: 'checkout-x2k8p', container: 'api' },
];

/** A repeatable stream of numbers in [0, 1). */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

function meta(shape: Shape, trace: string, more: Partial<ResultMeta> = {}): ResultMeta {
  return metaOf(shape, trace, {
    job: { name: 'checkout-cpu', namespace: 'shop', uid: '6a1f6a9e-0000-4000-8000-000000000001' },
    completionTime: start + 60_000_000_000n,
    owners,
    events: { seen: 184_302n, recorded: 184_302n, lost: 0n, sampledBy: 1, losses: [] },
    overhead: {
      programsCpuNs: 91_220_000n,
      agentCpuNs: 412_900_000n,
      memoryBytes: 41_943_040n,
      hits: 1_190_211n,
    },
    attached: [
      { node: 'blue-1', program: 'on_sample', hook: 'perf_event cpu-clock 99 Hz' },
      { node: 'blue-2', program: 'on_sample', hook: 'perf_event cpu-clock 99 Hz' },
      { node: 'blue-1', program: 'on_mkdir', hook: 'tp_btf/cgroup_mkdir' },
    ],
    warnings: [],
    ...more,
  });
}

/** A head with losses, sampling and warnings. */
export const troubled: Partial<ResultMeta> = {
  ended: 'Budget',
  events: {
    seen: 250_000n,
    recorded: 230_500n,
    lost: 19_500n,
    sampledBy: 4,
    losses: [
      { owner: owners[0] as Owner, reason: 'RingFull', count: 19_000n },
      { owner: owners[2] as Owner, reason: 'Budget', count: 500n },
    ],
  },
  warnings: [
    {
      node: 'blue-2',
      reason: 'SymbolsMissing',
      message: `no symbols in /app/server (stripped); ${hostileName}`,
    },
  ],
};

const stacksShape: StacksShape = {
  kind: 'stacks',
  keys: [process, pid],
  weights: [
    { name: 'samples', type: 'integer', unit: 'samples', description: 'Samples on a CPU', fold: 'sum' },
    { name: 'cpuNs', type: 'integer', unit: 'ns', description: 'CPU time', fold: 'sum' },
  ],
};

const user = (name: string, module = '/app/server', file?: string, line?: number): StackFrame => {
  const frame: StackFrame = { name, kind: 'user', module };
  if (file !== undefined) frame.file = file;
  if (line !== undefined) frame.line = line;
  return frame;
};
const kernel = (name: string): StackFrame => ({ name, kind: 'kernel', module: 'vmlinux' });
const inlined = (name: string): StackFrame => ({
  name,
  kind: 'inlined',
  module: '/app/server',
  file: 'json.go',
  line: 88,
});
const jit = (name: string): StackFrame => ({ name, kind: 'jit', module: 'perf map' });

function stackRow(owner: number, name: string, id: number, frames: StackFrame[], weight: number): Row {
  const { node, namespace, pod, container } = owners[owner] as Owner;
  return {
    kind: 'stacks',
    key: [node, namespace, pod, container, name, id],
    frames,
    value: [BigInt(weight), BigInt(weight) * 10_101_010n],
  };
}

/** 1,000 samples: 750 in api on blue-1 (600 of them through decode), 150 in node, 100 in api on blue-2. */
export function smallStacks(more: Partial<ResultMeta> = {}): ResultView {
  const base = [user('_start', 'libc.so.6'), user('main', '/app/server', 'main.go', 12)];
  const handle = [...base, user('http.serve', '/app/server', 'http.go', 301)];
  const decode = [...handle, user('json.decode', '/app/server', 'json.go', 41)];
  return viewOfRows(meta(stacksShape, 'cpu-profile', more), [
    stackRow(0, 'server', 4242, [...decode, inlined('json.scan')], 450),
    stackRow(0, 'server', 4242, [...decode, user('json.decode', '/app/server', 'json.go', 77)], 50),
    stackRow(0, 'server', 4242, [...decode, user('memcpy', 'libc.so.6')], 100),
    stackRow(0, 'server', 4242, [...handle, kernel('entry_SYSCALL_64'), kernel('ksys_write')], 140),
    stackRow(0, hostileName, 4243, [...base, user(hostileName, hostileName)], 10),
    stackRow(1, 'node', 77, [...base, jit('LazyCompile:*render app.js:10'), jit('JS:~escape')], 150),
    stackRow(2, 'server', 555, [...handle, user('log.write')], 100),
  ]);
}

/** Many distinct stacks, up to 60 deep, as a busy server has them. */
export function largeStacks(count: number): ResultView {
  const random = numbers(7);
  const rows: Row[] = [];
  for (let i = 0; i < count; i++) {
    const frames: StackFrame[] = [user('_start', 'libc.so.6'), user('main')];
    const depth = 6 + Math.floor(random() * 54);
    let path = 0;
    for (let level = 0; level < depth; level++) {
      path = path * 3 + Math.floor(random() ** 3 * 4);
      const module = path % 3 === 0 ? '/app/server' : `lib${path % 7}.so`;
      frames.push(
        path % 11 === 4 ? inlined(`inline_${path % 1000}`) : user(`function_${level}_${path % 997}`, module),
      );
    }
    if (random() < 0.3) frames.push(kernel('entry_SYSCALL_64'), kernel(`vfs_${Math.floor(random() * 9)}`));
    rows.push(stackRow(i % 3, 'server', 4242 + (i % 3), frames, 1 + Math.floor(1 / (random() + 0.001))));
  }
  return viewOfRows(meta(stacksShape, 'cpu-profile'), rows);
}

const tableShape: TableShape = {
  kind: 'table',
  keys: [process, pid, { name: 'syscall', type: 'text', description: 'The system call' }],
  values: [
    { name: 'calls', type: 'integer', unit: 'calls', description: 'How often it was called', fold: 'sum' },
    { name: 'timeNs', type: 'integer', unit: 'ns', description: 'Time in it, in all', fold: 'sum' },
    { name: 'longestNs', type: 'integer', unit: 'ns', description: 'The longest call', fold: 'max' },
    { name: 'readBytes', type: 'integer', unit: 'bytes', description: 'Bytes read', fold: 'sum' },
  ],
  sort: 'timeNs',
};

const calls = [
  'read',
  'write',
  'futex',
  'epoll_wait',
  'openat',
  'close',
  'mmap',
  'recvmsg',
  'sendmsg',
  'nanosleep',
];

/** Rows of a table. Row 0 is the greatest and holds integers past 2^53; row 1 is hostile. */
export function table(count: number, more: Partial<ResultMeta> = {}): ResultView {
  const random = numbers(3);
  const rows = Array.from({ length: count }, (_, i): Row => {
    const { node, namespace, pod, container } = owners[i % 3] as Owner;
    const name = i === 1 ? hostileName : `worker-${i % 40}`;
    const many = BigInt(Math.floor(1 + (count - i) * 20 * (0.5 + random())));
    const time = i === 0 ? 9_007_199_254_740_993n : many * BigInt(Math.floor(400 + random() * 90_000));
    const call = calls[Math.floor(i / 3) % calls.length] ?? '';
    return {
      kind: 'table',
      key: [node, namespace, pod, container, name, 1000 + i, call],
      value: [many, time, time / 7n, call === 'read' ? many * 4096n : 0n],
    };
  });
  return viewOfRows(meta(tableShape, 'syscall-counts', more), rows);
}

const histogramShape: HistogramShape = {
  kind: 'histogram',
  keys: [process],
  value: { name: 'latencyNs', type: 'integer', unit: 'ns', description: 'Time from runnable to running' },
  scale: { kind: 'log2' },
};

/** `count` keys whose latencies scatter about a middle of their own. The first has exactly 4 values: 3 in [1024, 2048), 1 in [4096, 8192). */
export function histograms(count: number, more: Partial<ResultMeta> = {}): ResultView {
  const random = numbers(11);
  const rows = Array.from({ length: count }, (_, i): Row => {
    const { node, namespace, pod, container } = owners[i % 3] as Owner;
    const name = i === 0 ? 'exactly-four' : i === 1 ? hostileName : `worker-${i}`;
    const key = [node, namespace, pod, container, name];
    if (i === 0) {
      const buckets: [number, bigint][] = [
        [10, 3n],
        [12, 1n],
      ];
      return { kind: 'histogram', key, value: { buckets, total: 9000n } };
    }
    const middle = 11 + random() * 5;
    const buckets: [number, bigint][] = [];
    let total = 0n;
    for (let bucket = 8; bucket < 27; bucket++) {
      const near = Math.exp(-((bucket - middle) ** 2) / 4) + 0.002 * random();
      const value = BigInt(Math.floor(9000 * near * (1 + random() * 0.3)));
      if (value === 0n) continue;
      buckets.push([bucket, value]);
      total += value * BigInt(Math.floor(1.4 * 2 ** bucket));
    }
    return { kind: 'histogram', key, value: { buckets, total } };
  });
  return viewOfRows(meta(histogramShape, 'run-queue-latency', more), rows);
}

const eventsShape: EventsShape = {
  kind: 'events',
  columns: [
    { name: 'time', type: 'time', description: 'When the call returned' },
    process,
    pid,
    { name: 'path', type: 'text', description: 'The path as the process gave it', sensitive: 'path' },
    { name: 'flags', type: 'text', description: 'How it was opened' },
    { name: 'descriptor', type: 'integer', description: 'What it got', optional: true },
    { name: 'error', type: 'text', description: "The errno's name", optional: true },
    { name: 'durationNs', type: 'integer', unit: 'ns', description: 'Time in the call' },
  ],
};

/** A view whose events are made while they are read. Event 5 is hostile; every fourth fails with ENOENT. */
export function events(count: number, more: Partial<ResultMeta> = {}): ResultView {
  const head = meta(eventsShape, 'open-files', more);
  return {
    meta: head,
    async *rows() {
      const random = numbers(5);
      for (let i = 0; i < count; i++) {
        const { node, namespace, pod, container } = owners[i % 3] as Owner;
        const wave = (i + 0.4 * count * Math.sin((6 * i) / count) * 0.3) / count;
        const time = start + BigInt(Math.floor(60e9 * Math.min(0.999, Math.max(0, wave))));
        const failed = i % 4 === 3;
        const path = i === 5 ? `/tmp/${hostileName}` : `/srv/data/${i % 97}/file-${i}.json`;
        yield {
          kind: 'events',
          key: [time, node, namespace, pod, container],
          value: [
            i % 5 === 0 ? 'nginx' : 'server',
            4000 + (i % 5),
            path,
            'O_RDONLY|O_CLOEXEC',
            failed ? null : 3 + (i % 60),
            failed ? 'ENOENT' : null,
            BigInt(Math.floor(900 + 40_000 * random() ** 8)),
          ],
        };
      }
    },
  };
}
