// tcp-throughput: which processes send and receive how much, to and from whom. Program: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { endpointColumns, portParameters, portVariables } from '../../endpoints.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

const [localAddress, localPort, remoteAddress, remotePort] = endpointColumns;

export default defineGadget({
  name: 'tcp-throughput',
  aliases: ['tcptop', 'top-tcp'],
  area: 'network',
  summary: 'How many bytes each process sends and receives over TCP, and with whom.',
  description:
    'Bytes that the process hands to send, write and their like, and takes by recv and read, counted in the kernel when the call ends: what the network has of them may come later, and more than once. ' +
    'A row per process and pair of addresses; with byConnection per pair of ports too. Exact. Not seen: bytes by sendfile and splice on kernels before 6.5 that have no fentry. ' +
    'Needs Linux 6.3, or fentry (CONFIG_FUNCTION_TRACER).',
  parameters: z.object({
    ...portParameters,
    byConnection: z.boolean().default(false).describe('A row for each connection, told apart by its ports'),
    maxRows: z
      .int()
      .min(64)
      .max(262_144)
      .default(16_384)
      .describe(
        'Room for rows in the kernel, per CPU that made the call; what comes after is lost, and counted as such',
      ),
  }),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 60, insideNs: 350 },
  source: ({ byConnection }) => ({
    kind: 'table',
    map: 'flows',
    counts: 'sends',
    shape: {
      kind: 'table',
      keys: [
        ...processColumns,
        localAddress,
        ...(byConnection ? [localPort] : []),
        remoteAddress,
        ...(byConnection ? [remotePort] : []),
      ],
      values: [
        {
          name: 'sentBytes',
          type: 'integer',
          unit: 'bytes',
          fold: 'sum',
          noun: 'bytes sent',
          description: 'Handed to the connection',
        },
        { name: 'receivedBytes', type: 'integer', unit: 'bytes', fold: 'sum', description: 'Taken from it' },
        { name: 'sends', type: 'integer', fold: 'sum', description: 'Calls that sent something' },
        { name: 'receives', type: 'integer', fold: 'sum', description: 'Calls that received something' },
      ],
      sort: 'sentBytes',
    },
  }),
  programs: () => [
    [
      [{ program: 'bytes_sent' }, { program: 'bytes_received' }],
      [{ program: 'sendmsg_exit' }, { program: 'bytes_taken' }],
    ],
  ],
  knobs: ({ byConnection, maxRows, ...ports }) => ({
    variables: { ...portVariables(ports), by_connection: byConnection },
    maxEntries: { flows: maxRows },
  }),
});
