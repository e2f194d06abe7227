// capabilities: which capabilities are needed, by whom, from where. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { defineGadget, type From, processColumns } from '../../gadget.ts';

/** linux/capability.h, in its order. */
export const capabilityNames: Record<number, string> = Object.fromEntries(
  [
    ...[
      'CHOWN',
      'DAC_OVERRIDE',
      'DAC_READ_SEARCH',
      'FOWNER',
      'FSETID',
      'KILL',
      'SETGID',
      'SETUID',
      'SETPCAP',
    ],
    ...[
      'LINUX_IMMUTABLE',
      'NET_BIND_SERVICE',
      'NET_BROADCAST',
      'NET_ADMIN',
      'NET_RAW',
      'IPC_LOCK',
      'IPC_OWNER',
    ],
    ...[
      'SYS_MODULE',
      'SYS_RAWIO',
      'SYS_CHROOT',
      'SYS_PTRACE',
      'SYS_PACCT',
      'SYS_ADMIN',
      'SYS_BOOT',
      'SYS_NICE',
    ],
    ...[
      'SYS_RESOURCE',
      'SYS_TIME',
      'SYS_TTY_CONFIG',
      'MKNOD',
      'LEASE',
      'AUDIT_WRITE',
      'AUDIT_CONTROL',
      'SETFCAP',
    ],
    ...['MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF'],
    'CHECKPOINT_RESTORE',
  ].map((name, number) => [number, `CAP_${name}`]),
);

const keys: From[] = [
  { name: 'capability', type: 'integer', names: capabilityNames, description: 'What was looked for' },
  {
    name: 'result',
    type: 'integer',
    member: 'denied',
    names: { 0: 'Granted', 1: 'Denied' },
    description: 'Whether the process has it',
  },
  ...processColumns,
];

const checks = {
  name: 'checks',
  type: 'integer',
  fold: 'sum',
  noun: 'capability checks',
  description: 'How often',
} as const;

export default defineGadget({
  name: 'capabilities',
  aliases: ['capable', 'trace-capabilities'],
  area: 'security',
  summary: 'Which capabilities are needed, by whom, and whether they have them.',
  description:
    'Counted in the kernel; a row per process, capability and answer, with stacks per place in the code as well. ' +
    'The kernel also asks out of curiosity (is this process privileged? then it may go beyond a limit), and a Denied need not be an error for the program: ' +
    'CAP_SYS_ADMIN at exec and mmap is of this kind. Needs Linux 6.14, or fexit (CONFIG_FUNCTION_TRACER).',
  parameters: z.object({
    deniedOnly: z.boolean().default(false).describe('Only what was looked for and not there'),
    stacks: z
      .enum(['None', 'All', 'User', 'Kernel'])
      .default('None')
      .describe('From where: no stacks, or which part of them'),
    maxRows: z
      .int()
      .min(64)
      .max(65_536)
      .default(8192)
      .describe('Room for rows in the kernel; what comes after is lost, and counted as such'),
  }),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON', 'SYS_PTRACE', 'SYSLOG'],
  hitCost: { outsideNs: 60, insideNs: 400 },
  source: ({ stacks }) =>
    stacks === 'None'
      ? {
          kind: 'table',
          map: 'checks',
          counts: 'checks',
          shape: { kind: 'table', keys, values: [checks], sort: 'checks' },
        }
      : {
          kind: 'stacks',
          map: 'checks',
          counts: 'checks',
          shape: { kind: 'stacks', keys, weights: [checks] },
        },
  programs: () => [[[{ program: 'capability_checked' }], [{ program: 'capability_check_exit' }]]],
  knobs: ({ deniedOnly, stacks, maxRows }) => ({
    variables: {
      denied_only: deniedOnly,
      user_stacks: stacks === 'All' || stacks === 'User',
      kernel_stacks: stacks === 'All' || stacks === 'Kernel',
    },
    maxEntries: { checks: maxRows, stacks: stacks === 'None' ? 1 : maxRows },
  }),
});
