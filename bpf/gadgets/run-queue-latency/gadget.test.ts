import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Traced, trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const folder = mkdtempSync(join(tmpdir(), 'sonde-queue-'));
after(() => rmSync(folder, { recursive: true }));
const said = join(folder, 'said');

const queues = await workload('queues');
const burns = await workload('burns');
const sleeps = scaled(200);

interface HistogramRow {
  key: unknown[];
  buckets: [number, number][];
  total: number;
}

/** All rows of a histogram folded into one. */
function sum(traced: Traced): { count: number; total: number; shortest: number } {
  const rows = traced.rows as unknown as HistogramRow[];
  const buckets = rows.flatMap(({ buckets }) => buckets);
  return {
    count: buckets.reduce((count, [, more]) => count + more, 0),
    total: rows.reduce((sum, { total }) => sum + Number(total), 0),
    shortest: Math.min(...buckets.map(([index]) => index)),
  };
}

const ratio = (one: number, other: number) => Number((one / other).toFixed(4));

test('four threads that share a CPU wait as long and as often as the kernel says and as bpftrace measures; a neighbour is in none', async (t) => {
  const traced = await trace('run-queue-latency', {
    inside: [[queues, '4', '1', String(sleeps), said]],
    outside: ['/usr/bin/taskset', '1', burns, '0.2', '1'],
    // Threads by their name: the current cgroup is not that of who is woken.
    peer: () => `tracepoint:sched:sched_wakeup, tracepoint:sched:sched_wakeup_new /args->comm == "queues"/ { @since[args->pid] = nsecs; }
      tracepoint:sched:sched_switch /args->prev_comm == "queues" && (args->prev_state == 0 || args->prev_state == 256)/ { @since[args->prev_pid] = nsecs; }
      tracepoint:sched:sched_switch /args->next_comm == "queues" && @since[args->next_pid]/ {
        @total = sum(nsecs - @since[args->next_pid]); @count = count(); delete(@since[args->next_pid]); }
      END { clear(@since); }`,
  });
  const [waited = 0, turns = 0] = readFileSync(said, 'utf8').split(' ').map(Number);
  const { count, total } = sum(traced);
  assert.equal(traced.rows.length, 1);
  assert.equal(traced.meta.events.lost, 0n);
  t.diagnostic(
    `${ratio(total, waited)} times the time and ${ratio(count, turns)} times the turns that the kernel says`,
  );
  assert.ok(waited > 2_900_000_000, `four threads of a second on one CPU waited only ${waited} ns`);
  assert.ok(Math.abs(total / waited - 1) < 0.02, `${total} ns, and the kernel says ${waited}`);
  // Each thread ends after it has read its numbers, and may wait once more or twice until then.
  assert.ok(Math.abs(count - turns) < turns * 0.02 + 15, `${count} waits, and the kernel says ${turns}`);
  assert.ok(turns > sleeps);
  if (traced.peer?.total && traced.peer.count) {
    const said = `${ratio(total, traced.peer.total)} times the time and ${ratio(count, traced.peer.count)} times the waits that bpftrace measures`;
    t.diagnostic(said);
    assert.ok(Math.abs(total / traced.peer.total - 1) < 0.03, said);
    assert.ok(Math.abs(count / traced.peer.count - 1) < 0.05, said);
  }
  t.diagnostic(`hooks: ${traced.meta.attached.map(({ hook }) => hook).join(', ')}`);
});

test('by process, each has a histogram of its own', async () => {
  const traced = await trace('run-queue-latency', {
    parameters: { byProcess: true },
    inside: [
      [queues, '2', '0.2', '5', said],
      [queues, '1', '0.1', '5', said],
    ],
  });
  const column = (name: string) =>
    traced.meta.shape.kind === 'histogram'
      ? traced.meta.shape.keys.findIndex((key) => key.name === name)
      : -1;
  const rows = (traced.rows as unknown as HistogramRow[]).filter(
    ({ key }) => key[column('process')] === 'queues',
  );
  assert.equal(rows.length, 2);
  assert.equal(new Set(rows.map(({ key }) => key[column('pid')])).size, 2);
});

test('shorter waits than asked for are left out', async () => {
  const traced = await trace('run-queue-latency', {
    parameters: { minimumNs: 2 ** 20 },
    inside: [[queues, '3', '0.3', '20', said]],
  });
  const { count, shortest } = sum(traced);
  assert.ok(count > 0);
  assert.ok(shortest >= 20, `a wait in bucket ${shortest}`);
});

test('a process tree is followed from its root', async () => {
  const traced = await trace('run-queue-latency', {
    scope: 'process',
    parameters: { byProcess: true, minimumNs: 1000 },
    inside: [[queues, '2', '0.2', '5', said]],
  });
  const rows = traced.rows as unknown as HistogramRow[];
  assert.equal(rows.filter(({ key }) => key.includes('queues')).length, 1);
});
