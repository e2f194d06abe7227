// process-exec: which programs are started, with what arguments, by whom, and how they end. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { defineGadget, processColumns } from '../../gadget.ts';

export default defineGadget({
  name: 'process-exec',
  aliases: ['execsnoop', 'exitsnoop', 'trace-exec'],
  area: 'processes',
  summary: 'Which programs are started, with which arguments, by whom, and how they end.',
  description:
    'One record per successful exec, completed when the process ends: with its exit code or signal, and how long it ran. ' +
    'Processes that do not exec (a plain fork) are not listed. A program that replaces itself by another exec ends as "replaced". ' +
    'Arguments are read at once from the new program’s memory, at most 4096 bytes of them; argumentsTruncated says that there were more. ' +
    'What still runs when the job ends has no end. Nothing is paid by processes that start and end no program, ' +
    'except with includeFailed, whose trace points cost each call of each process on the node about 0.04 µs.',
  parameters: z.object({
    includeFailed: z
      .boolean()
      .default(false)
      .describe('Also exec calls that failed, with their errno; of their arguments at most 64'),
    processName: z
      .string()
      .refine((name) => Buffer.byteLength(name) < 16, { error: 'a process name has at most 15 bytes' })
      .default('')
      .describe(
        'Only programs of this name (comm after the exec, at most 15 bytes; of a failed exec its caller’s). Empty: all',
      ),
  }),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 200, insideNs: 950 },
  source: () => ({
    kind: 'ring',
    record: 'exec_record',
    completion: 'exit_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When the program was started' },
        ...processColumns,
        {
          name: 'parentProcess',
          member: 'parent.name',
          type: 'text',
          description: "The parent's name (comm) at that moment",
        },
        {
          name: 'parentPid',
          member: 'parent.pid',
          type: 'integer',
          description: "The parent's process id, as the host sees it",
        },
        { name: 'uid', type: 'integer', description: 'The user, as the host sees it' },
        {
          name: 'filename',
          type: 'text',
          sensitive: 'path',
          description: 'The file, as it was given to exec',
        },
        {
          name: 'arguments',
          type: 'textList',
          sensitive: 'arguments',
          description: 'All arguments, the zeroth among them',
        },
        {
          name: 'argumentsTruncated',
          type: 'boolean',
          description: 'There were more arguments than are recorded (4096 bytes; 64 of a failed exec)',
        },
        {
          name: 'errno',
          type: 'integer',
          names: 'errno',
          when: 'errno',
          optional: true,
          description: 'Why exec failed (includeFailed)',
        },
        {
          name: 'ended',
          type: 'integer',
          names: { 1: 'exited', 2: 'killed', 3: 'replaced', 4: 'failed' },
          completion: true,
          optional: true,
          description: 'exited, killed (by a signal), replaced (by its next exec), failed (exec itself did)',
        },
        {
          name: 'exitCode',
          type: 'integer',
          when: 'exited',
          completion: true,
          optional: true,
          description: 'The exit code of a program that exited',
        },
        {
          name: 'signal',
          type: 'integer',
          names: 'signal',
          when: 'signal',
          completion: true,
          optional: true,
          description: 'The signal that killed it',
        },
        {
          name: 'lifetimeNs',
          type: 'integer',
          unit: 'ns',
          completion: true,
          optional: true,
          description: 'From its exec to its end',
        },
      ],
    },
  }),
  programs: ({ includeFailed }) => [
    [[{ program: 'exec_done' }, { program: 'exec_ended' }]],
    ...(includeFailed ? [[[{ program: 'exec_failed_execve' }, { program: 'exec_failed_execveat' }]]] : []),
  ],
  knobs: ({ processName }) => ({
    variables: { by_process_name: processName !== '', process_name: processName },
  }),
});
