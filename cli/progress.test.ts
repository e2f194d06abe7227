// What is said while a job runs: the words, and how they get to a terminal and to a pipe.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { Progress } from '../agent/session.ts';
import {
  attachedLines,
  barLine,
  countsOf,
  endLine,
  type Moment,
  plainLine,
  startProgress,
} from './progress.ts';

const progress: Progress = {
  seen: 12_350n,
  recorded: 12_345n,
  lost: 5n,
  sampledBy: 1,
  programsCpuNs: 20_000_000n,
  agentCpuNs: 20_000_000n,
  memoryBytes: 24n << 20n,
  targets: 1,
  pods: 0,
};
const moment: Moment = { progress, elapsedMs: 4000, durationMs: 10_000 };

test('counts, losses and cost stand in one line', () => {
  assert.equal(countsOf(moment), '12,345 recorded, 5 lost, cost 1.0% of a CPU, 24 MiB');
  assert.match(
    countsOf({ progress: { ...progress, sampledBy: 8 }, elapsedMs: 1 }),
    /^12,345 recorded \(1 of 8\),/,
  );
  assert.equal(plainLine(moment), '4.0 s of 10 s: 12,345 recorded, 5 lost, cost 1.0% of a CPU, 24 MiB');
  assert.match(endLine(moment), /^ended after 4\.0 s: 12,345 recorded/);
});

test('the bar shows how far it is, and never gets wider than the terminal', () => {
  assert.equal(
    barLine(moment, 100),
    '[############..................] 6.0 s left  12,345 recorded, 5 lost, cost 1.0% of a CPU, 24 MiB',
  );
  for (let columns = 1; columns < 120; columns++) {
    for (const elapsedMs of [0, 4000, 10_000, 99_000]) {
      assert.ok(barLine({ ...moment, elapsedMs }, columns).length < Math.max(columns, 1) + 1);
      assert.ok(barLine({ progress, elapsedMs }, columns).length < Math.max(columns, 1) + 1);
    }
  }
});

test('what is attached is said without control characters from names', () => {
  const lines = attachedLines({
    trace: 'open-files',
    hooks: [{ program: 'a', hook: 'tp_btf/x' }],
    scope: ['evil\x1b[2J', 'b'],
    startupMs: 96.4,
    durationMs: 2000,
  });
  assert.deepEqual(lines, [
    'attached open-files (tp_btf/x) after 96 ms',
    'tracing evil\\x1b[2J, b for 2.0 s; Ctrl-C ends it early and keeps the result',
  ]);
});

test('a terminal gets one line redrawn in place, a pipe plain lines, a shared terminal only the end', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const shown = (style: 'Line' | 'Plain' | 'Quiet'): string => {
      let out = '';
      const screen = {
        write: (text: string) => {
          out += text;
        },
        isTTY: style !== 'Plain',
        columns: 60,
      };
      const display = startProgress(screen, style, () => ({ progress, elapsedMs: 1000 }));
      mock.timers.tick(10_000);
      display.say('note');
      display.end();
      mock.timers.tick(10_000);
      return out;
    };
    const line = shown('Line');
    assert.equal(line.split('\r\x1b[K').length - 1, 1 + 40 + 2 + 1);
    assert.equal(line.split('\n').length - 1, 2);
    assert.equal(shown('Plain').split('\n').length - 1, 2 + 1 + 1);
    assert.ok(!shown('Plain').includes('\x1b'));
    assert.match(shown('Quiet'), /^note\nended after .*\n$/);
  } finally {
    mock.timers.reset();
  }
});
