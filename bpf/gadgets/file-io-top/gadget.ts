// file-io-top: which files are read and written how much, by whom. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import {
  fileIoParameters,
  fileIoPrograms,
  fileIoVariables,
  operationColumn,
  whichCalls,
} from '../../file-io.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

export default defineGadget({
  name: 'file-io-top',
  aliases: ['filetop', 'dirtop', 'top-file'],
  area: 'files',
  summary: 'Which files are read and written, how much, how long, and by whom.',
  description:
    whichCalls +
    'A row per process, file and direction, counted in the kernel. A file is shown by the last part of its path, at most 63 bytes, and told apart by its inode.',
  parameters: z.object({
    ...fileIoParameters(0),
    maxRows: z
      .int()
      .min(64)
      .max(262_144)
      .default(16_384)
      .describe(
        'Room for rows in the kernel, per CPU that made the call; what comes after is lost, and counted as such',
      ),
  }),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 150, insideNs: 500 },
  source: () => ({
    kind: 'table',
    map: 'usages',
    counts: 'calls',
    shape: {
      kind: 'table',
      keys: [
        ...processColumns,
        { name: 'file', type: 'text', sensitive: 'path', description: "The file's name, without its folder" },
        { name: 'inode', type: 'integer', description: 'Its number in its file system' },
        operationColumn,
      ],
      values: [
        { name: 'calls', type: 'integer', unit: 'calls', fold: 'sum', description: 'Calls that ended' },
        {
          name: 'bytes',
          type: 'integer',
          unit: 'bytes',
          fold: 'sum',
          noun: 'bytes of file I/O',
          description: 'What they read or wrote',
        },
        {
          name: 'totalNs',
          type: 'integer',
          unit: 'ns',
          fold: 'sum',
          description: 'How long they took together',
        },
        { name: 'maxNs', type: 'integer', unit: 'ns', fold: 'max', description: 'The longest' },
      ],
      sort: 'bytes',
    },
  }),
  programs: fileIoPrograms,
  knobs: ({ maxRows, ...parameters }) => ({
    variables: fileIoVariables(parameters),
    maxEntries: { usages: maxRows },
  }),
});
