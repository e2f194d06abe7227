// file-io-latency: how long reads and writes of files take. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import {
  fileIoParameters,
  fileIoPrograms,
  fileIoVariables,
  operationColumn,
  whichCalls,
} from '../../file-io.ts';
import { defineGadget, processColumns } from '../../gadget.ts';
import { histogramParameters } from '../../histogram-parameters.ts';

export default defineGadget({
  name: 'file-io-latency',
  aliases: ['ext4dist', 'xfsdist', 'btrfsdist', 'nfsdist', 'fsdist'],
  area: 'files',
  summary: 'How long reads and writes of files take, as a histogram.',
  description: `${whichCalls}Of any file system. Counted in the kernel; exact.`,
  parameters: z.object({
    ...fileIoParameters(0),
    ...histogramParameters,
  }),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 150, insideNs: 450 },
  source: ({ byProcess }) => ({
    kind: 'histogram',
    map: 'latencies',
    shape: {
      kind: 'histogram',
      keys: [operationColumn, ...(byProcess ? processColumns : [])],
      value: {
        name: 'latencyNs',
        type: 'integer',
        unit: 'ns',
        noun: 'file I/O',
        description: 'How long the call took',
      },
      scale: { kind: 'log2' },
    },
  }),
  programs: fileIoPrograms,
  knobs: ({ byProcess, maxRows, ...parameters }) => ({
    variables: { ...fileIoVariables(parameters), by_process: byProcess },
    maxEntries: { latencies: maxRows },
  }),
});
