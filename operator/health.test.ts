// What probes and Prometheus ask.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyCluster, type JobObject } from './cluster.ts';
import { serveHealth } from './health.ts';
import { startMetrics } from './metrics.ts';

test('healthy at once, ready when caches are, metrics by phase', async () => {
  const cluster = emptyCluster();
  const metadata = { name: 'a', uid: 'u', generation: 1, finalizers: [], resourceVersion: '1' };
  const job: JobObject = { kind: 'ClusterTraceJob', metadata, spec: {}, status: { phase: 'Running' } };
  cluster.putJob(job);
  const metrics = startMetrics(
    cluster,
    () => [],
    () => true,
  );
  metrics.agentError('Unreachable');
  let ready = false;
  const health = await serveHealth(0, () => ready, metrics);
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${health.port}${path}`);
    return { status: response.status, text: await response.text() };
  };
  try {
    assert.equal((await get('/healthz')).status, 200);
    assert.equal((await get('/readyz')).status, 503);
    ready = true;
    assert.equal((await get('/readyz')).status, 200);
    assert.equal((await get('/other')).status, 404);
    const { text } = await get('/metrics');
    assert.match(text, /^sonde_jobs\{phase="Running"\} 1$/m);
    assert.match(text, /^sonde_jobs\{phase="Failed"\} 0$/m);
    assert.match(text, /^sonde_agent_call_errors_total\{code="Unreachable"\} 1$/m);
    assert.match(text, /^sonde_leader 1$/m);
  } finally {
    await health.close();
  }
});
