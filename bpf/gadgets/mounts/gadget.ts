// mounts: what is mounted and unmounted, by whom, and with what result. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { atCalls, callColumns, callParameters, callVariables } from '../../calls.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

export default defineGadget({
  name: 'mounts',
  aliases: ['mountsnoop', 'trace-mount'],
  area: 'files',
  summary: 'What is mounted, moved and unmounted, by whom, and with what result.',
  description:
    'One record per mount, umount2, fsopen and move_mount, taken when the call ends. With the newer calls a mount takes several: fsopen names the type, move_mount the place. ' +
    'Paths are as the process gave them, in its own mount namespace. What the container runtime mounts for a pod is done outside the pod, and is not in it.',
  parameters: z.object(callParameters),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 150, insideNs: 1200 },
  source: () => ({
    kind: 'ring',
    record: 'mount_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When the call ended' },
        ...processColumns,
        ...callColumns,
        {
          name: 'source',
          type: 'text',
          sensitive: 'path',
          description: 'What is mounted: a device, a path, a name',
        },
        { name: 'target', type: 'text', sensitive: 'path', description: 'Where' },
        { name: 'type', type: 'text', description: 'The file system' },
        { name: 'flags', type: 'integer', description: 'MS_…, MNT_… or MOVE_MOUNT_… flags, by the call' },
      ],
    },
  }),
  programs: () => [
    atCalls('mount_exit', 'exit', ['mount']),
    atCalls('unmount_exit', 'exit', ['umount2']),
    atCalls('move_mount_exit', 'exit', ['move_mount']),
    atCalls('filesystem_open_exit', 'exit', ['fsopen']),
  ],
  knobs: (parameters) => ({ variables: callVariables(parameters) }),
});
