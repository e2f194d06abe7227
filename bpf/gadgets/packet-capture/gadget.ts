// packet-capture: packets of pods for Wireshark, by tcpdump's filters. Sockets: agent/packets.ts. Test: gadget.test.ts.

import { z } from 'zod';
import { defineGadget } from '../../gadget.ts';

export default defineGadget({
  name: 'packet-capture',
  aliases: ['tcpdump', 'pcap', 'capture'],
  area: 'packets',
  summary: 'The packets of pods, chosen as with tcpdump, for Wireshark.',
  description:
    "A packet socket in each pod's network namespace; libpcap compiles the filter, and it runs in the kernel as tcpdump's does. The file has an interface for each pod, with its name; " +
    'the packets of all nodes are in one file, in time order. How many: `budget.events` ends the job with so many packets of a node, `budget.artifacts` with so many bytes, `lastBytes` keeps the last ones. ' +
    'Of a pod that has the network of its node (hostNetwork) nothing is captured, but by a ClusterTraceJob, which then has all packets of the node; as `sonde run` has for what runs in the network of the host. ' +
    'Needs CAP_NET_RAW, and CAP_SYS_ADMIN to enter the namespaces (in the chart: `agent.extraCapabilities: [SYS_ADMIN]`), and libpcap. Packets hold what the pods say to each other: ' +
    '`redact` does not look into them, `snapLength` cuts them off behind their headers. What the kernel had no room for is counted as lost, by pod.',
  parameters: z.object({
    filter: z
      .string()
      .max(4096)
      .default('')
      .describe("Which packets, in tcpdump's language: `dst host 10.0.0.5 and dst port 23`. Empty: all"),
    interface: z
      .string()
      .max(15)
      .regex(/^[^\s/]+$/, { error: "an interface's name has no spaces and no slashes" })
      .default('any')
      .describe("As the pod calls it: `eth0`, `lo`; `any`: all of them, with Linux's own link header"),
    snapLength: z
      .int()
      .min(1)
      .max(262_144)
      .default(262_144)
      .describe('Bytes of each packet, from its link header on'),
    lastBytes: z
      .int()
      .min(0)
      .max(64 << 20)
      .default(0)
      .describe(
        'Only the last packets of a node, so many bytes of them, in memory until the job ends. 0: all',
      ),
  }),
  sees: 'pod',
  subject: 'netns',
  capabilities: ['BPF', 'PERFMON', 'NET_RAW', 'SYS_ADMIN'],
  hitCost: { outsideNs: 0, insideNs: 0 },
  source: (parameters) => ({
    kind: 'packets',
    filter: parameters.filter,
    device: parameters.interface,
    snapLength: parameters.snapLength,
    keepBytes: parameters.lastBytes,
    shape: {
      kind: 'packets',
      columns: [
        { name: 'time', type: 'time', description: 'When the kernel saw it' },
        { name: 'device', type: 'text', description: 'The interface that was captured on' },
        {
          name: 'linkType',
          type: 'integer',
          description: 'The link header it begins with, as pcap numbers them',
        },
        { name: 'originalBytes', type: 'integer', unit: 'bytes', description: 'Its length on the wire' },
      ],
    },
  }),
  programs: () => [],
  knobs: () => ({}),
});
