// signals: who sends which signal to whom, and what becomes of it. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { numberOf } from '../../../agent/names.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

export default defineGadget({
  name: 'signals',
  aliases: ['sigsnoop', 'killsnoop', 'trace-signal'],
  area: 'security',
  summary: 'Who sends which signal to whom, and whether it arrives.',
  description:
    'One record per signal that is sent: by kill and its family, by the kernel (a crash, a timer, a closed pipe), by a terminal. A pod is told of what its processes get, whoever sends it, ' +
    'with the name of the sender; with bySender of what its processes send. The sender of a signal by the kernel is whoever ran just then. ' +
    'Ignored: the process has the signal ignored; AlreadyPending: it was waiting for the process already.',
  parameters: z.object({
    signals: z
      .array(
        z
          .string()
          .max(16)
          .refine((name) => numberOf('signal', name, 'x86') !== undefined, {
            error: 'no such signal; SIGTERM and SIGKILL are two',
          }),
      )
      .max(64)
      .default([])
      .describe('Only these signals, by name. Empty: all'),
    bySender: z
      .boolean()
      .default(false)
      .describe('What the processes in scope send, instead of what they get'),
  }),
  // The sender may be anybody: its name and pid are all that is told.
  sees: 'pod',
  subject: 'task',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 60, insideNs: 500 },
  source: () => ({
    kind: 'ring',
    record: 'signal_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When it was sent' },
        ...processColumns,
        { name: 'signal', type: 'integer', names: 'signal', description: 'The signal' },
        {
          name: 'result',
          type: 'integer',
          names: { 0: 'Delivered', 1: 'Ignored', 2: 'AlreadyPending', 3: 'QueueFull', 4: 'InfoLost' },
          description: 'What became of it',
        },
        {
          name: 'sender',
          member: 'sender.name',
          type: 'text',
          description: 'The name of the process that sent it',
        },
        {
          name: 'senderPid',
          member: 'sender.pid',
          type: 'integer',
          description: 'Its process id, as the host sees it',
        },
        {
          name: 'code',
          type: 'integer',
          description: 'Why, as in siginfo: 0 by kill, -6 by tgkill, 128 by the kernel, others by the signal',
        },
        {
          name: 'thread',
          type: 'integer',
          when: 'thread',
          optional: true,
          description: 'The thread that it was sent to; none: to the process',
        },
      ],
    },
  }),
  programs: () => [[[{ program: 'signal_sent' }]]],
  knobs: ({ signals, bySender }) => ({
    variables: {
      by_sender: bySender,
      signals_wanted: signals.reduce(
        (bits, name) => bits | (1n << BigInt((numberOf('signal', name, 'x86') ?? 1) - 1)),
        0n,
      ),
    },
  }),
});
