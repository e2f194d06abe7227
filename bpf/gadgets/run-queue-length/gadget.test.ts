import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '../../../test/support/trace.ts';

test('three that share a CPU are one that runs and two that wait', async () => {
  const spin = 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done';
  const traced = await trace('run-queue-length', {
    parameters: { frequencyHz: 199 },
    inside: [['/usr/bin/taskset', '1', '/bin/sh', '-c', `for i in 1 2 3; do (${spin}) & done; wait`]],
  });
  const counts = traced.rows.flatMap((row) => row.buckets as [number, number][]);
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  // Others may wait there as well: where no CPU controller parts them, the queue is everybody's.
  const atLeastTwo = counts.reduce((sum, [length, count]) => sum + (length >= 2 ? count : 0), 0);
  assert.ok(all > 20, `${all} looks`);
  assert.ok(atLeastTwo > all * 0.7, `${atLeastTwo} of ${all}`);
});
