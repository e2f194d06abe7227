// off-cpu-profile: where threads wait. Program: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { defineGadget, processColumns, threadColumns } from '../../gadget.ts';
import { stackParameters } from '../../stack-parameters.ts';

/** In the order of enum off_state (program.bpf.c). */
const stateColumn = {
  name: 'state',
  type: 'integer',
  names: { 0: 'runnable', 1: 'sleeping', 2: 'uninterruptible', 3: 'stopped' },
  description:
    'What it waited for: runnable (a CPU), sleeping (anything a signal ends), uninterruptible (mostly I/O), stopped (a debugger or a signal)',
} as const;

const stateBits = { All: 0b1111, Blocked: 0b1110, Runnable: 0b0001 };

const microseconds = z.int().min(0).max(3_600_000_000);

export default defineGadget({
  name: 'off-cpu-profile',
  aliases: ['offcputime', 'off-cpu', 'profile-blockio'],
  area: 'cpu',
  summary: 'Where threads wait and for how long, by the stack they waited in, as a flame graph.',
  description:
    'Every switch away from a thread in scope keeps the time and the stack; the switch back to it adds the time between to that stack, in the kernel. Exact: no ' +
    'sampling. A wait that has not ended when the job ends counts until then; one that had begun before the job is not in it. By default it counts waits of both kinds: for something ' +
    '(sleep, lock, I/O) and for the CPU alone (preempted); states: Blocked leaves the latter out. Every context switch of the node pays about 0.1 µs, ' +
    'one between threads in scope 3 to 4 µs, mostly for walking the stack.',
  parameters: z.object({
    states: z
      .enum(['All', 'Blocked', 'Runnable'])
      .default('All')
      .describe('All waits, or only those for something (Blocked), or only those for a CPU (Runnable)'),
    minimumUs: microseconds.default(0).describe('Shorter waits are left out, microseconds'),
    maximumUs: microseconds.default(3_600_000_000).describe('Longer waits are left out, microseconds'),
    ...stackParameters,
  }),
  sees: 'pod',
  subject: 'task',
  capabilities: ['BPF', 'PERFMON', 'SYS_PTRACE', 'SYSLOG'],
  hitCost: { outsideNs: 100, insideNs: 3000 },
  source: ({ byThread, minimumUs, maximumUs }) => ({
    kind: 'stacks',
    map: 'profile',
    counts: 'waits',
    unended: {
      map: 'off',
      duration: 'offCpuNs',
      minimumNs: 1000 * minimumUs,
      maximumNs: 1000 * maximumUs,
    },
    shape: {
      kind: 'stacks',
      keys: [...processColumns, ...(byThread ? threadColumns : []), stateColumn],
      weights: [
        {
          name: 'offCpuNs',
          type: 'integer',
          unit: 'ns',
          fold: 'sum',
          noun: 'time off CPU',
          description: 'Time between the switch away from a thread and the switch back to it',
        },
        { name: 'waits', type: 'integer', fold: 'sum', description: 'How often' },
      ],
    },
  }),
  programs: () => [[[{ program: 'switch_threads' }]]],
  knobs: ({ states, minimumUs, maximumUs, stacks, byThread, maxStacks }) => ({
    variables: {
      wanted_states: stateBits[states],
      minimum_ns: 1000n * BigInt(minimumUs),
      maximum_ns: 1000n * BigInt(maximumUs),
      user_stacks: stacks !== 'Kernel',
      kernel_stacks: stacks !== 'User',
      by_thread: byThread,
    },
    maxEntries: { stacks: maxStacks, profile: 2 * maxStacks },
  }),
});
