// tcp-states: every change of a TCP socket's state. Program: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { endpointColumns, portParameters, portVariables, tcpStates } from '../../endpoints.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

const states = Object.values(tcpStates) as [string, ...string[]];

export default defineGadget({
  name: 'tcp-states',
  aliases: ['tcpstates'],
  area: 'network',
  summary: 'Each change of state of TCP sockets, and how long they were in the state before.',
  description:
    'One record per change, about ten per connection; nothing is paid per packet. A socket is of the group in which it was made (an accepted one of its listener’s), whoever works for it in the kernel. ' +
    'The process is told at changes that its owner makes by a call: connect, listen, close, shutdown. Finds connections that linger: many in CLOSE_WAIT were never closed here, in FIN_WAIT2 never by the peer. ' +
    'A scope that is a process tree sees accepted sockets from when their owner closes them.',
  parameters: z.object({
    ...portParameters,
    states: z
      .array(z.enum(states))
      .max(states.length)
      .default([])
      .describe('Only changes to one of these states. Empty: all'),
  }),
  sees: 'pod',
  subject: 'sock',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 150, insideNs: 600 },
  source: () => ({
    kind: 'ring',
    record: 'state_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When it changed' },
        ...processColumns.map((column) => ({ ...column, when: 'process.pid', optional: true as const })),
        ...endpointColumns,
        { name: 'from', type: 'integer', names: tcpStates, description: 'The state before' },
        { name: 'to', type: 'integer', names: tcpStates, description: 'The state from now on' },
        {
          name: 'durationNs',
          type: 'integer',
          unit: 'ns',
          when: 'duration_ns',
          optional: true,
          description: 'How long it was in the state before',
        },
      ],
    },
  }),
  programs: () => [[[{ program: 'state_changed' }]]],
  knobs: ({ states, ...ports }) => ({
    variables: {
      ...portVariables(ports),
      states_wanted: Object.entries(tcpStates).reduce(
        (bits, [number, name]) => (states.includes(name) ? bits | (1 << Number(number)) : bits),
        0,
      ),
    },
  }),
});
