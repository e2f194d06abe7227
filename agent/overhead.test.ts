import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BpfObject, Native } from '../native/api.ts';
import { machineScale, startMeter } from './overhead.ts';

/** A machine whose lookups take so long, and whose clocks stand where they are put. */
function machine(lookupNs: number) {
  const at = { monotonic: 0n, cpu: 0n, hits: 0n, scoped: 0n };
  const native = {
    lookupTime: () => lookupNs,
    cpuTime: () => at.cpu,
    clocks: () => ({ monotonic: at.monotonic, realtime: 0n }),
  } as unknown as Native;
  const object = {
    map: () => ({ get: () => ({ hits: at.hits, scoped: at.scoped, skipped: 0n }) }),
    memory: () => 4096,
  } as unknown as BpfObject;
  return { at, native, object };
}

const cost = { outsideNs: 100, insideNs: 1000 };

test('programs cost their hits inside and outside the scope, the agent its CPU time; both together are the cores in use', () => {
  const { at, native, object } = machine(19.5);
  const meter = startMeter(native, object, cost);
  Object.assign(at, { monotonic: 1_000_000n, cpu: 50_000n, hits: 110n, scoped: 10n });
  const { programsCpuNs, agentCpuNs, cpu, memoryBytes } = meter.measure();
  meter.close();
  assert.deepEqual([programsCpuNs, agentCpuNs], [20_000n, 50_000n]);
  assert.ok(memoryBytes >= 4096n);
  assert.equal(cpu, 0.07);
});

test('sessions in one process share its CPU time', () => {
  const { at, native, object } = machine(19.5);
  const meters = [startMeter(native, object, cost), startMeter(native, object, cost)];
  Object.assign(at, { monotonic: 1000n, cpu: 600n });
  assert.deepEqual(
    meters.map((meter) => meter.measure().agentCpuNs),
    [300n, 300n],
  );
  for (const meter of meters) meter.close();
});

test('a machine that is slower by half has hits that cost twice as much; one that can not be measured is the reference', () => {
  assert.equal(machineScale(machine(39).native), 2);
  assert.equal(machineScale(machine(0).native), 1);
});
