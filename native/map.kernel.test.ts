// Maps on this kernel: single keys, whole reads in batches, draining, sums over CPUs.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { NativeError } from './errors.ts';
import { native } from './index.ts';
import { testObject } from './test-object.ts';

const path = await testObject('values');
const object = native.openObject(path);
object.setAutoload('count_calls', true);
object.setMaxEntries('hash', 20000);
object.setVariable('target', process.pid);
object.load();
after(() => object.close());

const row = (id: number) => ({
  key: { id, name: `name-${id}` },
  value: { calls: BigInt(id), nanoseconds: 2n ** 40n, buckets: [id, 0, 0, 1] },
});

test('keys are set, read and deleted by their members', () => {
  const map = object.map('hash');
  assert.equal(map.get(row(1).key), undefined);
  map.set(row(1).key, row(1).value);
  assert.deepEqual(map.get(row(1).key), row(1).value);
  assert.equal(map.delete(row(1).key), true);
  assert.equal(map.delete(row(1).key), false);
});

test('a map larger than a batch is read whole, each entry once, and drained', () => {
  const map = object.map('hash');
  for (let id = 0; id < 20000; id++) map.set(row(id).key, row(id).value);
  assert.throws(
    () => map.set(row(20000).key, row(20000).value),
    (error) => error instanceof NativeError && error.code === 'Exhausted',
  );
  const raw = map.bytes();
  assert.equal(raw.count, 20000);
  assert.equal(raw.keys.length, 20000 * 16);
  assert.equal(raw.values.length, 20000 * 32);
  const entries = map.entries({ drain: true });
  const ids = new Set(entries.map((e) => (e.key as { id: number }).id));
  assert.equal(entries.length, 20000);
  assert.equal(ids.size, 20000);
  const seven = entries.find((e) => (e.key as { id: number }).id === 7);
  assert.deepEqual(seven, row(7));
  assert.deepEqual(map.entries(), []);
});

test('values of per-CPU maps are sums over the CPUs, in every member', () => {
  const map = object.map('percpu');
  map.set(5, { calls: 3n, nanoseconds: 1n, buckets: [1, 2, 3, 4] });
  const value = map.get(5) as { calls: bigint; buckets: number[] };
  const cpus = value.calls / 3n;
  assert.ok(cpus >= 1n);
  assert.deepEqual(
    value.buckets,
    [1, 2, 3, 4].map((n) => n * Number(cpus)),
  );
  const raw = map.bytes({ drain: true });
  assert.equal(raw.count, 1);
  assert.equal(new BigUint64Array(raw.values.slice().buffer)[0], 3n * cpus);
  assert.deepEqual(map.entries(), []);
});

test('the counts of a program agree with its global counter', () => {
  const link = object.attach('count_calls');
  for (let i = 0; i < 500; i++) process.getgid?.();
  link.close();
  const value = object.map('percpu').get(0) as { calls: bigint; buckets: number[] };
  assert.equal(value.calls, object.getVariable('counted'));
  assert.equal(BigInt(value.buckets[1] ?? 0), value.calls);
});

test('draining an array zeroes it', () => {
  const map = object.map('array');
  map.set(2, 9n);
  const drained = map.entries({ drain: true });
  assert.deepEqual(
    drained.map((e) => e.value),
    [0n, 0n, 9n, 0n],
  );
  assert.deepEqual(map.get(2), 0n);
});

test('an LRU map has the newest entries', () => {
  const map = object.map('lru');
  for (let i = 0n; i < 1000n; i++) map.set(i, Number(i));
  const entries = map.entries();
  assert.ok(entries.length > 0 && entries.length <= 64);
  assert.ok(entries.some((e) => e.key === 999n && e.value === 999));
});

test('maps that are not loaded say so', () => {
  const other = native.openObject(path);
  assert.throws(() => other.map('hash').entries(), /load first/);
  other.close();
});
