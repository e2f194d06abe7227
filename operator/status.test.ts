// What a status holds and how large it may be. Neighbours: operator/status.ts, operator/conditions.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusSchema } from '../crds/status.ts';
import { condition, shown } from './conditions.ts';
import { plan } from './plan.ts';
import {
  begun,
  finished,
  job,
  node,
  observed,
  report,
  result,
  run,
  running,
  second,
  start,
} from './testdata/observed.ts';

test('conditions keep the time of their last change', () => {
  const first = plan(observed([node('a')]), start).status ?? {};
  const second_ =
    plan(observed([node('a', { report: running })], { job: job({ status: first }) }), start + 5 * second)
      .status ?? {};
  assert.equal(condition(second_, 'Accepted')?.lastTransitionTime, '2030-01-01T00:00:00Z');
  assert.equal(condition(second_, 'Attached')?.lastTransitionTime, '2030-01-01T00:00:05Z');
});

test('a status never passes 16 KiB, however much went wrong, and is as the CRD has it', () => {
  const long = 'x'.repeat(5000);
  const nodes = Array.from({ length: 50 }, (_, i) =>
    node(`${'n'.repeat(200)}-${i}`, { failure: { reason: 'AgentFailed', message: long } }),
  );
  const given = node('ok', { report: finished, run: run() });
  const artifacts = Array.from({ length: 9 }, (_, i) => ({
    ...(result.artifacts[0] as (typeof result.artifacts)[number]),
    name: `f${i}`,
    uri: `s3://${'k'.repeat(700)}`,
  }));
  const publication = {
    state: 'Done',
    nodes: ['ok'],
    result: { ...result, artifacts, summary: 's'.repeat(8000) },
  } as const;
  const { status } = plan(
    observed([...nodes, given], { job: job({ status: begun }), publication }),
    start + 62 * second,
  );
  assert.ok(Buffer.byteLength(JSON.stringify(status)) < 16_384);
  statusSchema.parse(status);
  assert.equal(status?.nodes?.failed, 50);
});

test('messages that a status shows hold no paths and no control characters', () => {
  assert.equal(shown('spool /var/lib/sonde/x: disk full\n\u001b[31m', 100), 'spool [path] disk full [31m');
  assert.equal(
    shown('tracepoint block/block_rq_issue is missing', 100),
    'tracepoint block/block_rq_issue is missing',
  );
});

test('what tracing cost is the mean of CPU over nodes, and the most memory of any', () => {
  const cost = (cpuNs: bigint, memoryBytes: bigint) =>
    report('Running', { overhead: { programsCpuNs: cpuNs, agentCpuNs: cpuNs, memoryBytes } });
  const nodes = [
    // 0.2 s and 0.6 s of CPU in ten seconds.
    node('a', { report: cost(100_000_000n, 30n << 20n), contactAt: start + 10 * second }),
    node('b', { report: cost(300_000_000n, 50n << 20n), contactAt: start + 10 * second }),
  ];
  const { status } = plan(observed(nodes, { job: job({ status: begun }) }), start + 10 * second);
  assert.deepEqual(status?.overhead, { cpu: '40m', memory: '50Mi' });
});
