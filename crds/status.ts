// The status of a TraceJob: what the operator writes and `kubectl get` shows. Only facts about the result: no arguments, payloads, DNS names or paths,
// because whoever may `view` a namespace may read it. Neighbours: crds/kinds.ts puts it into the CRD; crds/trace-store.ts and crds/trace-artifact.ts
// share its conditions and times.

import { z } from 'zod';

export const phases = ['Pending', 'Running', 'Collecting', 'Succeeded', 'Failed', 'Suspended'] as const;

export const countField = (description: string) => z.int().min(0).optional().describe(description);
/** -1 until the operator has looked: so that kstatus takes nothing for done that nobody has begun (crds/manifest.ts has the default). */
export const observedField = () =>
  z.int().min(-1).optional().describe('The generation of the spec that this status tells of.');
export const timeField = (description: string) =>
  z.string().max(40).optional().meta({ description, format: 'date-time' });

const condition = z.strictObject({
  type: z
    .string()
    .min(1)
    .max(316)
    .describe(
      'What is said to hold: Ready, and for jobs Accepted, Attached, Complete, Failed, Degraded, Reconciling or Stalled.',
    ),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether the condition holds.'),
  observedGeneration: countField('The generation of the spec that this was decided on.'),
  lastTransitionTime: z
    .string()
    .max(40)
    .meta({ description: 'When the status last changed.', format: 'date-time' }),
  reason: z.string().min(1).max(1024).describe('Why, as one word from a closed list.'),
  message: z.string().max(32_768).describe('Why, as a sentence for people.'),
});

/** By type, so that server-side apply merges them by it. */
export const conditionsField = (description: string) =>
  z
    .array(condition)
    .max(16)
    .optional()
    .meta({ description, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] });

const artifact = z.strictObject({
  name: z.string().max(253).describe('The file: result.json, flamegraph.svg.'),
  mediaType: z.string().max(127).describe('Its media type.'),
  uri: z.string().max(2048).describe('Where it lies in the store.'),
  bytes: z.int().min(0).describe('Its size.'),
  sha256: z.string().max(64).describe('Its digest, in hexadecimal.'),
});

const failure = z.strictObject({
  node: z.string().max(253).describe('The node.'),
  reason: z.string().max(63).describe('Why, as one word from a closed list.'),
  message: z.string().max(1024).describe('Why, as a sentence for people.'),
});

export const statusSchema = z
  .strictObject({
    phase: z.enum(phases).optional().describe('Where the job is on its way.'),
    trace: z.string().max(63).optional().describe("The gadget's name, for the printer column."),
    observedGeneration: observedField(),
    conditions: conditionsField('What holds of the job.'),
    startTime: timeField('When the first node had its probes attached.'),
    completionTime: timeField('When the last result was published.'),
    nodes: z
      .strictObject({
        matched: countField('Nodes with pods to trace.'),
        running: countField('Nodes on which probes are attached.'),
        succeeded: countField('Nodes whose result is in.'),
        failed: countField('Nodes that gave none.'),
      })
      .optional()
      .describe('Nodes, counted.'),
    pods: z
      .strictObject({
        matched: countField('Pods that the target selects.'),
        traced: countField('Pods that were traced.'),
      })
      .optional()
      .describe('Pods, counted.'),
    headline: z.string().max(256).optional().describe('The result in one line.'),
    summary: z.string().max(8192).optional().describe('The first rows of the result.'),
    events: z
      .strictObject({
        seen: countField('Events that happened in scope.'),
        recorded: countField('Events that the result holds.'),
        lost: countField('Events that it does not; seen = recorded + lost.'),
        sampledBy: countField('1: every event was recorded; n: one of n.'),
      })
      .optional()
      .describe('Events, counted.'),
    overhead: z
      .strictObject({
        cpu: z
          .string()
          .max(32)
          .optional()
          .describe('CPU that programs and agents used, in cores, the mean over all nodes.'),
        memory: z.string().max(32).optional().describe('Memory that they held, the most on any node.'),
      })
      .optional()
      .describe('What tracing cost, as measured.'),
    failures: z.array(failure).max(10).optional().describe('Nodes that failed, at most ten of them.'),
    failuresOmitted: countField('How many more nodes failed.'),
    artifacts: z.array(artifact).max(64).optional().describe("The result's files."),
  })
  .describe('What has become of the job.');

export type TraceJobStatus = z.output<typeof statusSchema>;
