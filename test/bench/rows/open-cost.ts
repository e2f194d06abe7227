// What a traced open costs, and what an open next door costs: an openat loop alone, under ours, under opensnoop and under bpftrace.

import { join } from 'node:path';
import { type Bench, type Experiment, of, type Round, rotated, series } from '../experiment.ts';
import { estimate, verdict } from '../statistics.ts';
import { type Aim, bpftrace, opensnoop, ours, startTracer, type Tracer } from '../tracers.ts';
import { inCgroup, nsPerCall, type Workload, withWorkload } from '../workload.ts';

const peers = [opensnoop, bpftrace];
/** Of one run; five are made of each. */
const calls = 20_000;

/** ns per call under each tracer, which is aimed at one process (the workload itself, or another), and what that is more than just before and after. */
async function perCall(bench: Bench, workload: Workload, aim: Aim): Promise<Round> {
  const round: Round = {};
  await workload.run();
  let before = await nsPerCall(workload);
  round.none = before;
  for (const tracer of rotated<Tracer>([ours('open-files'), ...peers], bench.round)) {
    const output = join(bench.folder, tracer.name);
    const running = await startTracer(tracer, aim, bench.tracerCgroup, output);
    const traced = await nsPerCall(workload);
    await running.stop();
    const after = await nsPerCall(workload);
    round[tracer.name] = traced;
    round[`${tracer.name} added`] = traced - (before + after) / 2;
    before = after;
  }
  return round;
}

/** The peer with the lower median. */
function better(rounds: Round[]): string {
  const medians = peers.map(({ name }) => ({
    name,
    median: estimate(series(rounds, (round) => of(round, `${name} added`))).median,
  }));
  return medians.sort((a, b) => a.median - b.median)[0]?.name ?? opensnoop.name;
}

function perCallDetail(rounds: Round[]): string {
  const part = (name: string) =>
    `${name} ${(estimate(series(rounds, (round) => of(round, name))).median / 1000).toFixed(2)}`;
  return `µs a call: ${['none', 'sonde', ...peers.map((peer) => peer.name)].map(part).join(', ')}`;
}

export const openCost: Experiment = {
  name: 'open-cost',
  how: `Five loops of ${calls} openat and close on one core, the median of them; the tracer writes every event to a file. Time added is the difference to the same loops just before and after.`,
  measure: (bench) =>
    inCgroup('traced', (cgroup) =>
      withWorkload('open', ['/etc/passwd', calls, 0, 1], cgroup, (workload) =>
        perCall(bench, workload, { pid: workload.pid, cgroup }),
      ),
    ),
  rows(rounds) {
    const peer = better(rounds);
    const measured = estimate(
      series(rounds, (round) => of(round, 'sonde added') / of(round, `${peer} added`)),
    );
    return [
      {
        what: `time added to each call of a traced process (openat loop), against ${peer}`,
        limit: '≤ 0.12 ×',
        measured,
        write: (value) => `${value.toFixed(3)} ×`,
        verdict: verdict(measured, 0.12, 'at most'),
        detail: perCallDetail(rounds),
      },
    ];
  },
};

export const neighbourCost: Experiment = {
  name: 'neighbour-cost',
  how: 'The same, with five times the calls, in a process that no tracer is aimed at: each watches another, idle process by its own filter.',
  measure: (bench) =>
    inCgroup('neighbour', (outside) =>
      inCgroup('target', (inside) =>
        withWorkload('open', ['/etc/passwd', 1, 0], inside, (target) =>
          withWorkload('open', ['/etc/passwd', calls * 5, 0, 1], outside, (workload) =>
            perCall(bench, workload, { pid: target.pid, cgroup: inside }),
          ),
        ),
      ),
    ),
  rows(rounds) {
    const peer = better(rounds);
    const measured = estimate(
      series(rounds, (round) => of(round, 'sonde added') - of(round, `${peer} added`)),
    );
    return [
      {
        what: `time added to an open of a process outside the scope, beyond what ${peer} adds`,
        limit: '≤ 0 ns',
        measured,
        write: (value) => `${value.toFixed(0)} ns`,
        verdict: verdict(measured, 0, 'at most'),
        detail: perCallDetail(rounds),
      },
    ];
  },
};
