// syscall-counts: which system calls are made, how often, how long they take, how often they fail. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { numberOf } from '../../../agent/names.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

const valueColumns = [
  { name: 'calls', type: 'integer', unit: 'calls', fold: 'sum', description: 'Calls that returned' },
  { name: 'errors', type: 'integer', fold: 'sum', description: 'Those of them that failed' },
] as const;

const timeColumns = [
  {
    name: 'totalNs',
    type: 'integer',
    unit: 'ns',
    fold: 'sum',
    noun: 'system call time',
    description: 'Time from entry to return, of all calls together',
  },
  { name: 'maxNs', type: 'integer', unit: 'ns', fold: 'max', description: 'The longest' },
] as const;

export default defineGadget({
  name: 'syscall-counts',
  aliases: ['syscount'],
  area: 'processes',
  summary: 'Which system calls are made, how often and for how long, and how often they fail.',
  description:
    'Counted in the kernel; a row per container and call, with byProcess also per process. A call is counted when it returns: exit and exit_group never do, ' +
    'and what still waits when the job ends is not in it. A call that was under way when the job began is counted without its time. ' +
    'Calls by the 32-bit table are listed as 100000 plus their number there. Every call of every process on the node pays for its entry and its exit ' +
    'about 0.09 µs each while the job runs (with time: false for the exit alone), a traced one about 0.15 µs each.',
  parameters: z.object({
    syscalls: z
      .array(
        z
          .string()
          .max(40)
          .refine((name) => numberOf('syscall', name, 'x86') ?? numberOf('syscall', name, 'arm64'), {
            error: 'no such system call; read and openat are two',
          }),
      )
      .max(64)
      .default([])
      .describe('Only these calls, by name. Empty: all'),
    errorsOnly: z.boolean().default(false).describe('Only calls that failed'),
    byProcess: z.boolean().default(false).describe('A row for each process, not only for each container'),
    time: z
      .boolean()
      .default(true)
      .describe('Measure how long calls take; false halves what the job costs, and misses rt_sigreturn'),
    maxRows: z
      .int()
      .min(64)
      .max(262144)
      .default(16384)
      .describe(
        'Room for rows in the kernel, per CPU that made the call; what comes after is lost, and counted as such',
      ),
  }),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  // A call's entry counts as outside, its exit as inside: together what both take.
  hitCost: { outsideNs: 85, insideNs: 215 },
  source: ({ byProcess, time }) => ({
    kind: 'table',
    map: 'calls',
    counts: 'calls',
    shape: {
      kind: 'table',
      keys: [
        { name: 'syscall', type: 'integer', names: 'syscall', description: 'The call' },
        ...(byProcess ? processColumns : []),
      ],
      values: [...valueColumns, ...(time ? timeColumns : [])],
      sort: time ? 'totalNs' : 'calls',
    },
  }),
  programs: ({ time }) => [[[...(time ? [{ program: 'call_enter' }] : []), { program: 'call_exit' }]]],
  knobs: ({ syscalls, errorsOnly, byProcess, maxRows }, arch) => ({
    variables: {
      errors_only: errorsOnly,
      by_process: byProcess,
      by_call: syscalls.length > 0,
      calls_wanted: bitsOf(syscalls.flatMap((name) => numberOf('syscall', name, arch) ?? [])),
    },
    maxEntries: { calls: maxRows },
  }),
});

/** u64[8], a bit for each number. */
function bitsOf(numbers: number[]): bigint[] {
  const words = Array.from({ length: 8 }, () => 0n);
  for (const number of numbers) words[number >> 6] = (words[number >> 6] ?? 0n) | (1n << BigInt(number & 63));
  return words;
}
