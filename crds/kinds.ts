// Every kind of the API: its names, scope, columns, schemas, and the rules that look at more than one field. Neighbours: crds/trace-job.ts,
// crds/trace-store.ts, crds/trace-artifact.ts (the schemas); crds/manifest.ts and crds/api-page.ts write them out, crds/read.ts reads objects of them.

import type { z } from 'zod';
import { statusSchema } from './status.ts';
import { artifactSpecSchema, artifactStatusSchema } from './trace-artifact.ts';
import { jobSpecSchema, kinds, type TraceMember } from './trace-job.ts';
import { ownCredentials, remoteStores, storeSpecSchema, storeStatusSchema } from './trace-store.ts';

export const allKinds = [
  ...kinds,
  'TraceStore',
  'ClusterTraceStore',
  'TraceArtifact',
  'ClusterTraceArtifact',
] as const;
export type AnyKind = (typeof allKinds)[number];

/** A rule of the API server's for the whole object: in CEL, where it is about, and what it says when it does not hold. */
export interface Rule {
  rule: string;
  message: string;
  fieldPath: string;
  reason?: 'FieldValueForbidden' | 'FieldValueRequired';
}

export interface Column {
  name: string;
  type: 'string' | 'integer' | 'date';
  jsonPath: string;
  /** 1: only with `kubectl get -o wide`. */
  priority?: 1;
}

export interface KindDefinition {
  kind: AnyKind;
  scope: 'Namespaced' | 'Cluster';
  shortName: string;
  description: string;
  spec: z.ZodType;
  status: z.ZodType;
  columns: Column[];
  rules: Rule[];
}

const age: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

const jobColumns: Column[] = [
  { name: 'Trace', type: 'string', jsonPath: '.status.trace' },
  { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
  { name: 'Pods', type: 'integer', jsonPath: '.status.pods.traced' },
  { name: 'Nodes', type: 'integer', jsonPath: '.status.nodes.matched' },
  { name: 'Headline', type: 'string', jsonPath: '.status.headline' },
  { name: 'Lost', type: 'integer', jsonPath: '.status.events.lost', priority: 1 },
  age,
];

const ready = '.status.conditions[?(@.type=="Ready")]';

const storeColumns: Column[] = [
  { name: 'Ready', type: 'string', jsonPath: `${ready}.status` },
  { name: 'Reason', type: 'string', jsonPath: `${ready}.reason` },
  age,
];

const artifactColumns: Column[] = [
  { name: 'Job', type: 'string', jsonPath: '.spec.job.name' },
  { name: 'File', type: 'string', jsonPath: '.spec.file' },
  { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
  { name: 'Reason', type: 'string', jsonPath: '.status.reason' },
  age,
];

/** A result tells of one spec. A job may have begun before its status says so, so that a rule about status.startTime alone would come too late:
 *  only of a suspended job is it certain that nothing has begun. Not among them: suspend and ttlSecondsAfterFinished. */
const settled = ['trace', 'target', 'duration', 'budget', 'redact', 'store'] as const;
const waiting = 'oldSelf.spec.suspend && !(has(oldSelf.status) && has(oldSelf.status.startTime))';
const jobRules: Rule[] = settled.map((field) => ({
  // A field that neither has is no such key to `==`.
  rule: `(${waiting}) || (has(self.spec.${field}) == has(oldSelf.spec.${field}) && (!has(self.spec.${field}) || self.spec.${field} == oldSelf.spec.${field}))`,
  message: `can't change, since the job may have begun; delete the job and create it again, or give it another name. Only while spec.suspend is true, before its first start, may it change`,
  fieldPath: `.spec.${field}`,
  reason: 'FieldValueForbidden',
}));

const tenantRules: Rule[] = remoteStores.map((member) => ({
  rule: `!has(self.spec.${member}) || has(self.spec.${member}.credentialsSecret)`,
  message: ownCredentials,
  fieldPath: `.spec.${member}.credentialsSecret`,
  reason: 'FieldValueRequired',
}));

const artifactRules: Rule[] = [
  {
    rule: 'self.spec == oldSelf.spec',
    message: "can't change; create another object for another file",
    fieldPath: '.spec',
    reason: 'FieldValueForbidden',
  },
];

/** For a catalogue of gadgets, by name. */
export function kindDefinitions(gadgets: readonly TraceMember[]): KindDefinition[] {
  const sorted = gadgets.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const job = {
    spec: jobSpecSchema(sorted),
    status: statusSchema,
    columns: jobColumns,
    rules: jobRules,
  };
  const store = { status: storeStatusSchema, columns: storeColumns };
  const artifact = {
    spec: artifactSpecSchema,
    status: artifactStatusSchema,
    columns: artifactColumns,
    rules: artifactRules,
  };
  return [
    {
      kind: 'TraceJob',
      scope: 'Namespaced',
      shortName: 'tj',
      description: 'Traces what pods of its own namespace do, for a while, and leaves one result.',
      ...job,
    },
    {
      kind: 'ClusterTraceJob',
      scope: 'Cluster',
      shortName: 'ctj',
      description:
        'Traces what pods of any namespace, or whole nodes, do, for a while, and leaves one result.',
      ...job,
    },
    {
      kind: 'TraceStore',
      scope: 'Namespaced',
      shortName: 'ts',
      description: 'Where results of the TraceJobs of its own namespace go.',
      spec: storeSpecSchema('TraceStore'),
      rules: tenantRules,
      ...store,
    },
    {
      kind: 'ClusterTraceStore',
      scope: 'Cluster',
      shortName: 'cts',
      description:
        'Where results of ClusterTraceJobs go, and of TraceJobs whose namespace has no TraceStore of the name.',
      spec: storeSpecSchema('ClusterTraceStore'),
      rules: [],
      ...store,
    },
    {
      kind: 'TraceArtifact',
      scope: 'Namespaced',
      shortName: 'ta',
      description: 'Asks for a file of a TraceJob of its own namespace; answered with a URL that expires.',
      ...artifact,
    },
    {
      kind: 'ClusterTraceArtifact',
      scope: 'Cluster',
      shortName: 'cta',
      description: 'Asks for a file of a ClusterTraceJob; answered with a URL that expires.',
      ...artifact,
    },
  ];
}
