// run-queue-latency: how long threads that could run wait for a CPU. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { defineGadget, processColumns } from '../../gadget.ts';
import { histogramParameters } from '../../histogram-parameters.ts';

export default defineGadget({
  name: 'run-queue-latency',
  aliases: ['runqlat', 'profile-cpu-latency'],
  area: 'cpu',
  summary: 'How long threads that could run wait for a CPU, as a histogram.',
  description:
    'A wait begins when a thread is woken, is started, or loses its CPU while it could go on (preempted, its time slice over), and ends when it runs: the same moments as ' +
    "the kernel's own run delay in /proc/PID/schedstat. Exact: no sampling; counted in the kernel. A wait that had begun before the job, or has not ended when the job " +
    'ends, is not in it. Processes that move between groups while they wait are counted for the group in which they ran. ' +
    'Every context switch of the node with the wakeup before it pays about 0.2 µs while the job runs, in scope or not.',
  parameters: z.object({
    minimumNs: z
      .int()
      .min(0)
      .max(3_600_000_000_000)
      .default(0)
      .describe('Shorter waits are left out, nanoseconds'),
    ...histogramParameters,
  }),
  sees: 'pod',
  subject: 'task',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 70, insideNs: 300 },
  source: ({ byProcess }) => ({
    kind: 'histogram',
    map: 'latencies',
    shape: {
      kind: 'histogram',
      keys: byProcess ? [...processColumns] : [],
      value: {
        name: 'latencyNs',
        type: 'integer',
        unit: 'ns',
        noun: 'wait for a CPU',
        description: 'From when a thread could run to when it ran',
      },
      scale: { kind: 'log2' },
    },
  }),
  programs: () => [
    [[{ program: 'queue_wakeup' }, { program: 'queue_wakeup_new' }, { program: 'queue_switch' }]],
  ],
  knobs: ({ byProcess, minimumNs, maxRows }) => ({
    variables: { by_process: byProcess, minimum_ns: BigInt(minimumNs) },
    maxEntries: { latencies: maxRows },
  }),
});
