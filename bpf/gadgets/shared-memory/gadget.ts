// shared-memory: which segments are made, attached and removed, how large, by whom. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { atCalls, callColumns, callParameters, callVariables } from '../../calls.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

// By their numbers plus one: the record's 0 is no command, and IPC_RMID is the kernel's 0.
const commands = {
  1: 'IPC_RMID',
  2: 'IPC_SET',
  3: 'IPC_STAT',
  4: 'IPC_INFO',
  12: 'SHM_LOCK',
  13: 'SHM_UNLOCK',
  14: 'SHM_STAT',
  15: 'SHM_INFO',
};

export default defineGadget({
  name: 'shared-memory',
  aliases: ['shmsnoop'],
  area: 'memory',
  summary: 'Which shared memory is made, attached and removed, how large it is, and by whom.',
  description:
    'One record per shmget, shmat, shmdt, shmctl and memfd_create, taken when the call ends. What shm_open makes is a file under /dev/shm: open-files shows it. ' +
    'Not seen: memory shared by mmap of a file or by fork.',
  parameters: z.object(callParameters),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 150, insideNs: 700 },
  source: () => ({
    kind: 'ring',
    record: 'shared_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When the call ended' },
        ...processColumns,
        ...callColumns,
        {
          name: 'segment',
          type: 'integer',
          description: 'The segment’s id, of memfd_create the file descriptor; -1: none',
        },
        { name: 'segmentKey', type: 'integer', description: 'Of shmget: the key; 0: private' },
        {
          name: 'sizeBytes',
          type: 'integer',
          unit: 'bytes',
          description: 'Of shmget: how large it shall be',
        },
        { name: 'flags', type: 'integer', description: 'IPC_…, SHM_… or MFD_… flags, by the call' },
        {
          name: 'command',
          type: 'integer',
          names: commands,
          when: 'command',
          optional: true,
          description: 'Of shmctl',
        },
        { name: 'name', type: 'text', sensitive: 'path', description: 'Of memfd_create' },
      ],
    },
  }),
  programs: () => [
    atCalls('shared_get_exit', 'exit', ['shmget']),
    atCalls('shared_attach_exit', 'exit', ['shmat']),
    atCalls('shared_detach_exit', 'exit', ['shmdt']),
    atCalls('shared_control_exit', 'exit', ['shmctl']),
    atCalls('shared_memfd_exit', 'exit', ['memfd_create']),
  ],
  knobs: (parameters) => ({ variables: callVariables(parameters) }),
});
