// stat-calls: which paths are looked at (stat and its family), by whom, and with what result. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { atCalls, callColumns, callParameters, callVariables } from '../../calls.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

export default defineGadget({
  name: 'stat-calls',
  aliases: ['statsnoop'],
  area: 'files',
  summary: 'Which paths are asked for their metadata, by whom, and which of them are missing.',
  description:
    'One record per stat, lstat, newfstatat, statx and statfs, taken when the call ends. Finds programs that search for a file in many places, or poll for one. ' +
    'Paths are as the process gave them: relative ones are not resolved, and an empty one stands for the file descriptor that the call was given. Not seen: fstat, access, calls by the 32-bit table.',
  parameters: z.object(callParameters),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 300, insideNs: 700 },
  source: () => ({
    kind: 'ring',
    record: 'stat_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When the call ended' },
        ...processColumns,
        ...callColumns,
        { name: 'path', type: 'text', sensitive: 'path', description: 'The path as the process gave it' },
      ],
    },
  }),
  programs: () => [
    atCalls('stat_exit', 'exit', ['stat', 'lstat', 'statfs']),
    atCalls('stat_at_exit', 'exit', ['newfstatat', 'statx']),
  ],
  knobs: (parameters) => ({ variables: callVariables(parameters) }),
});
