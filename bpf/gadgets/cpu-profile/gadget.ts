// cpu-profile: which functions use the CPU. Program: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { defineGadget, processColumns, threadColumns } from '../../gadget.ts';
import { stackParameters } from '../../stack-parameters.ts';

export default defineGadget({
  name: 'cpu-profile',
  aliases: ['profile', 'profile-cpu'],
  area: 'cpu',
  summary: 'Which functions use the CPU, as a flame graph.',
  description:
    'A timer on each CPU looks, frequencyHz times a second, at what runs there, and keeps the stack when it is in scope. A share of samples is a share of CPU ' +
    'time, within the error of sampling: about one over the square root of the samples. Stacks are walked by frame pointers; code built without them ' +
    '(-fomit-frame-pointer) shows its innermost function and little above it. What is outside pays for the timer only, at no context switch.',
  parameters: z.object({
    frequencyHz: z
      .int()
      .min(1)
      .max(999)
      .default(99)
      .describe('Samples per second and CPU; 99 rather than 100, so as not to march in step with timers'),
    ...stackParameters,
  }),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON', 'SYS_PTRACE', 'SYSLOG'],
  hitCost: { outsideNs: 700, insideNs: 1300 },
  source: ({ byThread }) => ({
    kind: 'stacks',
    map: 'profile',
    counts: 'samples',
    shape: {
      kind: 'stacks',
      keys: [...processColumns, ...(byThread ? threadColumns : [])],
      weights: [
        {
          name: 'samples',
          type: 'integer',
          unit: 'samples',
          fold: 'sum',
          noun: 'CPU',
          description: 'How often the stack was seen running',
        },
        {
          name: 'cpuNs',
          type: 'integer',
          unit: 'ns',
          fold: 'sum',
          description: 'The CPU time that they stand for: samples × the time between two',
        },
      ],
    },
  }),
  programs: ({ frequencyHz }) => [
    [[{ program: 'take_sample', attach: { kind: 'perfEvent', event: 'cpuClock', frequencyHz } }]],
  ],
  knobs: ({ stacks, byThread, maxStacks }) => ({
    variables: { user_stacks: stacks !== 'Kernel', kernel_stacks: stacks !== 'User', by_thread: byThread },
    maxEntries: { stacks: maxStacks, profile: 2 * maxStacks },
  }),
});
