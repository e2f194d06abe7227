// block-io-latency: how long requests to disks take. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { blockPrograms, diskColumn, operationColumn, whoseRequests } from '../../block.ts';
import { defineGadget, processColumns } from '../../gadget.ts';
import { histogramParameters } from '../../histogram-parameters.ts';

export default defineGadget({
  name: 'block-io-latency',
  aliases: ['biolatency', 'biolatpcts', 'profile-block-io'],
  area: 'disk',
  summary: 'How long requests to disks take, by disk and operation, as a histogram.',
  description:
    'Counted in the kernel when the disk has done a request; from its start, or with queue: false from when it was given to the disk. ' +
    whoseRequests +
    'The report’s percentiles are of buckets by powers of two.',
  parameters: z.object({
    queue: z.boolean().default(true).describe('Count the wait for the disk too'),
    ...histogramParameters,
  }),
  sees: 'pod',
  subject: 'bio',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 80, insideNs: 500 },
  source: ({ byProcess }) => ({
    kind: 'histogram',
    map: 'latencies',
    shape: {
      kind: 'histogram',
      keys: [diskColumn, operationColumn, ...(byProcess ? processColumns : [])],
      value: {
        name: 'latencyNs',
        type: 'integer',
        unit: 'ns',
        noun: 'disk requests',
        description: 'How long the request took',
      },
      scale: { kind: 'log2' },
    },
  }),
  programs: blockPrograms,
  knobs: ({ queue, byProcess, maxRows }) => ({
    variables: { without_queue: !queue, by_process: byProcess },
    maxEntries: { latencies: maxRows },
  }),
});
