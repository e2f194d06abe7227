// How long after a tracer's process starts it sees its first event: a beacon opens a file every fifth of a millisecond, its name the time.

import { spawn } from 'node:child_process';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { native } from '../../../native/index.ts';
import { type Experiment, of, type Round, rotated, series } from '../experiment.ts';
import { estimate, verdict } from '../statistics.ts';
import { bpftrace, opensnoop, ours, resultFile, type Tracer } from '../tracers.ts';
import { inCgroup, sleep, withWorkload } from '../workload.ts';

/** Long enough for each of them to be attached; they write their files when they end. */
const seconds = 2;

async function firstSeen(
  tracer: Tracer,
  aim: { pid: number; cgroup: string },
  output: string,
): Promise<number> {
  await rm(output, { recursive: true, force: true });
  const [file = '', ...args] = tracer.argv(aim, output);
  const sink = tracer.result === 'stdout' ? await open(output, 'w') : undefined;
  const start = native.clocks().monotonic;
  const child = spawn(file, args, { stdio: ['ignore', sink?.fd ?? 'ignore', 'ignore'] });
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  await sleep(seconds * 1000);
  child.kill('SIGINT');
  await closed;
  await sink?.close();
  const text = await readFile(resultFile(tracer, output), 'utf8');
  const first = /beacon-(\d+)/.exec(text)?.[1];
  if (first === undefined) throw new Error(`${tracer.name} saw no event within ${seconds} s`);
  return Number(BigInt(first) - start) / 1e6;
}

export const coldStart: Experiment = {
  name: 'cold-start',
  how: 'A process that opens a file every 0.2 ms, its name the time: the first one that a tracer shows, less the time at which the tracer’s command was started.',
  measure: (bench) =>
    inCgroup('beacon', (cgroup) =>
      withWorkload('beacon', [], cgroup, async (beacon) => {
        const round: Round = {};
        for (const tracer of rotated([ours('open-files'), bpftrace, opensnoop], bench.round)) {
          const aim = { pid: beacon.pid, cgroup };
          round[tracer.name] = await firstSeen(tracer, aim, join(bench.folder, tracer.name));
        }
        return round;
      }),
    ),
  rows(rounds) {
    const measured = estimate(series(rounds, (round) => of(round, 'sonde') / of(round, 'bpftrace')));
    const part = (name: string) =>
      `${name} ${estimate(series(rounds, (round) => of(round, name))).median.toFixed(0)}`;
    return [
      {
        what: '`sonde run`, cold: start to attached, against bpftrace',
        limit: '≤ 1 ×',
        measured,
        write: (value) => `${value.toFixed(2)} ×`,
        verdict: verdict(measured, 1, 'at most'),
        detail: `ms: ${['sonde', 'bpftrace', 'opensnoop'].map(part).join(', ')}`,
      },
    ];
  },
};
