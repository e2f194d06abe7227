// What others make of a job's status as the operator's plan writes it: kstatus itself, and Argo CD's health check from docs/argocd.md.
// Neighbours: main.go (runs both), operator/conditions.ts.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { TraceJobStatus } from '../../crds/status.ts';
import { apiVersion } from '../../crds/trace-job.ts';
import type { NodeRecord, Observed, ObservedNode, PublishedResult } from '../../operator/observed.ts';
import { plan } from '../../operator/plan.ts';
import {
  job,
  meta as metaOf,
  node as nodeOf,
  observed as observedOf,
  result as published,
  report as reportOf,
  second,
  start,
} from '../../operator/testdata/observed.ts';
import { kstatusProgram } from './build.ts';

const program = await kstatusProgram();
interface Verdict {
  kstatus: string;
  message: string;
  argo: string;
  told: string;
}

/** The script of a kind in the ConfigMap of docs/argocd.md. */
async function scriptOf(kind: string): Promise<string> {
  const page = await readFile(join(import.meta.dirname, '../../docs/argocd.md'), 'utf8');
  const [, block = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  return parse(block).data[`resource.customizations.health.sonde.dev_${kind}`];
}

async function verdicts(kind: string, objects: object[]): Promise<Verdict[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sonde-health-'));
  try {
    const script = join(folder, 'health.lua');
    await writeFile(script, await scriptOf(kind));
    const child = spawn(program, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(objects.map((object) => `${JSON.stringify(object)}\n`).join(''));
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    assert.equal(code, 0);
    return said
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const meta = metaOf();
const result: PublishedResult = { ...published, artifacts: [] };
const report = reportOf('Running');

function observed(nodes: ObservedNode[], change: Partial<Observed> = {}): Observed {
  return observedOf(nodes, { job: job({ generation: 2 }), ...change });
}

const node = (name: string, record: Partial<NodeRecord> = {}) => nodeOf(name, { report, ...record });

const fetched = { report: { ...report, phase: 'Finished' }, run: { meta, path: '/scratch/a' } } as const;
const lost = { failure: { reason: 'AgentUnreachable', message: 'its agent stopped answering' } } as const;

/** Each moment of a job: what is observed, when, and how kstatus and Argo CD call what the plan writes. */
const moments: [string, Observed, number, string, string][] = [
  ['waits for pods', observed([]), 0, 'InProgress', 'Progressing'],
  [
    'is being attached',
    observed([node('a', { report: { ...report, phase: 'Starting', attachedAt: 0n } })]),
    0,
    'InProgress',
    'Progressing',
  ],
  ['runs', observed([node('a'), node('b')]), 10, 'InProgress', 'Progressing'],
  [
    'is being collected',
    observed([node('a', { report: { ...report, phase: 'Collecting' } })]),
    61,
    'InProgress',
    'Progressing',
  ],
  [
    'is being published',
    observed([node('a', fetched)], { publication: { state: 'Busy', nodes: ['a'] } }),
    61,
    'InProgress',
    'Progressing',
  ],
  [
    'is complete',
    observed([node('a', fetched)], { publication: { state: 'Done', nodes: ['a'], result } }),
    62,
    'Current',
    'Healthy',
  ],
  [
    'is complete in part',
    observed([node('a', fetched), node('b', lost)], {
      publication: { state: 'Done', nodes: ['a'], result },
    }),
    62,
    'Current',
    'Healthy',
  ],
  ['found no pods', observed([]), 61, 'Failed', 'Degraded'],
  ['has no result', observed([node('a', lost)]), 62, 'Failed', 'Degraded'],
  ['may not run here', observed([], { namespace: 'Denied' }), 0, 'Failed', 'Degraded'],
  ['was stopped before it began', observed([], { stopEverything: true }), 0, 'Current', 'Suspended'],
];

/** What the plan writes at a moment, given that the job was accepted at the start. */
function statusAt(what: Observed, seconds: number): TraceJobStatus {
  const accepted = plan(observed([]), start).status ?? {};
  const begun = what.nodes.some(({ record }) => record?.report !== undefined);
  const before =
    seconds === 0 ? {} : { ...accepted, ...(begun ? { startTime: new Date(start).toISOString() } : {}) };
  const { status } = plan({ ...what, job: { ...what.job, status: before } }, start + seconds * second);
  assert.ok(status);
  return status;
}

const objectOf = (status: object, generation = 2) => ({
  apiVersion,
  kind: 'TraceJob',
  metadata: { name: 'checkout-cpu', namespace: 'shop', generation },
  spec: {},
  status,
});

test('kstatus and Argo CD agree with every moment of a job', async () => {
  const found = await verdicts(
    'TraceJob',
    moments.map(([, what, seconds]) => objectOf(statusAt(what, seconds))),
  );
  const shown = moments.map(([name], at) => [name, found[at]?.kstatus, found[at]?.argo]);
  assert.deepEqual(
    shown,
    moments.map(([name, , , kstatus, argo]) => [name, kstatus, argo]),
  );
  const messages = Object.fromEntries(moments.map(([name], at) => [name, found[at]?.told]));
  assert.equal(messages['is complete'], '41% of CPU in json.Unmarshal');
  assert.match(messages['is complete in part'] ?? '', /^41% of CPU in json\.Unmarshal \(in part: /);
  assert.match(messages['may not run here'] ?? '', /^NamespaceDenied: namespace shop is labelled/);
  assert.equal(await scriptOf('ClusterTraceJob'), await scriptOf('TraceJob'));
});

test('a job that nobody has looked at, or that was changed since, is in progress for both', async () => {
  const complete = statusAt(
    observed([node('a', fetched)], { publication: { state: 'Done', nodes: ['a'], result } }),
    62,
  );
  // As the API server shows a job that has no status yet: by the default in its CRD.
  const crd = join(import.meta.dirname, '../../crds/generated/sonde.dev_tracejobs.yaml');
  const [{ schema }] = parse(await readFile(crd, 'utf8')).spec.versions;
  const unseen = schema.openAPIV3Schema.properties.status.default;
  const [fresh, changed] = await verdicts('TraceJob', [objectOf(unseen, 1), objectOf(complete, 3)]);
  assert.deepEqual([fresh?.kstatus, fresh?.argo], ['InProgress', 'Progressing']);
  assert.deepEqual([changed?.kstatus, changed?.argo], ['InProgress', 'Progressing']);
});

test('a store is healthy when it can be written to, degraded with the reason when not', async () => {
  const store = (status?: 'True' | 'False') => ({
    apiVersion,
    kind: 'TraceStore',
    metadata: { name: 'default', namespace: 'shop', generation: 1 },
    spec: {},
    ...(status && {
      status: {
        observedGeneration: 1,
        conditions: [{ type: 'Ready', status, reason: 'StoreDenied', message: 'the bucket refuses the key' }],
      },
    }),
  });
  const found = await verdicts('TraceStore', [store(), store('True'), store('False')]);
  assert.deepEqual(
    found.map(({ argo }) => argo),
    ['Progressing', 'Healthy', 'Degraded'],
  );
  assert.deepEqual(found.map(({ kstatus }) => kstatus).slice(1), ['Current', 'InProgress']);
  assert.equal(found[2]?.told, 'StoreDenied: the bucket refuses the key');
  assert.equal(await scriptOf('ClusterTraceStore'), await scriptOf('TraceStore'));
});
