// What cpu-profile costs those whom it does not look at: two processes in two unscoped cgroups that do nothing but switch to each other.

import { join } from 'node:path';
import { type Experiment, of, type Round, rotated, series } from '../experiment.ts';
import { estimate, indistinguishable } from '../statistics.ts';
import { ours, startTracer } from '../tracers.ts';
import { inCgroup, startWorkload } from '../workload.ts';

const rounds = 60_000;

export const switchCost: Experiment = {
  name: 'switch-cost',
  how: `${rounds * 2} context switches on one core between two cgroups, with cpu-profile at 99 Hz on a third one and without.`,
  measure: (bench) =>
    inCgroup('target', (target) =>
      inCgroup('ping', (ping) =>
        inCgroup('pong', async (pong) => {
          const idle = await startWorkload('open', ['/etc/passwd', 1, 0], target);
          const workload = await startWorkload('ping-pong', [rounds, 1, ping, pong], ping);
          await workload.run();
          const round: Round = {};
          for (const traced of rotated([false, true], bench.round)) {
            const aim = { pid: idle.pid, cgroup: target };
            const output = join(bench.folder, 'profile');
            const running =
              traced && (await startTracer(ours('cpu-profile'), aim, bench.tracerCgroup, output));
            const { ns, calls } = await workload.run();
            round[traced ? 'traced' : 'none'] = ns / calls;
            if (running !== false) await running.stop();
          }
          await workload.end();
          await idle.end();
          return round;
        }),
      ),
    ),
  rows(measurements) {
    const measured = estimate(series(measurements, (round) => of(round, 'traced') - of(round, 'none')));
    const median = (name: string) => estimate(series(measurements, (round) => of(round, name))).median;
    return [
      {
        what: 'time added by cpu-profile to a context switch between two unscoped cgroups',
        limit: 'not distinguishable from none',
        measured,
        write: (value) => `${value.toFixed(0)} ns`,
        verdict: indistinguishable(measured) ? 'met' : 'missed',
        detail: `µs a switch: none ${(median('none') / 1000).toFixed(2)}, with cpu-profile ${(median('traced') / 1000).toFixed(2)}`,
      },
    ];
  },
};
