import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Traced, trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const burns = await workload('burns');
const folder = mkdtempSync(join(tmpdir(), 'sonde-naps-'));
after(() => rmSync(folder, { recursive: true }));
const said = join(folder, 'said');
const naps = scaled(20, 5);
const napNs = 50_000_000;

const through = (traced: Traced, name: string) =>
  traced.rows.filter(({ frames }) => (frames as string[]).includes(name));

/** Without the waits of a nap that lost its CPU on the way to sleep. */
const napsOf = (traced: Traced) => through(traced, 'nap').filter(({ state }) => state !== 'runnable');

const sum = (rows: Traced['rows'], column: string): number =>
  rows.reduce((total, row) => total + Number(row[column]), 0);

test('20 sleeps of 50 ms are 20 waits of a second in the function that slept, as bpftrace measures it; a neighbour is in none', async (t) => {
  const traced = await trace('off-cpu-profile', {
    inside: [[burns, '0', String(naps), said]],
    outside: [burns, '0', '10'],
    peer: (cgroup) => `tracepoint:sched:sched_switch /cgroup == ${cgroup}/ { @start[args->prev_pid] = nsecs; }
      tracepoint:sched:sched_switch /@start[args->next_pid]/ { @off = sum(nsecs - @start[args->next_pid]); delete(@start[args->next_pid]); }`,
  });
  const napping = napsOf(traced);
  assert.equal(sum(napping, 'waits'), naps);
  const slept = sum(through(traced, 'nap'), 'offCpuNs') / Number(readFileSync(said, 'utf8'));
  t.diagnostic(`${slept.toFixed(4)} times the time that the process itself measures`);
  assert.ok(Math.abs(slept - 1) < 0.02, `${slept} times the time that the process itself measures`);
  const asked = sum(napping, 'offCpuNs') / (naps * napNs);
  // An emulated CPU may stand still between the timer's start and the sleep, or after it.
  const [least, most] = process.env.SONDE_GUEST === undefined ? [1, 1.2] : [0.8, 3];
  assert.ok(asked >= least && asked < most, `the naps were ${asked} times as long as asked for`);
  assert.ok(napping.every(({ process, container }) => process === 'burns' && container === 'test'));
  assert.ok(napping.every(({ state }) => state === 'sleeping'));
  assert.equal(new Set(traced.rows.map(({ pid }) => pid)).size, 1);
  assert.equal(traced.meta.events.lost, 0n);
  const off = traced.peer?.off;
  if (off === undefined) return;
  const ratio = sum(traced.rows, 'offCpuNs') / off;
  t.diagnostic(`${ratio.toFixed(4)} times the time that bpftrace measures`);
  assert.ok(Math.abs(ratio - 1) < 0.02, `${ratio} times the time that bpftrace measures`);
});

test('waits shorter than the minimum, longer than the maximum, or of threads that could run are left out on demand', async () => {
  const waits = async (parameters: Record<string, unknown>) =>
    sum(napsOf(await trace('off-cpu-profile', { parameters, inside: [[burns, '0', '5']] })), 'waits');
  assert.equal(await waits({ minimumUs: 40_000 }), 5);
  assert.equal(await waits({ minimumUs: 5_000_000 }), 0);
  assert.equal(await waits({ maximumUs: 10_000 }), 0);
  assert.equal(await waits({ states: 'Blocked' }), 5);
});

test('a process that was preempted has waits of state All and none of Blocked', async () => {
  const preempted = async (states: string) => {
    const burning: [string, ...string[]] = ['/usr/bin/taskset', '1', burns, '1', '0'];
    const traced = await trace('off-cpu-profile', {
      parameters: { states },
      inside: [burning],
      outside: burning,
    });
    return sum(through(traced, 'burn_three'), 'offCpuNs');
  };
  assert.ok((await preempted('All')) > 100_000_000);
  assert.equal(await preempted('Blocked'), 0);
});
