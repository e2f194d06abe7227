// sync-calls: who asks for data to be on the disk, for which file, and how long that takes. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { atCalls, callColumns, callParameters, callVariables } from '../../calls.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

const ofFiles = ['fsync', 'fdatasync', 'syncfs', 'sync_file_range'];
const others = ['sync', 'msync'];

export default defineGadget({
  name: 'sync-calls',
  aliases: ['syncsnoop', 'profile-fsync', 'fsnotify-sync'],
  area: 'files',
  summary: 'Who waits until data is on the disk, for which file, and for how long.',
  description:
    'One record per sync, syncfs, fsync, fdatasync, msync and sync_file_range, with how long it took. The file is the last part of its path. ' +
    'Not seen: files opened with O_SYNC or O_DSYNC, whose writes wait by themselves; calls by io_uring; a call that was under way when the job began has a duration of 0.',
  parameters: z.object({
    ...callParameters,
    minimumNs: z
      .int()
      .min(0)
      .max(3_600_000_000_000)
      .default(0)
      .describe('Shorter calls are left out, nanoseconds'),
  }),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 150, insideNs: 700 },
  source: () => ({
    kind: 'ring',
    record: 'sync_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When the call ended' },
        ...processColumns,
        ...callColumns,
        { name: 'durationNs', type: 'integer', unit: 'ns', description: 'From its entry to its end' },
        { name: 'fd', type: 'integer', description: 'The file descriptor; -1: the call takes none' },
        { name: 'file', type: 'text', sensitive: 'path', description: "The file's name, without its folder" },
      ],
    },
  }),
  programs: () => [
    atCalls('sync_enter', 'enter', [...ofFiles, ...others]),
    atCalls('sync_file_exit', 'exit', ofFiles),
    atCalls('sync_exit', 'exit', others),
  ],
  knobs: (parameters) => ({
    variables: { ...callVariables(parameters), minimum_ns: BigInt(parameters.minimumNs) },
  }),
});
