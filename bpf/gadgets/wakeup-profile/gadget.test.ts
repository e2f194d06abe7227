import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Traced, trace } from '../../../test/support/trace.ts';
import { workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');

const wokenBy = (traced: Traced, frame: string, sleeper: string): Record<string, unknown>[] =>
  traced.rows.filter((row) => (row.frames as string[]).includes(frame) && row.sleeper === sleeper);

test('a sleep ends by the timer, after as long as it was meant to be; a neighbour is in none', async () => {
  const traced = await trace('wakeup-profile', {
    inside: [['/bin/sleep', '0.3']],
    outside: ['/bin/sleep', '0.1'],
  });
  const rows = wokenBy(traced, 'hrtimer_wakeup', 'sleep');
  const slept = rows.reduce((sum, { sleptNs }) => sum + Number(sleptNs), 0);
  assert.ok(slept >= 300_000_000 && slept < 360_000_000, `${slept} ns`);
  assert.equal(
    rows.reduce((sum, { wakeups }) => sum + Number(wakeups), 0),
    1,
  );
});

test('a child that dies wakes its parent, and is named; by who wakes, a process is told what it wakes', async () => {
  for (const byWaker of [false, true]) {
    const traced = await trace('wakeup-profile', {
      parameters: { byWaker },
      inside: [[asks, 'signals', '50']],
    });
    const rows = wokenBy(traced, 'do_exit', 'asks').filter(({ process }) => process === 'asks');
    const wakeups = rows.reduce((sum, row) => sum + Number(row.wakeups), 0);
    // The parent is nearly always asleep in waitpid when its child dies.
    assert.ok(wakeups > 25 && wakeups <= 50, `${wakeups} wakeups`);
  }
});
