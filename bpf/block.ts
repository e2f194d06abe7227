// Block I/O requests: what gadgets about them have in common. Their programs include bpf/include/block.bpf.h.

import type { From, ProgramChoice } from './gadget.ts';

/** REQ_OP_… of linux/blk_types.h. */
export const operationNames: Record<number, string> = {
  0: 'Read',
  1: 'Write',
  2: 'Flush',
  3: 'Discard',
  5: 'SecureErase',
  7: 'ZoneAppend',
  9: 'WriteZeroes',
  34: 'DriverIn',
  35: 'DriverOut',
};

export const diskColumn = { name: 'disk', type: 'text', description: 'The disk' } as const satisfies From;

export const operationColumn = {
  name: 'operation',
  type: 'integer',
  names: operationNames,
  description: 'What was asked for',
} as const satisfies From;

/** From the start of a request, where who asks for it runs, to its end. */
export function blockPrograms(): ProgramChoice[] {
  return [
    [
      [
        { program: 'block_io_began' },
        { program: 'block_io_issued' },
        { program: 'block_io_ended' },
        { program: 'block_io_failed' },
      ],
      [{ program: 'block_queue_began' }, { program: 'block_queue_issued' }, { program: 'block_queue_ended' }],
    ],
  ];
}

/** What all their descriptions say of whose a request is. */
export const whoseRequests =
  'A request is of the one whose call makes it: direct and synchronous I/O, reads, and what fsync writes. Data that the kernel writes back later by itself is charged to the container only where ' +
  'blkio is a cgroup2 controller; elsewhere it is nobody’s. ';
