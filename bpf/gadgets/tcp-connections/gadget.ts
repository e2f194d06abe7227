// tcp-connections: every TCP connection that ends, with what went over it. Program: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { endpointColumns, portParameters, portVariables } from '../../endpoints.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

/** enum direction and AF_… in program.bpf.c. */
const directions = { All: 0, Outbound: 1, Inbound: 2 };
const families = { All: 0, IPv4: 2, IPv6: 10 };

export default defineGadget({
  name: 'tcp-connections',
  aliases: ['tcplife', 'trace-tcp'],
  area: 'network',
  summary:
    'Which TCP connections there were: to whom, how long, how many bytes each way, and how they ended.',
  description:
    "One record per connection, written when it ends (its socket's state becomes CLOSE): connections that are still open when the job ends are not shown. A connection is " +
    "its socket's, which belongs to the group in which it was made (an accepted one to its listener's), whoever works for it in the kernel at that moment. " +
    'The process is the one that connected; of an accepted connection the one that closed it, else the one that listened; null where neither was seen. ' +
    'Connections from before the job have no duration, and no direction unless the job saw their beginning. Bytes are those handed to the network once (without retransmitted ones) and ' +
    'those received in order. When the local end closes first, what comes after its socket has become TIME_WAIT is not counted. ' +
    'Nothing is paid per packet: only changes of state, about ten per connection, run the program.',
  parameters: z.object({
    ...portParameters,
    family: z
      .enum(['All', 'IPv4', 'IPv6'])
      .default('All')
      .describe('Only IPv4 (also by IPv6 sockets: mapped addresses), or only IPv6'),
    direction: z
      .enum(['All', 'Outbound', 'Inbound'])
      .default('All')
      .describe('Only connections that were opened from here (Outbound), or only accepted ones (Inbound)'),
    minimumDurationMs: z
      .int()
      .min(0)
      .max(86_400_000)
      .default(0)
      .describe('Shorter ones are left out, and those whose duration is not known; milliseconds. 0: all'),
  }),
  sees: 'pod',
  subject: 'sock',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 150, insideNs: 500 },
  source: () => ({
    kind: 'ring',
    record: 'connection_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When the connection ended' },
        ...processColumns.map((column) => ({ ...column, when: 'process.pid', optional: true as const })),
        {
          name: 'direction',
          type: 'integer',
          names: { 1: 'Outbound', 2: 'Inbound' },
          when: 'direction',
          optional: true,
          description: 'Outbound: opened from here; Inbound: accepted',
        },
        ...endpointColumns,
        { name: 'sentBytes', type: 'integer', unit: 'bytes', description: 'Sent, each byte counted once' },
        { name: 'receivedBytes', type: 'integer', unit: 'bytes', description: 'Received in order' },
        {
          name: 'durationNs',
          type: 'integer',
          unit: 'ns',
          when: 'duration_ns',
          optional: true,
          description: 'From connect, or from the first packet that came, to the end',
        },
        { name: 'retransmits', type: 'integer', description: 'Segments that were sent again' },
        {
          name: 'ended',
          type: 'integer',
          names: { 1: 'Closed', 2: 'Reset', 3: 'Aborted', 4: 'TimedOut', 5: 'Refused', 6: 'Failed' },
          description:
            'Closed: by both sides; Reset: by the peer; Aborted: by this side, with data unread or unsent; TimedOut; Refused: nobody listened; Failed: another error',
        },
      ],
    },
  }),
  programs: () => [[[{ program: 'connection_state' }]]],
  knobs: ({ family, direction, minimumDurationMs, ...ports }) => ({
    variables: {
      ...portVariables(ports),
      only_family: families[family],
      only_direction: directions[direction],
      minimum_ns: 1_000_000n * BigInt(minimumDurationMs),
    },
  }),
});
