// A small catalogue of its own for the tests of crds/, so that their goldens do not change with the real one.

import { z } from 'zod';

export const gadgets = [
  {
    name: 'cpu-profile',
    aliases: ['profile'],
    summary: 'Which code uses the CPU?',
    parameters: z.object({
      frequencyHz: z.int().min(1).max(999).default(99).describe('Samples per second and CPU.'),
      stacks: z.enum(['user', 'kernel', 'both']).default('both').describe('Which stacks are taken.'),
    }),
  },
  {
    name: 'open-files',
    aliases: ['opensnoop'],
    summary: 'Which files are opened?',
    parameters: z.object({
      failedOnly: z.boolean().default(false).describe('Only what failed.'),
      minimumNs: z.number().gt(0).optional().describe('Only opens that took longer, in nanoseconds.'),
    }),
  },
];
