// block-io-stacks: which code asks for block I/O. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { blockPrograms, whoseRequests } from '../../block.ts';
import { defineGadget, processColumns } from '../../gadget.ts';
import { stackParameters } from '../../stack-parameters.ts';

const { byThread, ...parameters } = stackParameters;

export default defineGadget({
  name: 'block-io-stacks',
  aliases: ['biostacks'],
  area: 'disk',
  summary: 'Which code asks for disk I/O, and how long the disk takes for it.',
  description:
    'The stack is taken where the request is made, the time from there until the disk has done it; a flame graph of waiting for disks. ' +
    whoseRequests,
  parameters: z.object(parameters),
  sees: 'pod',
  subject: 'bio',
  capabilities: ['BPF', 'PERFMON', 'SYS_PTRACE', 'SYSLOG'],
  hitCost: { outsideNs: 80, insideNs: 1200 },
  source: () => ({
    kind: 'stacks',
    map: 'profile',
    counts: 'requests',
    shape: {
      kind: 'stacks',
      keys: [...processColumns],
      weights: [
        {
          name: 'latencyNs',
          type: 'integer',
          unit: 'ns',
          fold: 'sum',
          noun: 'disk time',
          description: 'How long its requests took',
        },
        { name: 'requests', type: 'integer', fold: 'sum', description: 'How many there were' },
        { name: 'bytes', type: 'integer', unit: 'bytes', fold: 'sum', description: 'How much they moved' },
      ],
    },
  }),
  programs: blockPrograms,
  knobs: ({ stacks, maxStacks }) => ({
    variables: { user_stacks: stacks !== 'Kernel', kernel_stacks: stacks !== 'User' },
    maxEntries: { stacks: maxStacks, profile: 2 * maxStacks },
  }),
});
