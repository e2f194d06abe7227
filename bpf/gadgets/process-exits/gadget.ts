// process-exits: which processes end, how, and after how long. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { defineGadget, processColumns } from '../../gadget.ts';

export default defineGadget({
  name: 'process-exits',
  aliases: ['process-ends'],
  area: 'security',
  summary: 'Which processes end, with which code or by which signal, and after how long.',
  description:
    'One record per process, when its last thread ends; also of processes that were there before the job, or that never called exec (process-exec shows exits only of what it saw start). ' +
    'Lifetime counts from its fork. Threads that end while others go on are not in it.',
  parameters: z.object({
    failedOnly: z
      .boolean()
      .default(false)
      .describe('Only those with an exit code that is not 0, or killed by a signal'),
  }),
  sees: 'pod',
  subject: 'task',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 60, insideNs: 700 },
  source: () => ({
    kind: 'ring',
    record: 'exit_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When it ended' },
        ...processColumns,
        {
          name: 'parentProcess',
          member: 'parent.name',
          type: 'text',
          description: "The parent's name (comm)",
        },
        {
          name: 'parentPid',
          member: 'parent.pid',
          type: 'integer',
          description: "The parent's process id, as the host sees it",
        },
        { name: 'uid', type: 'integer', description: 'The user, as the host sees it' },
        {
          name: 'exitCode',
          type: 'integer',
          when: 'by_itself',
          optional: true,
          description: 'What it exited with; none: a signal ended it',
        },
        {
          name: 'signal',
          type: 'integer',
          names: 'signal',
          when: 'signal',
          optional: true,
          description: 'The signal that ended it',
        },
        { name: 'coreDumped', type: 'boolean', description: 'It left a core dump' },
        { name: 'lifetimeNs', type: 'integer', unit: 'ns', description: 'From its fork to its end' },
      ],
    },
  }),
  programs: () => [[[{ program: 'process_ended' }]]],
  knobs: ({ failedOnly }) => ({ variables: { failed_only: failedOnly } }),
});
