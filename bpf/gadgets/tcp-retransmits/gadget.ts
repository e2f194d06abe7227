// tcp-retransmits: every TCP segment that is sent again. Program: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { endpointColumns, portParameters, portVariables, tcpStates } from '../../endpoints.ts';
import { defineGadget } from '../../gadget.ts';

export default defineGadget({
  name: 'tcp-retransmits',
  aliases: ['tcpretrans', 'trace-tcpretrans'],
  area: 'network',
  summary: 'Which TCP segments are sent again, to whom, in which state of the connection.',
  description:
    'One record per retransmission, when it is sent: by a timeout, or because the peer’s acknowledgements say that a segment is missing; a SYN that is not answered too. ' +
    'Nothing is paid per packet that is sent once. No process: a timer or the peer’s packet makes the kernel send. Not seen: a SYN-ACK that is sent again.',
  parameters: z.object(portParameters),
  sees: 'pod',
  subject: 'sock',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 150, insideNs: 600 },
  source: () => ({
    kind: 'ring',
    record: 'retransmit_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When it was sent again' },
        ...endpointColumns,
        { name: 'state', type: 'integer', names: tcpStates, description: "The connection's state" },
        {
          name: 'rttNs',
          type: 'integer',
          unit: 'ns',
          when: 'rtt_ns',
          optional: true,
          description: 'The smoothed round trip time; none: not yet measured',
        },
        { name: 'windowSegments', type: 'integer', description: 'The congestion window, in segments' },
        {
          name: 'retransmits',
          type: 'integer',
          description: 'Retransmissions of the connection, this one included',
        },
      ],
    },
  }),
  programs: () => [[[{ program: 'retransmit_owner' }, { program: 'retransmitted' }]]],
  knobs: (ports) => ({ variables: portVariables(ports) }),
});
