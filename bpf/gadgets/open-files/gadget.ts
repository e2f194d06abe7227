// open-files: who opened which file, and what came of it. Its programs are in program.bpf.c, its test in gadget.test.ts.

import { z } from 'zod';
import { atCalls, callParameters, callVariables, errnoColumn, uidColumn } from '../../calls.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

export default defineGadget({
  name: 'open-files',
  aliases: ['opensnoop', 'trace-open'],
  area: 'files',
  summary: 'Which files are opened, by whom, and with what result.',
  description:
    'One record per open, openat, openat2, creat and, where the kernel has its trace points, per open by io_uring; taken when the call ends. ' +
    'A traced open pays about half a microsecond. Where the kernel has fexit (CONFIG_FUNCTION_TRACER), other calls pay nothing; where it has not, ' +
    'each call of each process on the node pays about 0.04 µs while the job runs, and opens by 32-bit processes are not seen. ' +
    'Not seen: open_by_handle_at, files opened by the kernel for itself (exec, core dumps), calls that are still blocked when the job ends. ' +
    'Paths are as the process gave them: relative ones are not resolved, and a path that another thread changes during the call is recorded as it was at the end.',
  parameters: z.object({
    ...callParameters,
    pathPrefix: z
      .string()
      .refine((path) => Buffer.byteLength(path) <= 64, { error: 'at most 64 bytes' })
      .default('')
      .describe('Only paths that begin so, as the process gave them; at most 64 bytes. Empty: all'),
  }),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 300, insideNs: 800 },
  source: () => ({
    kind: 'ring',
    record: 'open_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When the call ended' },
        ...processColumns,
        uidColumn,
        {
          name: 'syscall',
          type: 'integer',
          names: 'syscall',
          description: 'The call; io_uring_enter: submitted by io_uring',
        },
        {
          name: 'flags',
          type: 'integer',
          description:
            'O_… flags as the process gave them, without O_LARGEFILE; their values are the architecture’s',
        },
        { name: 'fd', type: 'integer', description: 'The file descriptor; -1: failed' },
        errnoColumn,
        {
          name: 'path',
          type: 'text',
          sensitive: 'path',
          description: 'The path as the process gave it',
        },
      ],
    },
  }),
  programs: () => [
    // Best for the neighbours first; arm64 has neither open nor creat.
    [
      [{ program: 'open_exit_function' }],
      ...atCalls('open_exit_call', 'exit', ['openat', 'openat2', 'open', 'creat']),
    ],
    [[{ program: 'open_uring_submit' }, { program: 'open_uring_complete' }], []],
  ],
  knobs: ({ pathPrefix, ...call }) => ({
    variables: {
      ...callVariables(call),
      path_prefix: pathPrefix,
      path_prefix_length: Buffer.byteLength(pathPrefix),
    },
  }),
});
