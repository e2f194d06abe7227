// Each field of the API has a test that shows what it does: which one, by its name. A field without one fails here, and so does a name that is no test's. The fields
// of gadgets are shown in their own folders (bpf/gadgets/<name>/gadget.test.ts).

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { crdManifests } from './manifest.ts';

const root = join(import.meta.dirname, '..');
const exact = 'test/cluster/exact.cluster.test.ts';
const opens = 'opens of pods on two nodes, made after the job, are rows one by one';
const plan = 'operator/plan.test.ts';
const results = 'operator/plan-results.test.ts';
const done = 'a published result completes the job';
const status = 'operator/status.test.ts';
const open = 'operator/stores/open.test.ts';
const s3 = "s3: region, endpoint and path style are the bucket's address";
const gcs = "gcs: without an endpoint it is Google's";
const azure = "azure: without an endpoint the account's name is in the host";
const own = "a namespace's own store comes before the cluster's, with the namespace's Secret";
const answered = "a file of a finished job is answered with the store's URL and a signed path";
const artifacts = 'operator/artifacts.test.ts';
const refused = 'what can not be had fails with its reason and what to do';
const refusals = 'test/cluster/refusals.cluster.test.ts';
const denied = 'a bucket that refuses the key';

const jobs: Record<string, [file: string, name: string]> = {
  'spec.target.selector': [exact, opens],
  'spec.target.containers': ['operator/observe.test.ts', 'containers are told only where the job names some'],
  'spec.target.nodes': [
    'operator/observe.test.ts',
    'pods are selected by labels, expressions and the labels of their nodes',
  ],
  'spec.target.maxPods': [
    'operator/observe.test.ts',
    'a sample stays as it is while its pods are there, and has no order of its own',
  ],
  'spec.duration': [
    plan,
    'when probes are attached everywhere the job is Attached and its time runs from there',
  ],
  'spec.budget.cpu': ['agent/state.test.ts', 'over its CPU budget for three ticks it samples'],
  'spec.budget.memory': ['agent/state.test.ts', 'a session over its budget of '],
  'spec.budget.events': ['agent/session.kernel.test.ts', 'a budget for events is kept to the event'],
  'spec.budget.artifacts': ['agent/state.test.ts', 'a session over its budget of '],
  'spec.redact': ['agent/session.kernel.test.ts', 'secrets in arguments do not reach the file, and with All'],
  'spec.store.name': [refusals, 'a store that nobody made'],
  'spec.ttlSecondsAfterFinished': [plan, 'a job is deleted when its time to live is over'],
  'spec.suspend': [plan, 'a running job that is suspended ends early with what it has'],
  'status.phase': [plan, 'a job from apply to its end, step by step'],
  'status.trace': ['test/cluster/manifests.cluster.test.ts', 'kubectl get shows a job in one line'],
  'status.startTime': [plan, 'when probes are attached everywhere the job is Attached'],
  'status.completionTime': [results, done],
  'status.nodes.matched': [exact, opens],
  'status.nodes.running': [plan, 'when probes are attached everywhere the job is Attached'],
  'status.nodes.succeeded': [exact, opens],
  'status.nodes.failed': [refusals, 'no agent on a node: Degraded with the other node'],
  'status.pods.matched': [exact, opens],
  'status.pods.traced': [exact, opens],
  'status.headline': [results, done],
  'status.summary': [results, done],
  'status.events.seen': [plan, 'when probes are attached everywhere the job is Attached'],
  'status.events.recorded': [plan, 'when probes are attached everywhere the job is Attached'],
  'status.events.lost': [exact, opens],
  'status.events.sampledBy': [plan, 'when probes are attached everywhere the job is Attached'],
  'status.overhead.cpu': [
    status,
    'what tracing cost is the mean of CPU over nodes, and the most memory of any',
  ],
  'status.overhead.memory': [
    status,
    'what tracing cost is the mean of CPU over nodes, and the most memory of any',
  ],
  'status.failures[].node': ['operator/plan-nodes.test.ts', 'a node without an agent is waited for, by name'],
  'status.failures[].reason': [
    'operator/plan-nodes.test.ts',
    'a node without an agent is waited for, by name',
  ],
  'status.failures[].message': [
    status,
    'messages that a status shows hold no paths and no control characters',
  ],
  'status.failuresOmitted': [status, 'a status never passes 16 KiB, however much went wrong'],
  'status.artifacts[].name': [
    'test/cluster/parts.cluster.test.ts',
    'agents put large events into the bucket',
  ],
  'status.artifacts[].mediaType': [
    'operator/deliver.test.ts',
    'an agent that reaches the store puts the parts',
  ],
  'status.artifacts[].uri': ['operator/put-result.test.ts', 'a leader that dies after its upload'],
  'status.artifacts[].bytes': [
    'test/cluster/parts.cluster.test.ts',
    'agents put large events into the bucket',
  ],
  'status.artifacts[].sha256': ['operator/deliver.test.ts', 'an agent that reaches the store puts the parts'],
};

