// run-queue-slow: which threads waited too long for a CPU, and for how long. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { defineGadget, processColumns, threadColumns } from '../../gadget.ts';

export default defineGadget({
  name: 'run-queue-slow',
  aliases: ['runqslower'],
  area: 'cpu',
  summary: 'Which threads waited too long for a CPU, when and for how long.',
  description:
    'One record per wait that was at least minimumNs long, when it ends. Waits are those of run-queue-latency. The thread that had the CPU until then is named where it is in scope too; ' +
    'else the wait was for somebody else, or for the quota (cpu-throttling tells). Every context switch of the node with the wakeup before it pays about 0.2 µs while the job runs, in scope or not.',
  parameters: z.object({
    minimumNs: z
      .int()
      .min(0)
      .max(3_600_000_000_000)
      .default(10_000_000)
      .describe('Shorter waits are left out, nanoseconds'),
  }),
  sees: 'pod',
  subject: 'task',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 70, insideNs: 400 },
  source: () => ({
    kind: 'ring',
    record: 'slow_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When it ran at last' },
        ...processColumns,
        ...threadColumns,
        { name: 'latencyNs', type: 'integer', unit: 'ns', description: 'How long it waited' },
        { name: 'cpu', type: 'integer', description: 'The CPU it ran on' },
        {
          name: 'previous',
          type: 'text',
          when: 'previous_thread',
          optional: true,
          description: 'The thread that had the CPU until then; none: it is outside the scope',
        },
        {
          name: 'previousThread',
          type: 'integer',
          when: 'previous_thread',
          optional: true,
          description: 'Its thread id',
        },
      ],
    },
  }),
  programs: () => [
    [[{ program: 'queue_wakeup' }, { program: 'queue_wakeup_new' }, { program: 'slow_switch' }]],
  ],
  knobs: ({ minimumNs }) => ({ variables: { minimum_ns: BigInt(minimumNs) } }),
});
