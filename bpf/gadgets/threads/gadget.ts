// threads: which threads and processes are made, by whom. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { defineGadget, processColumns } from '../../gadget.ts';

export default defineGadget({
  name: 'threads',
  aliases: ['threadsnoop'],
  area: 'security',
  summary: 'Which threads and processes are made, and by whom.',
  description:
    'One record per clone, fork and vfork that succeeds, before the new task runs. By the kernel’s task_newtask, so that it sees threads of every language and library. ' +
    'The start routine of a thread is not known to the kernel: function-calls on pthread_create shows it.',
  parameters: z.object({
    threadsOnly: z.boolean().default(false).describe('Only new threads of a process, no new processes'),
  }),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 60, insideNs: 500 },
  source: () => ({
    kind: 'ring',
    record: 'thread_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When it was made' },
        ...processColumns,
        { name: 'thread', type: 'integer', description: 'The thread that made it, as the host sees it' },
        {
          name: 'kind',
          member: 'is_thread',
          type: 'integer',
          names: { 0: 'Process', 1: 'Thread' },
          description: 'What was made',
        },
        { name: 'newThread', type: 'integer', description: 'Its thread id, as the host sees it' },
        {
          name: 'newProcess',
          type: 'integer',
          description: 'The process it belongs to, as the host sees it',
        },
        { name: 'flags', type: 'integer', description: 'CLONE_… flags' },
      ],
    },
  }),
  programs: () => [[[{ program: 'thread_made' }]]],
  knobs: ({ threadsOnly }) => ({ variables: { threads_only: threadsOnly } }),
});
