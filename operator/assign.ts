// A job's object from the API server → what is to be done, or why not: the schema is asked again, whatever the API server let through.
// Neighbours: crds/trace-job.ts (the schema), bpf/plan.ts (parameters → plan), operator/observe.ts.

import type { Budget, TracePlan } from '../agent/plan.ts';
import type { Arch, Gadget } from '../bpf/gadget.ts';
import { planTrace } from '../bpf/plan.ts';
import { milliseconds } from '../crds/duration.ts';
import { asNumber, asWhole } from '../crds/quantity.ts';
import {
  apiVersion,
  memberName,
  programMember,
  type TraceJobSpec,
  type TraceProgram,
  tracedMember,
  tracedProgram,
  traceJobSchema,
} from '../crds/trace-job.ts';
import { sourceErrors } from '../programs/check-source.ts';
import type { JobObject } from './cluster.ts';
import type { Assignment, Refusal } from './observed.ts';

/** A job that names no duration. */
const defaultMs = 60_000;

export interface Assigned {
  assignment: Assignment;
  target: TraceJobSpec['target'];
  /** For a node's architecture: numbers of system calls differ. */
  planFor(arch: Arch): TracePlan;
  gadget: Gadget;
}

export type Assigner = (job: JobObject) => Assigned | { refusal: Refusal };

/** Jobs are read once for each generation by operator/observe.ts. */
export function assignerOf(gadgets: readonly Gadget[]): Assigner {
  const schema = traceJobSchema(gadgets);
  const members = new Map(gadgets.map((gadget) => [memberName(gadget.name), gadget]));
  return (job) => {
    const { name, namespace } = job.metadata;
    const unknown = unknownMember(job.spec, members);
    if (unknown !== undefined)
      return refusal('UnknownGadget', `spec.trace.${unknown}: this operator has no such gadget`);
    const parsed = schema.safeParse({
      apiVersion,
      kind: job.kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
      spec: job.spec,
    });
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return refusal('InvalidSpec', `${issue?.path.join('.') ?? 'spec'}: ${issue?.message ?? 'not valid'}`);
    }
    const spec = parsed.data.spec as TraceJobSpec;
    const program = tracedProgram(spec);
    if (program !== undefined) return programRefusal(program, job.kind);
    const { member, parameters } = tracedMember(spec);
    const gadget = members.get(member) as Gadget;
    return {
      gadget,
      target: spec.target,
      assignment: assignmentOf(spec, gadget),
      planFor: (arch) => planTrace(gadget, parameters, arch),
    };
  };
}

/** What is wrong with a program is told as soon as it is applied; one that is right is not run by this operator. */
function programRefusal({ source, parameters }: TraceProgram, kind: string): { refusal: Refusal } {
  const tenancy = kind === 'ClusterTraceJob' ? 'node' : 'pods';
  const errors = sourceErrors(source, { parameters, tenancy });
  if (errors !== '') return refusal('InvalidSpec', `spec.trace.program.source:\n${errors}`.slice(0, 4000));
  return refusal(
    'UnknownGadget',
    'spec.trace.program: agents of this version run gadgets only; `sonde run -f` runs the same job on one machine',
  );
}

function assignmentOf(spec: TraceJobSpec, gadget: Gadget): Assignment {
  const { ttlSecondsAfterFinished: ttl, duration } = spec;
  return {
    trace: gadget.name,
    sees: gadget.sees,
    durationMs: duration === undefined ? defaultMs : milliseconds(duration),
    budget: budgetOf(spec),
    redact: spec.redact,
    store: spec.store.name,
    ...(ttl === undefined ? {} : { ttlMs: ttl * 1000 }),
    suspend: spec.suspend,
  };
}

function budgetOf({ budget: { cpu, memory, events, artifacts } }: TraceJobSpec): Budget {
  return {
    ...(cpu === undefined ? {} : { cpu: asNumber(cpu) }),
    ...(memory === undefined ? {} : { memoryBytes: Number(asWhole(memory)) }),
    ...(events === undefined ? {} : { events: Number(asWhole(events)) }),
    ...(artifacts === undefined ? {} : { artifactBytes: Number(asWhole(artifacts)) }),
  };
}

function unknownMember(spec: unknown, members: ReadonlyMap<string, Gadget>): string | undefined {
  const trace = typeof spec === 'object' && spec !== null && 'trace' in spec ? spec.trace : undefined;
  if (typeof trace !== 'object' || trace === null) return undefined;
  return Object.keys(trace)
    .find((member) => member !== programMember && !members.has(member))
    ?.slice(0, 64);
}

function refusal(reason: Refusal['reason'], message: string): { refusal: Refusal } {
  return { refusal: { reason, message } };
}
