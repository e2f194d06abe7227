// An agent without a kernel, as agent/api.ts says: it attaches, counts time, ends by its own deadline, keeps runs until they are acknowledged, and loses
// or interrupts its jobs when it is killed. Neighbours: operator/simulation/network.ts (the way to it), agent/serve.ts (the real one).

import {
  AgentCallError,
  type NodeDescription,
  protocol,
  type Report,
  type RunHead,
  type RunOrder,
} from '../../agent/api.ts';
import type { Clock } from '../clock.ts';
import type { Chance } from './time.ts';

export interface AgentJob {
  order: RunOrder;
  report: Report;
  /** By the simulation's own clock: when probes were attached and detached. */
  attached: number | undefined;
  detached: number | undefined;
  pods: Set<string>;
  head: RunHead | undefined;
}

export interface SimulatedAgent {
  node: string;
  jobs: ReadonlyMap<string, AgentJob>;
  /** Jobs with probes attached now. */
  attached(): string[];
  describe(): NodeDescription;
  /** Reports from now on; the first is the present one. Gives what ends it. */
  run(order: RunOrder, report: (report: Report) => void): () => void;
  retarget(uid: string, pods: RunOrder['pods']): void;
  stop(uid: string, discard: boolean): void;
  fetch(uid: string): RunHead;
  acknowledge(uid: string): void;
  /** Killed: every probe goes with it. What its spool had is there again after the restart, where `keeps`. */
  kill(keeps: boolean): void;
}

export interface AgentTraits {
  node: string;
  /** Its clock against the simulation's, ms. */
  skew: number;
  mostJobs: number;
  /** This node's kernel lacks what the gadget needs. */
  fails: boolean;
  clock: Clock;
  chance: Chance;
}

