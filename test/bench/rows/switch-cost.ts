// What cpu-profile costs those whom it does not look at: two processes in two unscoped cgroups that do nothing but switch to each other.

import { join } from 'node:path';
import { type Bench, type Experiment, of, type Round, series } from '../experiment.ts';
import { estimate, indistinguishable } from '../statistics.ts';
import { type Aim, ours, startTracer } from '../tracers.ts';
import { inCgroup, nsPerCall, type Workload, withWorkload } from '../workload.ts';

/** Of one run; five are made of each. */
const rounds = 30_000;

/** ns of a switch with a profile of an idle process, and just before and after. */
async function perSwitch(bench: Bench, workload: Workload, aim: Aim): Promise<Round> {
  await workload.run();
  const before = await nsPerCall(workload);
  const output = join(bench.folder, 'profile');
  const running = await startTracer(ours('cpu-profile'), aim, bench.tracerCgroup, output);
  const traced = await nsPerCall(workload);
  await running.stop();
  const after = await nsPerCall(workload);
  return { none: (before + after) / 2, traced };
}

export const switchCost: Experiment = {
  name: 'switch-cost',
  how: `Five times ${rounds * 2} context switches on one core between two cgroups, the median of them: with cpu-profile at 99 Hz on a third one, and just before and after.`,
  measure: (bench) =>
    inCgroup('target', (target) =>
      inCgroup('ping', (ping) =>
        inCgroup('pong', (pong) =>
          withWorkload('open', ['/etc/passwd', 1, 0], target, (idle) =>
            withWorkload('ping-pong', [rounds, 1, ping, pong], ping, (workload) =>
              perSwitch(bench, workload, { pid: idle.pid, cgroup: target }),
            ),
          ),
        ),
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
