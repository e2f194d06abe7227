// sockets: who binds a socket to an address, and who listens. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { atCalls, callColumns, callParameters, callVariables } from '../../calls.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

const families = { 1: 'unix', 2: 'inet', 10: 'inet6', 16: 'netlink', 17: 'packet', 40: 'vsock' };
const protocols = {
  0: 'none',
  1: 'ICMP',
  6: 'TCP',
  17: 'UDP',
  33: 'DCCP',
  58: 'ICMPv6',
  132: 'SCTP',
  136: 'UDP-Lite',
};

export default defineGadget({
  name: 'sockets',
  aliases: ['bindsnoop', 'solisten', 'trace-bind'],
  area: 'network',
  summary:
    'Which addresses and ports are bound, which are listened on, by whom, and which of them are refused.',
  description:
    'One record per bind and listen, taken when the call ends. The port is the one that the socket has got, also where the kernel chose it; of a bind that failed the one asked for ' +
    '(EADDRINUSE: look for the row that has it). listen without bind gets a port of the kernel’s choice, and shows it. Not seen: ports that connect and sendto choose, calls by io_uring.',
  parameters: z.object(callParameters),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 150, insideNs: 800 },
  source: () => ({
    kind: 'ring',
    record: 'socket_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When the call ended' },
        ...processColumns,
        ...callColumns,
        { name: 'family', type: 'integer', names: families, description: 'The address family' },
        { name: 'protocol', type: 'integer', names: protocols, description: 'The transport' },
        {
          name: 'address',
          type: 'ipAddress',
          description: 'The local address; unspecified (0.0.0.0, ::): all',
        },
        { name: 'port', type: 'integer', description: 'The local port' },
        { name: 'backlog', type: 'integer', description: 'How many may wait to be accepted; -1: a bind' },
        { name: 'fd', type: 'integer', description: 'The file descriptor' },
        {
          name: 'path',
          type: 'text',
          sensitive: 'path',
          description: 'Of a unix socket; empty: abstract or not unix',
        },
      ],
    },
  }),
  programs: () => [atCalls('socket_exit', 'exit', ['bind', 'listen'])],
  knobs: (parameters) => ({ variables: callVariables(parameters) }),
});
