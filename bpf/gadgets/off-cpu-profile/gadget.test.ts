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

/** What the process itself knows of its naps: for how long it had no CPU, ns, and how often it gave it up. */
const itself = () => {
  const [offNs = 0, waits = 0] = readFileSync(said, 'utf8').split(' ').map(Number);
  return { offNs, waits };
};

const sum = (rows: Traced['rows'], column: string): number =>
  rows.reduce((total, row) => total + Number(row[column]), 0);

test('20 sleeps of 50 ms are 20 waits of a second in the function that slept, as bpftrace measures it; a neighbour is in none', async (t) => {
  const traced = await trace('off-cpu-profile', {
    inside: [[burns, '0', String(naps), said]],
    outside: [burns, '0', '10'],
    peer: (
      cgroup,
    ) => `tracepoint:sched:sched_switch /cgroup == ${cgroup} && @start[args->prev_pid]/ { @untold = count(); }
      tracepoint:sched:sched_switch /cgroup == ${cgroup}/ { @start[args->prev_pid] = nsecs; }
      tracepoint:sched:sched_switch /@start[args->next_pid]/ { @off = sum(nsecs - @start[args->next_pid]); delete(@start[args->next_pid]); }`,
  });
  const napping = napsOf(traced);
  const { offNs, waits } = itself();
  assert.equal(sum(napping, 'waits'), waits);
  assert.ok(waits <= naps && waits > naps / 2, `${waits} of ${naps} naps gave the CPU up`);
  const slept = sum(through(traced, 'nap'), 'offCpuNs') / offNs;
  t.diagnostic(`${slept.toFixed(4)} times the time that the process itself measures`);
  assert.ok(Math.abs(slept - 1) < 0.02, `${slept} times the time that the process itself measures`);
  // At least is what the time that it measures says; at most: an emulated CPU may stand still after the sleep.
  const asked = sum(napping, 'offCpuNs') / (waits * napNs);
  const most = process.env.SONDE_GUEST === undefined ? 1.2 : 3;
  assert.ok(asked < most, `the naps were ${asked} times as long as asked for`);
  assert.ok(napping.every(({ process, container }) => process === 'burns' && container === 'test'));
  assert.ok(napping.every(({ state }) => state === 'sleeping'));
  assert.equal(new Set(traced.rows.map(({ pid }) => pid)).size, 1);
  assert.equal(traced.meta.events.lost, 0n);
  const { off, untold = 0 } = traced.peer ?? {};
  // The kernel did not say that a thread came back (program.bpf.c): bpftrace forgets such a wait.
  if (off === undefined || untold > 0) return;
  const ratio = sum(traced.rows, 'offCpuNs') / off;
  t.diagnostic(`${ratio.toFixed(4)} times the time that bpftrace measures`);
  assert.ok(Math.abs(ratio - 1) < 0.02, `${ratio} times the time that bpftrace measures`);
});

test('waits shorter than the minimum, longer than the maximum, or of threads that could run are left out on demand', async () => {
  const share = async (parameters: Record<string, unknown>) => {
    const traced = await trace('off-cpu-profile', { parameters, inside: [[burns, '0', '5', said]] });
    return sum(napsOf(traced), 'waits') / itself().waits;
  };
  assert.equal(await share({ minimumUs: 5_000 }), 1);
  assert.equal(await share({ minimumUs: 5_000_000 }), 0);
  assert.equal(await share({ maximumUs: 1_000 }), 0);
  assert.equal(await share({ states: 'Blocked' }), 1);
  assert.equal(await share({ states: 'Runnable' }), 0);
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

test('a wait that has not ended when the job ends counts until then, and the limits hold for it', async () => {
  const naps: [string, ...string[]] = ['/bin/sh', '-c', 'sleep 2 & sleep 0.4'];
  const slept = async (parameters: Record<string, unknown>) => {
    const traced = await trace('off-cpu-profile', {
      parameters: { states: 'Blocked', ...parameters },
      inside: [naps],
    });
    const rows = traced.rows.filter(({ process, offCpuNs }) => process === 'sleep' && Number(offCpuNs) > 3e8);
    const { startTime, completionTime, events } = traced.meta;
    return { rows, jobNs: Number(completionTime - startTime), events };
  };
  const { rows, jobNs, events } = await slept({});
  assert.equal(rows.length, 2);
  assert.equal(new Set(rows.map(({ pid }) => pid)).size, 2);
  assert.ok(rows.every(({ state, waits }) => state === 'sleeping' && waits === 1n));
  assert.ok(rows.every(({ offCpuNs }) => Number(offCpuNs) < jobNs));
  assert.equal(events.recorded >= 2n && events.lost === 0n, true);
  assert.deepEqual((await slept({ minimumUs: 1_500_000 })).rows, []);
  assert.deepEqual((await slept({ maximumUs: 200_000 })).rows, []);
});