export function simulatedAgent(traits: AgentTraits): SimulatedAgent {
  const { node, skew, mostJobs, fails, clock, chance } = traits;
  const jobs = new Map<string, AgentJob>();
  const listeners = new Map<string, Set<(report: Report) => void>>();
  /** Raised by a kill: timers of an earlier life do nothing. */
  let life = 0;

  const live = (run: () => void) => {
    const mine = life;
    return () => {
      if (life === mine) run();
    };
  };
  const nanoseconds = (at: number) => BigInt(Math.round(at + skew)) * 1_000_000n;

  function say(uid: string): void {
    const report = jobs.get(uid)?.report;
    if (report) for (const listener of listeners.get(uid) ?? []) listener(structuredClone(report));
  }

  function move(uid: string, change: Partial<Report>): void {
    const job = jobs.get(uid);
    if (!job) return;
    job.report = { ...job.report, ...change };
    say(uid);
  }

  function start(order: RunOrder): void {
    const { uid } = order.job;
    const pods = new Set(order.pods.map((pod) => pod.uid));
    jobs.set(uid, {
      order,
      report: fresh(),
      attached: undefined,
      detached: undefined,
      pods,
      head: undefined,
    });
    clock.after(
      chance.between(20, 400),
      live(() => attach(uid)),
    );
  }

  function attach(uid: string): void {
    const job = jobs.get(uid);
    if (job?.report.phase !== 'Starting') return;
    if (fails) {
      move(uid, { phase: 'Failed', reason: 'HookMissing', message: 'no such hook' });
      return;
    }
    job.attached = clock.now();
    move(uid, { phase: 'Running', attachedAt: nanoseconds(clock.now()), podsTraced: job.pods.size });
    clock.after(
      job.order.durationMs,
      live(() => detach(uid, 'Duration')),
    );
    clock.after(
      1000,
      live(() => beat(uid)),
    );
  }

  function beat(uid: string): void {
    if (jobs.get(uid)?.report.phase !== 'Running') return;
    say(uid);
    clock.after(
      1000,
      live(() => beat(uid)),
    );
  }

  function detach(uid: string, ended: 'Duration' | 'Stopped'): void {
    const job = jobs.get(uid);
    if (job?.report.phase !== 'Running') return;
    job.detached = clock.now();
    move(uid, { phase: 'Collecting' });
    clock.after(
      chance.between(10, 800),
      live(() => {
        if (!jobs.has(uid)) return;
        job.head = headOf(job, ended);
        move(uid, { phase: 'Finished' });
      }),
    );
  }

  function headOf(job: AgentJob, ended: 'Duration' | 'Stopped'): RunHead {
    const { order, attached = 0, detached = 0 } = job;
    return {
      bytes: 0n,
      sha256: '',
      meta: {
        job: order.job,
        trace: { name: order.plan.trace, parameters: order.plan.parameters },
        startTime: nanoseconds(attached),
        completionTime: nanoseconds(detached),
        ended,
        shape: order.plan.source.shape,
        owners: [{ node, namespace: null, pod: null, container: null }],
        // An event every millisecond, so that counts tell for how long it really traced.
        events: {
          seen: BigInt(Math.round(detached - attached)),
          recorded: 0n,
          lost: 0n,
          sampledBy: 1,
          losses: [],
        },
        overhead: { programsCpuNs: 0n, agentCpuNs: 0n, memoryBytes: 0n, hits: 0n },
        attached: [],
        warnings: [],
      },
    };
  }

  return {
    node,
    jobs,
    attached: () => [...jobs].flatMap(([uid, { report }]) => (report.phase === 'Running' ? [uid] : [])),
    describe: () => ({
      node,
      version: '0.0.0',
      protocol,
      kernel: '',
      arch: 'x86',
      features: {},
      gadgets: [],
      jobs: [...jobs].map(([uid, { report }]) => ({ uid, phase: report.phase })),
    }),
    run(order, report) {
      const { uid } = order.job;
      if (!jobs.has(uid)) {
        if (jobs.size >= mostJobs) {
          report({ ...fresh(), phase: 'Failed', reason: 'NodeBusy' });
          return () => undefined;
        }
        start(order);
      }
      const all = listeners.get(uid) ?? new Set();
      listeners.set(uid, all.add(report));
      report(structuredClone((jobs.get(uid) as AgentJob).report));
      return () => all.delete(report);
    },
    retarget(uid, pods) {
      const job = jobs.get(uid);
      if (!job) throw new AgentCallError('UnknownJob', 'no such job');
      for (const pod of pods) job.pods.add(pod.uid);
    },
    stop(uid, discard) {
      const job = jobs.get(uid);
      if (!job) return;
      if (!discard) {
        if (job.report.phase === 'Starting') attach(uid);
        return detach(uid, 'Stopped');
      }
      if (job.report.phase === 'Finished' || job.report.phase === 'Failed') return;
      job.detached = clock.now();
      move(uid, { phase: 'Failed', reason: 'Discarded' });
    },
    fetch(uid) {
      const head = jobs.get(uid)?.head;
      if (!head) throw new AgentCallError('UnknownJob', 'no such run');
      return head;
    },
    acknowledge(uid) {
      const job = jobs.get(uid);
      if (job !== undefined && (job.report.phase === 'Running' || job.report.phase === 'Starting'))
        throw new AgentCallError('Refused', 'it has not ended');
      jobs.delete(uid);
    },
    kill(keeps) {
      life++;
      listeners.clear();
      for (const [uid, job] of [...jobs]) {
        if (job.report.phase === 'Finished' && keeps) continue;
        if (!keeps || job.report.phase === 'Starting') jobs.delete(uid);
        else {
          job.detached ??= clock.now();
          // Some agents save a part while they run, and some only at the end.
          const part = chance.happens(0.5);
          if (part) job.head = headOf(job, 'Stopped');
          job.report = { ...job.report, phase: part ? 'Finished' : 'Failed', reason: 'Interrupted' };
        }
      }
    },
  };
}

function fresh(): Report {
  return {
    phase: 'Starting',
    attachedAt: 0n,
    podsTraced: 0,
    events: { seen: 0n, recorded: 0n, lost: 0n, sampledBy: 1 },
    overhead: { programsCpuNs: 0n, agentCpuNs: 0n, memoryBytes: 0n },
  };
}
