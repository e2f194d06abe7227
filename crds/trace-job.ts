// The TraceJob and ClusterTraceJob: one source of truth for types, defaults, validation (crds/read.ts) and CRD YAML (crds/kinds.ts).
// `spec.trace` is built from the catalogue: a new folder under bpf/gadgets appears here with nothing edited.

import { z } from 'zod';
import type { Gadget } from '../bpf/gadget.ts';
import type { Duration } from './duration.ts';
import {
  durationField,
  exactlyOne,
  nameField,
  quantityField,
  type Selector,
  selectorField,
} from './fields.ts';
import type { Quantity } from './quantity.ts';

export const group = 'sonde.dev';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}`;
export const kinds = ['TraceJob', 'ClusterTraceJob'] as const;
export type Kind = (typeof kinds)[number];

/** In a cluster nobody is there to press Ctrl-C: a job without a duration must end. Here it may be left out: `sonde run` ends with its command. */
export const clusterDuration = '60s';

/** What a gadget's schema needs: all of a Gadget but the programs. */
export type TraceMember = Pick<Gadget, 'name' | 'summary' | 'parameters'>;

export interface TraceJobSpec {
  /** Exactly one member: the gadget's name in camelCase, with its parameters. */
  trace: Record<string, Record<string, unknown>>;
  target: { selector?: Selector; containers?: string[]; nodes?: Selector; maxPods?: number };
  duration?: Duration;
  budget: { cpu?: Quantity; memory?: Quantity; events?: Quantity; artifacts?: Quantity };
  redact: 'None' | 'Secrets' | 'All';
  store: { name: string };
  ttlSecondsAfterFinished?: number;
  suspend: boolean;
}

/** A job as read: defaults filled in, durations and quantities exact. */
export interface TraceJob {
  apiVersion: typeof apiVersion;
  kind: Kind;
  metadata: { name: string; namespace?: string };
  spec: TraceJobSpec;
}

/** `run-queue-latency` as a member of `spec.trace`: `runQueueLatency`. */
export function memberName(gadgetName: string): string {
  return gadgetName.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** A program of the user's as a member of `spec.trace`. It is no gadget: what it measures is in its source. */
export const programMember = 'program';

export interface TraceProgram {
  source: string;
  parameters: string[];
}

const program = z
  .strictObject({
    source: z.string().min(1).max(65_536).describe("The program, in bpftrace's language (docs/programs.md)."),
    parameters: z
      .array(z.string().max(4096))
      .max(64)
      .default([])
      .describe('What $1, $2 … in the program stand for.'),
  })
  .describe("A program in bpftrace's language, scoped to the job's pods.");

/** `spec.trace`: a union, one member a gadget or a program, exactly one of them given. */
export function traceSchema(gadgets: readonly TraceMember[]) {
  const members: Record<string, z.ZodType> = {};
  for (const gadget of gadgets) {
    members[memberName(gadget.name)] = gadget.parameters.strict().describe(gadget.summary).optional();
  }
  members[programMember] = program.optional();
  return exactlyOne(members, {
    one: 'gadget',
    several: 'a job traces with exactly one: write a job for each',
    example: '{cpuProfile: {}}',
    description: 'What to trace with: exactly one gadget with its parameters, or a program.',
  });
}

const target = z
  .strictObject({
    selector: selectorField(
      "The pods to trace, by their labels, in the job's own namespace. Empty: all of them.",
    ).optional(),
    containers: z
      .array(nameField(63, 'A container of the selected pods.'))
      .max(100)
      .optional()
      .describe('Names of the containers to trace within those pods. Absent: all.'),
    nodes: selectorField('Only pods on nodes with these labels.').optional(),
    maxPods: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe('A sample of at most this many of the selected pods, stable by name. Absent: all.'),
  })
  .describe('Whose doings to trace. On one machine, `sonde run` is told by its flags instead.');

const budget = z
  .strictObject({
    cpu: quantityField('CPU that programs and agent may use together, in cores: 20m is a fiftieth of one.', {
      example: '20m',
    }).optional(),
    memory: quantityField('Memory that maps, rings and agent may hold.', { example: '64Mi' }).optional(),
    events: quantityField('Events that may be recorded.', { example: '100000' }).optional(),
    artifacts: quantityField('Bytes that the result may take on disk and in the store.', {
      example: '100Mi',
    }).optional(),
  })
  .describe(
    'Limits per node and job. Over them, the job first samples and says by what factor, then ends with what it has.',
  );

/** For a catalogue. */
export function jobSpecSchema(gadgets: readonly TraceMember[]) {
  return z
    .strictObject({
      trace: traceSchema(gadgets),
      target: target.default({}),
      duration: durationField(
        { minSeconds: 1, maxSeconds: 86_400 },
        'How long to trace, counted from when probes are attached: 60s, 1m30s. Between 1s and 24h. Absent: 60s in a cluster; `sonde run` traces until it is stopped.',
      ).optional(),
      // Not default(): of what is transformed, zod would not say it in the CRD.
      budget: budget.prefault({}),
      redact: z
        .enum(['None', 'Secrets', 'All'])
        .default('Secrets')
        .describe(
          'What is blacked out in arguments, URLs and headers: nothing, what looks like a credential, or all of them.',
        ),
      store: z
        .strictObject({
          name: nameField(
            253,
            'The TraceStore in the same namespace, else the ClusterTraceStore of that name.',
          ),
        })
        .default({ name: 'default' })
        .describe('Where the result goes.'),
      ttlSecondsAfterFinished: z
        .int()
        .min(0)
        .max(31_536_000)
        .optional()
        .describe(
          'Seconds after its end at which the job is deleted. Absent: never. What is in the store stays there.',
        ),
      suspend: z
        .boolean()
        .default(false)
        .describe('While true, the job does not start; a running one ends with what it has.'),
    })
    .describe('What to trace, where, for how long and at what cost.');
}

/** The whole job for a catalogue, of either kind. Fields of Kubernetes' own (labels, status) pass. */
export function traceJobSchema(gadgets: readonly TraceMember[]) {
  return z.strictObject({
    apiVersion: z.literal(apiVersion),
    kind: z.enum(kinds),
    metadata: z.looseObject({
      name: nameField(253, 'The name of the job.'),
      namespace: nameField(63, 'The namespace of the job.').optional(),
    }),
    spec: jobSpecSchema(gadgets),
    status: z.unknown().optional(),
  });
}

/** The program of a job that traces with one. Only for a job that the schema has let through. */
export function tracedProgram(spec: TraceJobSpec): TraceProgram | undefined {
  return spec.trace[programMember] as TraceProgram | undefined;
}

/** The one gadget that a job's trace names, by its member. Only for a job that the schema has let through. */
export function tracedMember(spec: TraceJobSpec): { member: string; parameters: Record<string, unknown> } {
  const [entry] = Object.entries(spec.trace).filter(([, parameters]) => parameters !== undefined);
  if (entry === undefined) throw new TypeError('a job whose spec.trace has no member was not validated');
  return { member: entry[0], parameters: entry[1] };
}
