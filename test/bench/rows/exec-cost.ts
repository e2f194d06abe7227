// What the programs of process-exec and of execsnoop take for each exec, as the kernel's own run-time statistics of BPF programs say.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bench, type Experiment, of, type Round, rotated, series } from '../experiment.ts';
import { estimate, verdict } from '../statistics.ts';
import { execsnoop, ours, startTracer, type Tracer } from '../tracers.ts';
import { inCgroup, withWorkload } from '../workload.ts';

const count = 500;
const statistics = '/proc/sys/kernel/bpf_stats_enabled';

/** ns of its programs for each exec. */
function perExec(bench: Bench, tracer: Tracer): Promise<number> {
  return inCgroup('exec', (cgroup) =>
    withWorkload('exec', [count], cgroup, async (workload) => {
      const aim = { pid: workload.pid, cgroup };
      const running = await startTracer(tracer, aim, bench.tracerCgroup, join(bench.folder, tracer.name));
      const start = await running.programs();
      await workload.run();
      const end = await running.programs();
      await running.stop();
      return (end.ns - start.ns) / count;
    }),
  );
}

export const execCost: Experiment = {
  name: 'exec-cost',
  how: `${count} processes started one after another, each with three arguments; run time of all programs that the tracer holds, by the kernel's BPF statistics.`,
  async measure(bench) {
    const round: Round = {};
    const before = await readFile(statistics, 'utf8');
    await writeFile(statistics, '1');
    try {
      for (const tracer of rotated([ours('process-exec'), execsnoop], bench.round)) {
        round[tracer.name] = await perExec(bench, tracer);
      }
    } finally {
      await writeFile(statistics, before);
    }
    return round;
  },
  rows(rounds) {
    const measured = estimate(series(rounds, (round) => of(round, 'sonde') / of(round, 'execsnoop')));
    const part = (name: string) =>
      `${name} ${(estimate(series(rounds, (round) => of(round, name))).median / 1000).toFixed(1)}`;
    return [
      {
        what: 'time of the programs per exec, process-exec against execsnoop',
        limit: '≤ 0.5 ×',
        measured,
        write: (value) => `${value.toFixed(2)} ×`,
        verdict: verdict(measured, 0.5, 'at most'),
        detail: `µs an exec: ${part('sonde')}, ${part('execsnoop')}`,
      },
    ];
  },
};
