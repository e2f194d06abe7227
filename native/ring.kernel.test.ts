// Rings on this kernel: order, losses, completions, hostile records, a reader that does not take batches. Figures: test/bench.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, test } from 'node:test';
import { scaled } from '../test/support/workload.ts';
import type { Batch, BatchColumn, BpfObject, BtfValue, RingReader, RingReaderOptions } from './api.ts';
import { native } from './index.ts';
import { testObject } from './test-object.ts';

const path = await testObject('ring');
const getgid = process.arch === 'arm64' ? 176n : 104n;
const write = process.arch === 'arm64' ? 64n : 1n;
const opened: BpfObject[] = [];
after(() => {
  for (const object of opened) object.close();
});

function load(variables: Record<string, BtfValue>, ringBytes?: number): BpfObject {
  const object = native.openObject(path);
  opened.push(object);
  for (const [name, value] of Object.entries({ target: process.pid, syscall: getgid, ...variables }))
    object.setVariable(name, value);
  if (ringBytes) object.setMaxEntries('events', ringBytes);
  object.setAutoload('write_records', true);
  object.load();
  object.attach('write_records');
  return object;
}

function read(
  object: BpfObject,
  options: Partial<RingReaderOptions> = {},
): { reader: RingReader; batches: Batch[] } {
  const batches: Batch[] = [];
  const reader = native.readRing(object, {
    ring: 'events',
    record: 'event',
    onBatch: (batch) => batches.push(batch),
    onError: (error) => assert.fail(error),
    ...options,
  });
  return { reader, batches };
}

function numbers(batch: Batch, name: string): (number | bigint)[] {
  const column = batch.columns[name];
  assert.ok(column && (column.kind === 'unsigned' || column.kind === 'signed'), name);
  return [...column.values];
}

function texts(batch: Batch, name: string): string[] {
  const column: BatchColumn | undefined = batch.columns[name];
  assert.ok(column?.kind === 'text', name);
  const { offsets, bytes } = column;
  return Array.from({ length: batch.rows }, (_, i) =>
    Buffer.from(bytes.slice(offsets[i], offsets[i + 1])).toString(),
  );
}

/** One record per call, or per_call of them, with room to breathe for the reader. */
async function callGetgid(calls: number): Promise<void> {
  for (let i = 0; i < calls; i++) {
    process.getgid?.();
    if (i % 500 === 499) await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a million records come in order, none lost, each column right', async () => {
  const object = load({ per_call: 100 });
  let next = 0n;
  let late = 0;
  let rows = 0;
  let wrong = 0;
  let first: Batch | undefined;
  const { reader } = read(object, {
    onBatch: (batch) => {
      first ??= batch;
      rows += batch.rows;
      late += batch.late;
      const column = batch.columns.sequence;
      assert.ok(column?.kind === 'unsigned' && column.values instanceof BigUint64Array);
      for (const value of column.values) if (value !== next++) wrong++;
    },
  });
  const calls = scaled(10_000);
  await callGetgid(calls);
  await reader.stop();
  assert.deepEqual({ rows, wrong, late }, { rows: calls * 100, wrong: 0, late: 0 });
  assert.equal(object.getVariable('lost'), 0n);
  const counters = reader.counters();
  assert.equal(counters.records, calls * 100);
  assert.equal(counters.pending, 0);
  // Emulated, in a guest, a record takes twenty times longer, and on a busy machine more.
  const limit = process.env.SONDE_GUEST === undefined ? 1000 : 100_000;
  assert.ok(
    counters.cpuNanoseconds / counters.records < limit,
    `${counters.cpuNanoseconds} ns for ${counters.records}`,
  );

  assert.ok(first);
  const names =
    'time container id kind sequence process_pid process_container_pid process_name result flag address path';
  assert.deepEqual(Object.keys(first.columns), names.split(' '));
  assert.deepEqual(numbers(first, 'result').slice(0, 3), [0, -1, -2]);
  assert.deepEqual(numbers(first, 'process_pid').slice(0, 2), [process.pid, process.pid]);
  assert.deepEqual(texts(first, 'path').slice(0, 2), [
    'aaaaaaaaaaaaaaaa\0\0\0\0',
    'baaaaaaaaaaaaaaa\0\0\0\0',
  ]);
  assert.equal(texts(first, 'process_name')[0], 'MainThread');
  const address = first.columns.address;
  assert.ok(address?.kind === 'bytes' && address.width === 3);
  assert.deepEqual([...address.bytes.slice(0, 9)], [0, 0, 0, 1, 0, 0, 2, 0, 0]);
  const { monotonic } = native.clocks();
  const times = numbers(first, 'time').map(BigInt);
  assert.ok(times.every((time, i) => time <= monotonic && time >= (times[i - 1] ?? 0n)));
});

