// cpu-time: how long threads run at a stretch, or stay off the CPU. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { defineGadget, processColumns } from '../../gadget.ts';
import { histogramParameters } from '../../histogram-parameters.ts';

export default defineGadget({
  name: 'cpu-time',
  aliases: ['cpudist'],
  area: 'cpu',
  summary: 'How long threads run each time they get a CPU, or how long they stay off it, as a histogram.',
  description:
    'From one context switch to the next, each counted in the kernel. On: short turns mean much waiting or many preemptions. Off: sleeping and waiting together (off-cpu-profile says for what, ' +
    'run-queue-latency how much of it is for the CPU). A turn that had begun before the job, or has not ended when it ends, is not in it: a thread that never leaves its CPU is not seen. ' +
    'Every context switch of the node pays about 0.1 µs while the job runs.',
  parameters: z.object({
    time: z.enum(['OnCpu', 'OffCpu']).default('OnCpu').describe('The time on the CPU, or the time off it'),
    minimumNs: z
      .int()
      .min(0)
      .max(3_600_000_000_000)
      .default(0)
      .describe('Shorter times are left out, nanoseconds'),
    ...histogramParameters,
  }),
  sees: 'pod',
  subject: 'task',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 60, insideNs: 250 },
  source: ({ byProcess, time }) => ({
    kind: 'histogram',
    map: 'times',
    shape: {
      kind: 'histogram',
      keys: byProcess ? [...processColumns] : [],
      value: {
        name: time === 'OnCpu' ? 'onCpuNs' : 'offCpuNs',
        type: 'integer',
        unit: 'ns',
        noun: time === 'OnCpu' ? 'turns on a CPU' : 'times off the CPU',
        description: 'From one context switch to the next',
      },
      scale: { kind: 'log2' },
    },
  }),
  programs: () => [[[{ program: 'time_switch' }]]],
  knobs: ({ time, byProcess, minimumNs, maxRows }) => ({
    variables: { off_cpu: time === 'OffCpu', by_process: byProcess, minimum_ns: BigInt(minimumNs) },
    maxEntries: { times: maxRows, away: time === 'OffCpu' ? 16_384 : 1 },
  }),
});
