// Objects joined in memory: what is in each is in the result, and what is not there is told. Programs run by hand; a per-CPU map's values by CPU.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { native } from './index.ts';
import { testObject } from './test-object.ts';

const runtime = await testObject('runtime');
const values = await testObject('values');

test('the parts may be paths and bytes; programs, maps and variables of all are there', () => {
  const before = native.held();
  const object = native.openLinked([runtime, readFileSync(values)]);
  assert.ok(object.programs.some(({ name }) => name === 'count_calls'));
  for (const name of ['pairs', 'percpu']) assert.ok(object.maps.some((map) => map.name === name));
  object.setVariable('step', 3n);
  assert.equal(object.getVariable('neighbour'), 5n);
  object.close();
  assert.deepEqual(native.held(), before);
});

test('a per-CPU value is given for each CPU, in order', () => {
  const object = native.openLinked([runtime, values]);
  object.setVariable('target', process.pid);
  object.setAutoload('count_calls', true);
  object.load();
  const first = { calls: 2n, nanoseconds: 3n, buckets: [1, 0, 0, 4] };
  object.map('percpu').set(0, first);
  const { count, keys, values: stored } = object.map('percpu').bytes({ perCpu: true });
  const cpus = stored.length / 32;
  assert.deepEqual([count, keys.length, Number.isInteger(cpus)], [1, 4, true]);
  const words = new BigUint64Array(stored.slice().buffer);
  for (let cpu = 0; cpu < cpus; cpu++) assert.deepEqual([...words.slice(cpu * 4, cpu * 4 + 2)], [2n, 3n]);
  assert.equal(object.map('percpu').bytes().values.length, 32);
  // The program counts this process only where it runs.
  object.run('count_calls', BigUint64Array.of(1n, 2n));
  const { values: after } = object.map('percpu').bytes({ perCpu: true });
  const calls = new BigUint64Array(after.slice().buffer).filter((_, i) => i % 4 === 0);
  assert.equal(
    calls.reduce((sum, value) => sum + value, 0n),
    2n * BigInt(cpus) + 1n,
  );
  object.close();
});

test('parts that do not fit together say why', () => {
  assert.throws(() => native.openLinked([values, values]), { code: 'InvalidObject', message: /conflicting/ });
  assert.throws(() => native.openLinked(['/no/such/part.o']), { code: 'NotFound' });
  assert.throws(() => native.openLinked([readFileSync(values).subarray(0, 100)]), { code: 'InvalidObject' });
});
