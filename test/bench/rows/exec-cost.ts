// What the programs of process-exec and of execsnoop take for each exec, as the kernel's own run-time statistics of BPF programs say.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Experiment, of, type Round, rotated, series } from '../experiment.ts';
import { estimate, verdict } from '../statistics.ts';
import { execsnoop, ours, startTracer } from '../tracers.ts';
import { inCgroup, startWorkload } from '../workload.ts';

const count = 500;
const statistics = '/proc/sys/kernel/bpf_stats_enabled';

export const execCost: Experiment = {
  name: 'exec-cost',
  how: `${count} processes started one after another, each with three arguments; run time of all programs that the tracer holds, by the kernel's BPF statistics.`,
  async measure(bench) {
    const round: Round = {};
    const before = await readFile(statistics, 'utf8');
    await writeFile(statistics, '1');
    try {
      for (const tracer of rotated([ours('process-exec'), execsnoop], bench.round)) {
        await inCgroup('exec', async (cgroup) => {
          const workload = await startWorkload('exec', [count], cgroup);
          const output = join(bench.folder, tracer.name);
          const aim = { pid: workload.pid, cgroup };
          const running = await startTracer(tracer, aim, bench.tracerCgroup, output);
          const start = await running.programs();
          await workload.run();
          const end = await running.programs();
          round[tracer.name] = (end.ns - start.ns) / count;
          await running.stop();
          await workload.end();
        });
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
