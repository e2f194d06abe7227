// dns-queries: what is asked of DNS servers, what they answer, and how long they take. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { endpointColumns, portParameters, portVariables } from '../../endpoints.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

const { localPorts } = portParameters;

const types = {
  ...{ 1: 'A', 2: 'NS', 5: 'CNAME', 6: 'SOA', 12: 'PTR', 15: 'MX', 16: 'TXT', 28: 'AAAA', 33: 'SRV' },
  ...{ 35: 'NAPTR', 43: 'DS', 46: 'RRSIG', 48: 'DNSKEY', 52: 'TLSA', 64: 'SVCB', 65: 'HTTPS', 255: 'ANY' },
};

const codes = {
  ...{ 0: 'NoError', 1: 'FormErr', 2: 'ServFail', 3: 'NXDomain', 4: 'NotImp', 5: 'Refused' },
  ...{ 6: 'YXDomain', 7: 'YXRRSet', 8: 'NXRRSet', 9: 'NotAuth', 10: 'NotZone' },
};

export default defineGadget({
  name: 'dns-queries',
  aliases: ['dnssnoop', 'gethostlatency', 'trace-dns'],
  area: 'network',
  summary: 'Which names are asked for, what the servers answer, and how long they take.',
  description:
    'One record per question by UDP, over IPv4 and IPv6, with its answer; without code and latency where none came while the job ran. A question is its socket’s. ' +
    'Taken in the network namespace that asks, so that addresses are as the process sees them (a Service’s, not a server’s), and latency has all that lies between. ' +
    'A question sent again within a millisecond is the same one. Not seen: questions by TCP, TLS or HTTPS, those that a server asks in turn for them unless it is in scope too, IPv6 with extension headers, ' +
    'and answers whose first names are not compressed have no address. Every packet of the node pays about 0.1 µs while the job runs.',
  parameters: z.object({
    localPorts,
    port: z.int().min(1).max(65_535).default(53).describe('The port of the servers'),
  }),
  sees: 'pod',
  subject: 'sock',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 100, insideNs: 900 },
  source: () => ({
    kind: 'ring',
    record: 'dns_record',
    completion: 'dns_answer',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When the question was sent' },
        ...processColumns.map((column) => ({ ...column, when: 'process.pid', optional: true as const })),
        ...endpointColumns,
        { name: 'name', type: 'text', sensitive: 'path', description: 'The name that was asked for' },
        { name: 'type', type: 'integer', names: types, description: 'What was asked of it' },
        { name: 'number', type: 'integer', description: "The question's number, which its answer repeats" },
        {
          name: 'code',
          type: 'integer',
          names: codes,
          completion: true,
          optional: true,
          description: 'How it was answered; none: it was not',
        },
        {
          name: 'answers',
          type: 'integer',
          completion: true,
          optional: true,
          description: 'Records in the answer',
        },
        {
          name: 'address',
          type: 'ipAddress',
          completion: true,
          when: 'has_address',
          optional: true,
          description: 'The first address in the answer',
        },
        {
          name: 'latencyNs',
          type: 'integer',
          unit: 'ns',
          completion: true,
          optional: true,
          description: 'From the question to its answer',
        },
      ],
    },
  }),
  programs: () => [[[{ program: 'dns_sent' }, { program: 'dns_received' }]]],
  knobs: ({ localPorts, port }) => ({
    variables: { ...portVariables({ localPorts, remotePorts: [] }), port },
  }),
});
