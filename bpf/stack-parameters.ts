// The parameters of every gadget whose rows are stacks (bpf/include/stacks.bpf.h).

import { z } from 'zod';

export const stackParameters = {
  stacks: z
    .enum(['All', 'User', 'Kernel'])
    .default('All')
    .describe('Which part of the stacks to keep: All, User (the program and its libraries) or Kernel'),
  byThread: z.boolean().default(false).describe('Tell the threads of a process apart'),
  maxStacks: z
    .int()
    .min(8)
    .max(65_536)
    .default(8192)
    .describe(
      'Room for different stacks in the kernel, 1 KiB each; what comes after is lost, and counted as such',
    ),
};