/** Of jobs and of stores. */
const conditions: typeof jobs = {
  'status.observedGeneration': [
    'test/kstatus/health.server.test.ts',
    'a job that nobody has looked at, or that was changed since, is in progress for both',
  ],
  'status.conditions[].type': [
    'test/kstatus/health.server.test.ts',
    'kstatus and Argo CD agree with every moment',
  ],
  'status.conditions[].status': [
    'test/kstatus/health.server.test.ts',
    'kstatus and Argo CD agree with every moment',
  ],
  'status.conditions[].observedGeneration': [
    'test/kstatus/health.server.test.ts',
    'a job that nobody has looked at, or that was changed since, is in progress for both',
  ],
  'status.conditions[].lastTransitionTime': [status, 'conditions keep the time of their last change'],
  'status.conditions[].reason': [refusals, denied],
  'status.conditions[].message': [refusals, denied],
};

const stores: typeof jobs = {
  'spec.filesystem': ['test/cluster/artifacts.cluster.test.ts', 'a file in the embedded store comes through'],
  'spec.s3.bucket': [
    'operator/stores/s3.server.test.ts',
    'wrong keys, a missing bucket, a server that is down',
  ],
  'spec.s3.region': [open, s3],
  'spec.s3.endpoint': [open, s3],
  'spec.s3.prefix': [open, 'a prefix begins every key'],
  'spec.s3.forcePathStyle': [open, s3],
  'spec.s3.credentialsSecret.name': [open, own],
  'spec.gcs.bucket': ['operator/stores/gcs.server.test.ts', 'a missing bucket and a server that is down'],
  'spec.gcs.prefix': [open, 'a prefix begins every key'],
  'spec.gcs.endpoint': [open, gcs],
  'spec.gcs.credentialsSecret.name': [
    'operator/stores/gcs.server.test.ts',
    "a Secret that holds no service account's key is said to be so",
  ],
  'spec.azure.account': [open, azure],
  'spec.azure.container': ['operator/stores/azure.server.test.ts', 'wrong keys, a missing container'],
  'spec.azure.endpoint': [open, azure],
  'spec.azure.prefix': [open, 'a prefix begins every key'],
  'spec.azure.credentialsSecret.name': [
    'operator/stores/azure.server.test.ts',
    'a Secret without the key is said to be so',
  ],
};

const asked: typeof jobs = {
  'spec.job.name': [artifacts, refused],
  'spec.file': [artifacts, answered],
  'status.phase': [artifacts, answered],
  'status.url': [artifacts, answered],
  'status.path': [
    'operator/artifacts-server.test.ts',
    'a signed path gives the file, to be saved and not shown',
  ],
  'status.namespace': [artifacts, answered],
  'status.mediaType': ['operator/artifacts-server.test.ts', 'HEAD says the same without the bytes'],
  'status.bytes': ['operator/artifacts-server.test.ts', 'a download that broke is taken up where it ended'],
  'status.sha256': [
    'cli/cluster/fetch.test.ts',
    'a file with a wrong digest is fetched once more, then refused',
  ],
  'status.expiresAt': [artifacts, 'an answer is left alone while it works, and deleted a minute after'],
  'status.reason': [artifacts, refused],
  'status.message': [artifacts, refused],
};

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
}

/** The fields that hold something, by path; selectors are Kubernetes' own, gadgets have their own tests. */
function fieldsOf(schema: Schema, path: string): string[] {
  const under = Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
    fieldsOf(child, path === '' ? name : `${path}.${name}`),
  );
  const items = schema.items === undefined ? [] : fieldsOf(schema.items, `${path}[]`);
  if (/^(apiVersion|kind|metadata|spec\.trace)(\.|$)/.test(path)) return [];
  if (/^spec\.target\.(selector|nodes|containers)$/.test(path)) return [path];
  return under.length + items.length > 0 ? [...under, ...items] : [path];
}

for (const { path, text } of crdManifests([])) {
  const kind: string = parse(text).spec.names.kind;
  const table = /Artifact$/.test(kind) ? asked : { ...conditions, ...(/Store$/.test(kind) ? stores : jobs) };
  test(`${kind}: every field has a test, and every test that is named is there`, () => {
    const { schema } = parse(text).spec.versions[0];
    assert.deepEqual(fieldsOf(schema.openAPIV3Schema, '').sort(), Object.keys(table).sort(), path);
    for (const [field, [file, name]] of Object.entries(table)) {
      assert.ok(existsSync(join(root, file)), `${field}: ${file} is not there`);
      assert.ok(
        readFileSync(join(root, file), 'utf8').includes(name),
        `${field}: ${file} has no test "${name}"`,
      );
    }
  });
}
