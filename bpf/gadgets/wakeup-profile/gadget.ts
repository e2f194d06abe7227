// wakeup-profile: who wakes the threads in scope, from where, and how long they had slept. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { defineGadget, processColumns } from '../../gadget.ts';
import { stackParameters } from '../../stack-parameters.ts';

const { byThread, ...parameters } = stackParameters;

export default defineGadget({
  name: 'wakeup-profile',
  aliases: ['wakeuptime', 'offwaketime'],
  area: 'cpu',
  summary:
    'Who ends the waits of the threads in scope, from where in its code, and how long they had waited.',
  description:
    'The stack is the waker’s, taken when it wakes a thread in scope; its weight is how long that thread had slept. Together with off-cpu-profile it says whom a thread waits for. ' +
    'A waker outside the scope is shown without its name and its own code, by the kernel’s part of its stack only: an interrupt, another pod. With byWaker the scope is the waker’s: whom do these pods wake? ' +
    'Sleeps that had begun before the job are not in it. Every context switch of the node with the wakeup before it pays about 0.15 µs while the job runs.',
  parameters: z.object({
    byWaker: z.boolean().default(false).describe('What the threads in scope wake, instead of who wakes them'),
    minimumNs: z
      .int()
      .min(0)
      .max(3_600_000_000_000)
      .default(0)
      .describe('Shorter sleeps are left out, nanoseconds'),
    ...parameters,
  }),
  sees: 'pod',
  subject: 'task',
  capabilities: ['BPF', 'PERFMON', 'SYS_PTRACE', 'SYSLOG'],
  hitCost: { outsideNs: 70, insideNs: 900 },
  source: () => ({
    kind: 'stacks',
    map: 'wakeups',
    counts: 'wakeups',
    shape: {
      kind: 'stacks',
      keys: [
        ...processColumns,
        {
          name: 'sleeper',
          member: 'sleeper.name',
          type: 'text',
          description: 'The process that was woken (comm)',
        },
        {
          name: 'sleeperPid',
          member: 'sleeper.pid',
          type: 'integer',
          description: 'Its process id, as the host sees it; 0: outside the scope',
        },
      ],
      weights: [
        {
          name: 'sleptNs',
          type: 'integer',
          unit: 'ns',
          fold: 'sum',
          noun: 'sleep',
          description: 'How long those that it woke had slept',
        },
        { name: 'wakeups', type: 'integer', fold: 'sum', description: 'How often it woke one' },
      ],
    },
  }),
  programs: () => [[[{ program: 'sleeper_switch' }, { program: 'sleeper_woken' }]]],
  knobs: ({ stacks, byWaker, minimumNs, maxStacks }) => ({
    variables: {
      user_stacks: stacks !== 'Kernel',
      kernel_stacks: stacks !== 'User',
      by_waker: byWaker,
      minimum_ns: BigInt(minimumNs),
    },
    maxEntries: { stacks: maxStacks, wakeups: 2 * maxStacks },
  }),
});
