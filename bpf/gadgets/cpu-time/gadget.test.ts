import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { trace } from '../../../test/support/trace.ts';
import { workload } from '../../../test/support/workload.ts';

const folder = mkdtempSync(join(tmpdir(), 'sonde-time-'));
after(() => rmSync(folder, { recursive: true }));
const queues = await workload('queues');

const total = (rows: Record<string, unknown>[]): number =>
  rows.reduce((sum, row) => sum + Number(row.total), 0);

test('the turns on a CPU add up to the CPU time that the kernel accounts; a neighbour is in none', async () => {
  const traced = await trace('cpu-time', {
    inside: [[queues, '4', '1', '50', join(folder, 'said')]],
    outside: ['/usr/bin/taskset', '1', queues, '1', '0.1', '5', join(folder, 'neighbour')],
  });
  assert.equal(traced.meta.events.lost, 0n);
  const ratio = total(traced.rows) / traced.cpuNs;
  assert.ok(Math.abs(ratio - 1) < 0.05, `${ratio} times what the kernel says`);
});

test('times off the CPU are as long as the sleep', async () => {
  const traced = await trace('cpu-time', {
    parameters: { time: 'OffCpu', minimumNs: 250_000_000 },
    inside: [['/bin/sleep', '0.3']],
  });
  const off = total(traced.rows);
  // The timer runs from a little before the thread leaves its CPU.
  assert.ok(off >= 280_000_000 && off < 400_000_000, `${off} ns`);
});

test('by process, each has a histogram of its own', async () => {
  const traced = await trace('cpu-time', {
    parameters: { byProcess: true, time: 'OffCpu', minimumNs: 150_000_000 },
    inside: [
      ['/bin/sleep', '0.2'],
      ['/bin/sleep', '0.2'],
    ],
  });
  const pids = new Set(traced.rows.map((row) => String(row.key)));
  assert.equal(pids.size, 2);
});
