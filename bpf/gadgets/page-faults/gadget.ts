// page-faults: which code touches memory that is not there yet. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { defineGadget, processColumns } from '../../gadget.ts';
import { stackParameters } from '../../stack-parameters.ts';

const { byThread, stacks, ...parameters } = stackParameters;

export default defineGadget({
  name: 'page-faults',
  aliases: ['faults', 'pgfault'],
  area: 'memory',
  summary: 'Which code touches memory that is not there yet: where memory grows.',
  description:
    'One count per fault in user mode: the first touch of fresh memory, of a page of a file, of a page after fork. Exact. Shows where resident memory grows, by the stack that touches it. ' +
    'Not seen: pages that the kernel touches for a process (read into a fresh buffer), faults with huge pages beyond the first. On x86-64 only: other architectures have no such tracepoint.',
  parameters: z.object({
    stacks: stacks
      .default('User')
      .describe('Which part of the stacks to keep: All, User (the program and its libraries) or Kernel'),
    ...parameters,
  }),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON', 'SYS_PTRACE', 'SYSLOG'],
  hitCost: { outsideNs: 60, insideNs: 700 },
  source: () => ({
    kind: 'stacks',
    map: 'profile',
    counts: 'faults',
    shape: {
      kind: 'stacks',
      keys: [...processColumns],
      weights: [
        { name: 'faults', type: 'integer', fold: 'sum', noun: 'page faults', description: 'How often' },
        {
          name: 'writes',
          type: 'integer',
          fold: 'sum',
          description: 'Those of them that were going to write',
        },
      ],
    },
  }),
  programs: () => [[[{ program: 'page_touched' }]]],
  knobs: ({ stacks, maxStacks }) => ({
    variables: { user_stacks: stacks !== 'Kernel', kernel_stacks: stacks !== 'User' },
    maxEntries: { stacks: maxStacks, profile: 2 * maxStacks },
  }),
});
