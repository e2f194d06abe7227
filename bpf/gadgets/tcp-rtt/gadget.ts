// tcp-rtt: how far away the peers are. Program: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { endpointColumns, portParameters, portVariables } from '../../endpoints.ts';
import { defineGadget, type From } from '../../gadget.ts';
import { histogramRows } from '../../histogram-parameters.ts';

const peer: From = { ...endpointColumns[2], member: 'remote_address' };

export default defineGadget({
  name: 'tcp-rtt',
  aliases: ['tcprtt', 'profile-tcprtt'],
  area: 'network',
  summary: 'How long the round trip to the peers takes, as a histogram.',
  description:
    'The kernel’s own smoothed round trip time, looked at whenever a packet comes in on an established connection: busy connections weigh more. ' +
    'Every such packet of the node pays about 0.15 µs while the job runs, one of the scope about 0.4 µs. With byPeer there is a histogram per remote address.',
  parameters: z.object({
    ...portParameters,
    byPeer: z
      .boolean()
      .default(false)
      .describe('A histogram for each remote address, not only for each container'),
    maxRows: histogramRows,
  }),
  sees: 'pod',
  subject: 'sock',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 150, insideNs: 400 },
  source: ({ byPeer }) => ({
    kind: 'histogram',
    map: 'times',
    shape: {
      kind: 'histogram',
      keys: byPeer ? [peer] : [],
      value: {
        name: 'rttNs',
        type: 'integer',
        unit: 'ns',
        noun: 'round trips',
        description: 'The smoothed round trip time',
      },
      scale: { kind: 'log2' },
    },
  }),
  programs: () => [[[{ program: 'rtt_owner' }, { program: 'rtt_probe' }]]],
  knobs: ({ byPeer, maxRows, ...ports }) => ({
    variables: { ...portVariables(ports), by_peer: byPeer },
    maxEntries: { times: maxRows },
  }),
});
