// One core opens files as fast as it can: what is recorded, what is left of the workload's rate, and what the tracer spends, to the file.

import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { type Bench, type Experiment, of, type Round, rotated, series } from '../experiment.ts';
import { estimate, verdict } from '../statistics.ts';
import { opensnoop, ours, resultFile, startTracer, type Tracer } from '../tracers.ts';
import { inCgroup, withWorkload } from '../workload.ts';

const seconds = 2;
const file = '/etc/passwd';

function flood(bench: Bench, tracer: Tracer): Promise<Round> {
  return inCgroup('flood', (cgroup) =>
    withWorkload('open', [file, 0, seconds * 1000, 1], cgroup, async (workload) => {
      const output = join(bench.folder, tracer.name);
      const aim = { pid: workload.pid, cgroup };
      const running = await startTracer(tracer, aim, bench.tracerCgroup, output);
      const run = await workload.run();
      const { now, peak } = await running.resident();
      const { cpuSeconds } = await running.stop();
      const recorded = await countLines(resultFile(tracer, output), file);
      return {
        [`${tracer.name} rate`]: run.calls / (run.ns / 1e9),
        [`${tracer.name} calls`]: run.calls,
        [`${tracer.name} recorded`]: recorded,
        [`${tracer.name} cpu`]: (cpuSeconds / recorded) * 1e6,
        [`${tracer.name} peak`]: Math.max(now, peak) / 1024,
      };
    }),
  );
}

/** Lines of a file that hold a text; the file may be larger than memory. */
async function countLines(path: string, text: string): Promise<number> {
  let count = 0;
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'latin1', highWaterMark: 1 << 20 })) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.includes(text)) count++;
  }
  return count;
}

export const eventFlood: Experiment = {
  name: 'event-flood',
  how: `For ${seconds} s one core opens and closes a file as fast as it can. CPU time of the tracer: from attached until its file is written and it has ended.`,
  async measure(bench) {
    const round: Round = {};
    for (const tracer of rotated([ours('open-files'), opensnoop], bench.round))
      Object.assign(round, await flood(bench, tracer));
    return round;
  },
  rows(rounds) {
    const median = (name: string) => estimate(series(rounds, (round) => of(round, name))).median;
    const share = estimate(series(rounds, (round) => of(round, 'sonde recorded') / of(round, 'sonde calls')));
    const rate = estimate(series(rounds, (round) => of(round, 'sonde rate') / of(round, 'opensnoop rate')));
    const cpu = estimate(series(rounds, (round) => of(round, 'sonde cpu') / of(round, 'opensnoop cpu')));
    const peak = estimate(series(rounds, (round) => of(round, 'sonde peak')));
    const lost = series(rounds, (round) => of(round, 'sonde calls') - of(round, 'sonde recorded'));
    const thousands = (value: number) => `${(value / 1000).toFixed(0)}k`;
    return [
      {
        what: 'events recorded with path, process and container, of those that happened',
        limit: 'all',
        measured: share,
        write: (value) => `${(value * 100).toFixed(3)} %`,
        verdict: lost.every((count) => count === 0) ? 'met' : 'missed',
        detail: `${thousands(median('sonde calls'))} a round, lost at most ${Math.max(...lost)}; opensnoop recorded ${((median('opensnoop recorded') / median('opensnoop calls')) * 100).toFixed(1)} %`,
      },
      {
        what: 'rate of that workload, against the same under opensnoop',
        limit: '≥ 5 ×',
        measured: rate,
        write: (value) => `${value.toFixed(1)} ×`,
        verdict: verdict(rate, 5, 'at least'),
        detail: `opens a second: sonde ${thousands(median('sonde rate'))}, opensnoop ${thousands(median('opensnoop rate'))}`,
      },
      {
        what: 'CPU seconds of the tracer per million events, to the file, against opensnoop',
        limit: '≤ 0.5 ×',
        measured: cpu,
        write: (value) => `${value.toFixed(2)} ×`,
        verdict: verdict(cpu, 0.5, 'at most'),
        detail: `seconds: sonde ${median('sonde cpu').toFixed(2)}, opensnoop ${median('opensnoop cpu').toFixed(2)}`,
      },
      {
        what: 'resident memory meanwhile, at most',
        limit: '≤ 150 MB',
        measured: peak,
        write: (value) => `${value.toFixed(0)} MB`,
        verdict: verdict(peak, 150, 'at most'),
        detail: `opensnoop ${median('opensnoop peak').toFixed(0)} MB`,
      },
    ];
  },
};
