// run-queue-length: how many threads wait behind one that runs. Programs: program.bpf.c. Test: gadget.test.ts.

import { z } from 'zod';
import { defineGadget } from '../../gadget.ts';

export default defineGadget({
  name: 'run-queue-length',
  aliases: ['runqlen'],
  area: 'cpu',
  summary: 'How many threads wait for a CPU behind one that runs, as a histogram.',
  description:
    'Looked at frequencyHz times a second on each CPU, when a thread in scope runs there: how many others of its group wait for the same CPU. ' +
    'The group is the scheduler’s: where each pod has CPU limits or shares (Kubernetes gives them to all) the pod’s own, so that the number is that of the pod’s threads; elsewhere everybody’s. ' +
    'Real-time threads are not counted. Cheap: it costs a node two interrupts in a hundredth of a second, and switches nothing.',
  parameters: z.object({
    frequencyHz: z.int().min(1).max(999).default(99).describe('Looks per second and CPU'),
  }),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 700, insideNs: 900 },
  source: () => ({
    kind: 'histogram',
    map: 'lengths',
    shape: {
      kind: 'histogram',
      keys: [{ name: 'cpu', type: 'integer', description: 'The CPU' }],
      value: {
        name: 'waiting',
        type: 'integer',
        noun: 'threads that wait',
        description: 'How many threads wait behind the one that runs',
      },
      scale: { kind: 'linear', min: 0, max: 64, step: 1 },
    },
  }),
  programs: ({ frequencyHz }) => [
    [[{ program: 'look', attach: { kind: 'perfEvent', event: 'cpuClock', frequencyHz } }]],
  ],
  knobs: () => ({}),
});
