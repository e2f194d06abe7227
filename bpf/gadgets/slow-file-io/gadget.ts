// slow-file-io: each read or write of a file that took too long. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { callColumns } from '../../calls.ts';
import {
  fileIoParameters,
  fileIoPrograms,
  fileIoVariables,
  operationColumn,
  whichCalls,
} from '../../file-io.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

export default defineGadget({
  name: 'slow-file-io',
  aliases: [
    'fileslower',
    'ext4slower',
    'xfsslower',
    'btrfsslower',
    'nfsslower',
    'fsslower',
    'trace-fsslower',
  ],
  area: 'files',
  summary: 'Each read or write of a file that took too long, with the file and how long.',
  description: `${whichCalls}One record per call that took at least minimumNs, when it ends.`,
  parameters: z.object(fileIoParameters(10_000_000)),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 150, insideNs: 350 },
  source: () => ({
    kind: 'ring',
    record: 'slow_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When the call ended' },
        ...processColumns,
        ...callColumns,
        operationColumn,
        { name: 'durationNs', type: 'integer', unit: 'ns', description: 'From its entry to its end' },
        { name: 'sizeBytes', type: 'integer', unit: 'bytes', description: 'What it read or wrote' },
        { name: 'fd', type: 'integer', description: 'The file descriptor' },
        { name: 'file', type: 'text', sensitive: 'path', description: "The file's name, without its folder" },
      ],
    },
  }),
  programs: fileIoPrograms,
  knobs: (parameters) => ({ variables: fileIoVariables(parameters) }),
});
