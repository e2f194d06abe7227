import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Traced, trace } from '../../../test/support/trace.ts';
import { workload } from '../../../test/support/workload.ts';

const burns = await workload('burns');
// 999 Hz × 4 s: the error of a share of three quarters is 0.7 points.
const frequencyHz = 999;
const seconds = 4;

/** Samples of all stacks that pass through a function; of all stacks without one. */
const samples = (traced: Traced, name?: string): number =>
  traced.rows
    .filter(({ frames }) => name === undefined || (frames as string[]).includes(name))
    .reduce((sum, row) => sum + Number(row.samples), 0);

test('a process that burns 3:1 in two functions has shares of 75% and 25%, as many samples as time it ran and as bpftrace takes', async (t) => {
  const traced = await trace('cpu-profile', {
    parameters: { frequencyHz },
    inside: [[burns, String(seconds), '0']],
    peer: (cgroup) => `profile:hz:${frequencyHz} /cgroup == ${cgroup}/ { @samples = count(); }`,
  });
  const [three, one, all] = [samples(traced, 'burn_three'), samples(traced, 'burn_one'), samples(traced)];
  assert.ok(Math.abs(three / (three + one) - 0.75) < 0.03, `burn_three has ${three}, burn_one ${one}`);
  assert.ok(three + one > 0.95 * all, `${all - three - one} of ${all} samples are elsewhere`);
  assert.ok(samples(traced, 'main') > 0.95 * all);
  assert.equal(traced.meta.events.recorded, BigInt(all));
  assert.equal(traced.meta.events.lost, 0n);
  const cpuNs = traced.rows.reduce((sum, row) => sum + Number(row.cpuNs), 0);
  assert.ok(Math.abs((cpuNs / all) * frequencyHz - 1e9) < 1e6, `${cpuNs} ns of ${all} samples`);
  const byTime = frequencyHz * (traced.cpuNs / 1e9);
  const expected = traced.peer?.samples ?? byTime;
  t.diagnostic(
    `${all} samples, ${expected} by ${traced.peer ? 'bpftrace' : 'its CPU time'}; ${byTime} by its CPU time`,
  );
  // Without a peer it is an emulated machine, whose timers leave out beats; shares and owners are exact there too.
  const tolerance = traced.peer ? 0.03 : 0.5;
  assert.ok(Math.abs(all / expected - 1) < tolerance, `${all} samples, ${expected} expected`);
});

test('a neighbour that burns just as much is in no sample', async () => {
  const traced = await trace('cpu-profile', {
    parameters: { frequencyHz },
    inside: [['/bin/sleep', '1']],
    outside: [burns, '1', '0'],
  });
  assert.equal(samples(traced, 'burn_three'), 0);
  // Only its own start: a few milliseconds, more where it is emulated.
  const own = frequencyHz * (traced.cpuNs / 1e9);
  assert.ok(samples(traced) < own * 1.5 + 5, `sleep had ${samples(traced)} samples in the time of ${own}`);
  assert.ok(traced.rows.every(({ process }) => process !== 'burns'));
});

test('only user stacks have no kernel frames, only kernel stacks no others; neither loses samples', async () => {
  for (const stacks of ['User', 'Kernel']) {
    const traced = await trace('cpu-profile', {
      parameters: { frequencyHz, stacks },
      inside: [[burns, '0.5', '0']],
    });
    assert.equal(samples(traced, 'burn_three') > 0, stacks === 'User');
    // Half a second by the clock; a busy machine gives less of it.
    assert.ok(samples(traced) > 0.05 * frequencyHz);
  }
});

test('samples whose stack finds no room are counted as lost, for their container', async () => {
  const many = Array.from({ length: 150 }, (): [string, ...string[]] => ['/bin/true']);
  const traced = await trace('cpu-profile', { parameters: { frequencyHz, maxStacks: 8 }, inside: many });
  const { losses, lost, recorded, seen } = traced.meta.events;
  assert.ok(losses.some(({ reason }) => reason === 'StackUnavailable'));
  // Of few stacks and many processes the rows may be too many as well.
  for (const { reason, owner } of losses) {
    assert.equal(owner.container, 'test');
    assert.ok(reason === 'StackUnavailable' || reason === 'MapFull', reason);
  }
  assert.equal(seen, recorded + lost);
  assert.equal(recorded, BigInt(samples(traced)));
});

test('a process that execs has the frames of each program under its own name, and threads can be told apart', async () => {
  const traced = await trace('cpu-profile', {
    parameters: { frequencyHz, byThread: true },
    inside: [['/bin/sh', '-c', 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; exec "$0" 0.5 0', burns]],
  });
  const of = (process: string) => traced.rows.filter((row) => row.process === process);
  assert.ok(of('sh').length > 0 && of('burns').length > 0);
  assert.ok(of('sh').every(({ frames }) => !(frames as string[]).includes('burn_three')));
  assert.ok(of('burns').some(({ frames }) => (frames as string[]).includes('burn_three')));
  assert.ok(traced.rows.every(({ pid, thread }) => pid === thread));
});
