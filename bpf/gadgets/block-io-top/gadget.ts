// block-io-top: who uses the disks, and how. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { blockPrograms, diskColumn, operationColumn, whoseRequests } from '../../block.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

export default defineGadget({
  name: 'block-io-top',
  aliases: ['biotop', 'bitesize', 'biopattern', 'top-blockio'],
  area: 'disk',
  summary: 'Which processes use the disks, with how many requests and bytes, for how long, how sequentially.',
  description:
    'Counted in the kernel when the disk has done a request; a row per process, disk and operation. ' +
    whoseRequests +
    'A request is sequential when it begins where the last one of the same container on that disk ended.',
  parameters: z.object({
    maxRows: z
      .int()
      .min(64)
      .max(262_144)
      .default(16_384)
      .describe(
        'Room for rows in the kernel, per CPU that the disk answered on; what comes after is lost, and counted as such',
      ),
  }),
  sees: 'pod',
  subject: 'bio',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 80, insideNs: 500 },
  source: () => ({
    kind: 'table',
    map: 'usages',
    counts: 'requests',
    shape: {
      kind: 'table',
      keys: [...processColumns, diskColumn, operationColumn],
      values: [
        { name: 'requests', type: 'integer', fold: 'sum', description: 'Requests that were done' },
        {
          name: 'bytes',
          type: 'integer',
          unit: 'bytes',
          fold: 'sum',
          noun: 'bytes to and from disks',
          description: 'How much',
        },
        {
          name: 'totalNs',
          type: 'integer',
          unit: 'ns',
          fold: 'sum',
          description: 'How long they took together',
        },
        {
          name: 'longestNs',
          member: 'max_ns',
          type: 'integer',
          unit: 'ns',
          fold: 'max',
          description: 'The longest',
        },
        {
          name: 'largestBytes',
          member: 'max_bytes',
          type: 'integer',
          unit: 'bytes',
          fold: 'max',
          description: 'The largest',
        },
        {
          name: 'sequential',
          type: 'integer',
          fold: 'sum',
          description: 'Those that began where the one before ended',
        },
      ],
      sort: 'bytes',
    },
  }),
  programs: blockPrograms,
  knobs: ({ maxRows }) => ({ maxEntries: { usages: maxRows } }),
});
