import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const folder = mkdtempSync(join(tmpdir(), 'sonde-slow-'));
after(() => rmSync(folder, { recursive: true }));
const said = join(folder, 'said');
const queues = await workload('queues');

test('with no minimum, the waits of four threads that share a CPU add up to what the kernel says', async () => {
  const traced = await trace('run-queue-slow', {
    parameters: { minimumNs: 0 },
    inside: [[queues, '4', '0.5', String(scaled(50)), said]],
    outside: ['/usr/bin/taskset', '1', queues, '1', '0.1', '5', join(folder, 'neighbour')],
  });
  const [waited = 0] = readFileSync(said, 'utf8').split(' ').map(Number);
  const total = traced.rows.reduce((sum, { latencyNs }) => sum + Number(latencyNs), 0);
  assert.equal(traced.meta.events.lost, 0n);
  assert.ok(Math.abs(total / waited - 1) < 0.03, `${total} ns, and the kernel says ${waited}`);
  const own = traced.rows.filter(({ previous }) => previous === 'queues');
  assert.ok(own.length > 0, 'they take the CPU from each other');
});

test('only waits that were long enough', async () => {
  const traced = await trace('run-queue-slow', {
    parameters: { minimumNs: 2_000_000 },
    inside: [[queues, '4', '0.3', '10', said]],
  });
  assert.ok(traced.rows.length > 0);
  assert.ok(traced.rows.every(({ latencyNs }) => Number(latencyNs) >= 2_000_000));
});
