import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Native } from '../native/api.ts';
import { costOfHit, machineScale } from './overhead.ts';

const speed = (ns: number) => ({ lookupTime: () => ns }) as unknown as Native;

test('a hit costs what its kind of hook costs, more on a slower machine', () => {
  const fast = costOfHit([{ program: 'a', hook: 'tp_btf/sched_switch' }], machineScale(speed(19.5)));
  const slow = costOfHit([{ program: 'a', hook: 'tp_btf/sched_switch' }], machineScale(speed(39)));
  assert.ok(fast.inside > fast.outside);
  assert.deepEqual(slow, { outside: 2 * fast.outside, inside: 2 * fast.inside });
});

test('hooks of several kinds cost their mean, and a hook by options is known by its kind', () => {
  const one = costOfHit([{ program: 'a', hook: 'perf_event/cpuClock@99Hz' }], 1);
  const other = costOfHit([{ program: 'b', hook: 'tracepoint/syscalls/sys_exit_open' }], 1);
  const both = costOfHit(
    [
      { program: 'a', hook: 'perf_event/cpuClock@99Hz' },
      { program: 'b', hook: 'tracepoint/syscalls/sys_exit_open' },
    ],
    1,
  );
  assert.equal(both.inside, (one.inside + other.inside) / 2);
});

test('a machine whose speed can not be measured counts as the reference', () => {
  assert.equal(machineScale(speed(0)), 1);
});
