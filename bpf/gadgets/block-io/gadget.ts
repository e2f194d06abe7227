// block-io: each request to a disk. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { blockPrograms, diskColumn, operationColumn, whoseRequests } from '../../block.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

export default defineGadget({
  name: 'block-io',
  aliases: ['biosnoop', 'trace-bio'],
  area: 'disk',
  summary: 'Each request to a disk: by whom, how large, how long it waited and how long it took.',
  description:
    'One record per request, when the disk has done it. ' +
    whoseRequests +
    'Several calls may be merged into one request, which is the first one’s; a call may need several.',
  parameters: z.object({
    minimumNs: z
      .int()
      .min(0)
      .max(3_600_000_000_000)
      .default(0)
      .describe('Requests that took less are left out, nanoseconds'),
  }),
  sees: 'pod',
  subject: 'bio',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 80, insideNs: 600 },
  source: () => ({
    kind: 'ring',
    record: 'block_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When it was done' },
        ...processColumns,
        diskColumn,
        operationColumn,
        { name: 'sector', type: 'integer', description: 'Where on the disk, in units of 512 bytes' },
        { name: 'sizeBytes', type: 'integer', unit: 'bytes', description: 'How much' },
        {
          name: 'queuedNs',
          type: 'integer',
          unit: 'ns',
          description: 'How long it waited until it was given to the disk',
        },
        {
          name: 'latencyNs',
          type: 'integer',
          unit: 'ns',
          description: 'From its start to its end, the wait included',
        },
        { name: 'failed', type: 'boolean', description: 'The disk reported an error' },
      ],
    },
  }),
  programs: blockPrograms,
  knobs: ({ minimumNs }) => ({ variables: { minimum_ns: BigInt(minimumNs) } }),
});
