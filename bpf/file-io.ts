// Reads and writes of files by system calls: what gadgets about them have in common. Their programs include bpf/include/file_io.bpf.h.

import { z } from 'zod';
import { atCalls, callParameters, callVariables } from './calls.ts';
import type { From, ProgramChoice } from './gadget.ts';

const reads = ['read', 'pread64', 'readv', 'preadv', 'preadv2'];
const writes = ['write', 'pwrite64', 'writev', 'pwritev', 'pwritev2'];

export function fileIoParameters(minimumNs: number) {
  return {
    ...callParameters,
    minimumNs: z
      .int()
      .min(0)
      .max(3_600_000_000_000)
      .default(minimumNs)
      .describe('Calls that took less are left out, nanoseconds'),
    allFiles: z
      .boolean()
      .default(false)
      .describe('Pipes, sockets, terminals and devices too, not only regular files'),
  };
}

export function fileIoVariables(
  parameters: Parameters<typeof callVariables>[0] & { minimumNs: number; allFiles: boolean },
) {
  return {
    ...callVariables(parameters),
    minimum_ns: BigInt(parameters.minimumNs),
    all_files: parameters.allFiles,
  };
}

export function fileIoPrograms(): ProgramChoice[] {
  return [
    atCalls('file_io_enter', 'enter', [...reads, ...writes]),
    atCalls('file_read_exit', 'exit', reads),
    atCalls('file_write_exit', 'exit', writes),
  ];
}

export const operationColumn = {
  name: 'operation',
  type: 'integer',
  member: 'writes',
  names: { 0: 'Read', 1: 'Write' },
  description: 'Which way',
} as const satisfies From;

/** What all their descriptions say. */
export const whichCalls =
  'Calls of the read and write families, from entry to end, whether the page cache answers or the disk. Not seen: files that are mapped into memory, sendfile and its like, io_uring, ' +
  'calls by the 32-bit table. Every such call of the node pays about 0.3 µs while the job runs, and every other call about 0.04 µs. ';