test('what another process writes as fast as it can is all there', async () => {
  const child = spawn(
    'sh',
    ['-c', 'read go; exec dd if=/dev/zero of=/dev/null bs=1 count=500000 status=none'],
    {
      stdio: ['pipe', 'inherit', 'inherit'],
    },
  );
  const object = load({ target: child.pid ?? 0, syscall: write });
  const { reader, batches } = read(object);
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.stdin?.end('go\n');
  await ended;
  await reader.stop();
  const written = object.getVariable('sequence');
  assert.ok(typeof written === 'bigint' && written >= 500_000n);
  const sequence = batches.flatMap((batch) => numbers(batch, 'sequence'));
  assert.equal(BigInt(sequence.length), written);
  assert.ok(sequence.every((value, i) => value === BigInt(i)));
  assert.equal(object.getVariable('lost'), 0n);
});

test('completions complete their record by id; rows without one are given out at the end', async () => {
  const object = load({ per_call: 10, complete_every: 4 });
  const { reader, batches } = read(object, { completion: 'completion' });
  await callGetgid(100);
  await reader.stop();
  const rows = batches.flatMap((batch) => {
    const [id, completed, duration, code] = ['id', 'completed', 'duration', 'exit_code'].map((n) =>
      numbers(batch, n),
    );
    return (id ?? []).map((value, i) => ({
      id: value,
      completed: completed?.[i],
      duration: duration?.[i],
      code: code?.[i],
    }));
  });
  assert.equal(rows.length, 1000);
  assert.equal(rows.filter((row) => row.completed === 1).length, 250);
  for (const { id, completed, duration, code } of rows) {
    const done = BigInt(id) % 4n === 0n;
    assert.deepEqual(
      { completed, duration, code },
      done ? { completed: 1, duration: BigInt(id) * 2n, code: 3 } : { completed: 0, duration: 0n, code: 0 },
    );
  }
});

test('text that points outside its record is cut off at its end', async () => {
  const object = load({ hostile: true, per_call: 100, path_length: 32 });
  const { reader, batches } = read(object);
  await callGetgid(10);
  await reader.stop();
  const all = batches.flatMap((batch) => texts(batch, 'path'));
  assert.equal(all.length, 1000);
  all.forEach((text, i) => {
    assert.equal(text.length, Math.max(0, 32 - (i % 512)), `row ${i}`);
  });
});

test('maxRows bounds every batch, flushMs the wait for one', async () => {
  const object = load({ per_call: 100 });
  const start = performance.now();
  let first = 0;
  const sizes: number[] = [];
  const onBatch = (batch: Batch) => {
    first ||= performance.now() - start;
    sizes.push(batch.rows);
  };
  const { reader } = read(object, { maxRows: 64, flushMs: 60, onBatch });
  process.getgid?.();
  while (!first && performance.now() - start < 5000) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(first < 2000, `the first batch came after ${first} ms`);
  await reader.stop();
  // Mostly 64 and 36; the moment of giving out may cut them once more.
  assert.ok(sizes.every((size) => size <= 64));
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    100,
  );
});

test('while nobody takes batches memory stays bounded, and what the ring has no room for is counted by the program', async () => {
  const object = load({ per_call: 1000, path_length: 256 }, 1 << 20);
  const { reader, batches } = read(object);
  // The main thread does not turn: 400,000 records of 352 bytes, 140 MB.
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 400; i++) {
    process.getgid?.();
    const end = performance.now() + 2;
    while (performance.now() < end);
  }
  const grown = process.memoryUsage().rss - before;
  await reader.stop();
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  const lost = object.getVariable('lost');
  assert.ok(typeof lost === 'bigint' && lost > 0n);
  assert.equal(BigInt(rows) + lost, 400_000n);
  assert.ok(grown < 80e6, `grew by ${grown} bytes`);
});

test('an error in onBatch reaches onError, and reading goes on', async () => {
  const object = load({});
  const errors: Error[] = [];
  let calls = 0;
  const reader = native.readRing(object, {
    ring: 'events',
    record: 'event',
    maxRows: 1,
    flushMs: 1,
    onBatch: () => {
      calls++;
      if (calls === 1) throw new Error('first');
    },
    onError: (error) => errors.push(error),
  });
  process.getgid?.();
  process.getgid?.();
  await reader.stop();
  await reader.stop();
  assert.equal(calls, 2);
  assert.deepEqual(
    errors.map((e) => e.message),
    ['first'],
  );
});

test('a record or ring that is not there is refused by name', () => {
  const object = load({});
  assert.throws(() => read(object, { record: 'nope' }), /no struct nope/);
  assert.throws(() => read(object, { ring: 'nope' }), /no map nope/);
  assert.throws(() => read(object, { ring: 'scratch' }), /not a ring buffer/);
  assert.throws(
    () => read(object, { record: 'process' }),
    /struct process needs an unsigned member time of 64 bits/,
  );
});

test('an idle reader costs next to nothing', async () => {
  const object = load({ target: 1, syscall: 99999n });
  const { reader } = read(object);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await reader.stop();
  // Emulated, in a guest, its hundred looks take twenty times longer.
  const limit = process.env.SONDE_GUEST === undefined ? 10e6 : 100e6;
  const { cpuNanoseconds } = reader.counters();
  assert.ok(cpuNanoseconds < limit, `${cpuNanoseconds} ns in half a second`);
});
