// An order and a report with every member in use, for the tests of the wire.

import type { Report, RunOrder } from '../api.ts';

export const order: RunOrder = {
  job: { name: 'checkout', namespace: 'shop', uid: 'b5cbb1a4-6d5c-4d9c-8f0a-3f4ab0d3c001' },
  plan: {
    trace: 'open-files',
    parameters: { failedOnly: true, pathPrefix: '/etc', $odd: { big: 1 } },
    subject: 'current',
    source: {
      kind: 'ring',
      record: 'open_record',
      shape: {
        kind: 'events',
        columns: [
          { name: 'time', type: 'time', description: 'When' },
          { name: 'error', type: 'integer', description: 'Why', member: 'errno', names: 'errno', when: 'errno', optional: true },
          { name: 'mode', type: 'integer', description: 'How', names: { '1': 'read', '-2': 'other' } },
        ],
      },
    },
    programs: [[[{ program: 'one' }, { program: 'two', attach: { kind: 'tracepoint', category: 'sched', name: 'sched_switch' } }], [{ program: 'three' }]]],
    hitCost: { outsideNs: 10.5, insideNs: 100 },
    variables: { flag: true, small: 7, large: 2n ** 63n + 1n, text: 'x', list: [1n, 2n ** 40n] },
    maxEntries: { events: 1 << 20 },
  },
  pods: [
    {
      uid: '0b1c2d3e-0000-4000-8000-000000000001',
      configHash: 'd41d8cd98f00b204e9800998ecf8427e',
      namespace: 'shop',
      name: 'checkout-1',
      containers: [{ name: 'api', id: 'a'.repeat(64) }],
      only: [],
    },
    { uid: '0b1c2d3e-0000-4000-8000-000000000002', namespace: 'shop', name: 'checkout-2', containers: [] },
  ],
  durationMs: 60_000,
  budget: { cpu: 0.02, events: 100_000 },
  redact: 'Secrets',
};

export const report: Report = {
  phase: 'Finished',
  attachedAt: 1_795_000_000_123_456_789n,
  podsTraced: 3,
  events: { seen: 2n ** 63n, recorded: 5n, lost: 0n, sampledBy: 4 },
  overhead: { programsCpuNs: 1n, agentCpuNs: 2n, memoryBytes: 3n },
  reason: 'Interrupted',
  message: 'it was',
};
