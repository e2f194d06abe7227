// What goes wrong in the middle of a job: each time it ends by its deadline, exact or marked Degraded, and nothing stays attached.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { command } from '../../build/step.ts';
import { cluster } from './support/cluster.ts';
import { comeBack, crash, dropConnections, killPod, revive, vanish } from './support/faults.ts';
import { condition, ended } from './support/jobs.ts';
import { nodeOf, podOf, sonde, sondeNamespace } from './support/sonde.ts';
import { assertWhole, steadyJob } from './support/steady.ts';

const testCluster = await cluster();
await sonde(testCluster);
const [first = '', second = ''] = testCluster.nodes;
const skip = testCluster.own ? false : 'the cluster is not our own';

test('the operator killed in the middle: the next one completes the job, whole', async (t) => {
  const running_ = await steadyJob(testCluster, t, '20s');
  await sleep(4000);
  const pod = await podOf(testCluster, 'operator');
  await killPod(testCluster, { namespace: sondeNamespace, pod });
  const status = await ended(testCluster, running_.wish);
  assert.equal(condition(status, 'Degraded')?.status, 'False', JSON.stringify(status.conditions));
  await assertWhole(running_, status, ['one', 'two']);
});

test('the API server killed in the middle: the job completes, whole', { skip }, async (t) => {
  const running_ = await steadyJob(testCluster, t, '20s');
  await sleep(3000);
  await crash('kube-apiserver');
  await sleep(3000);
  await revive('kube-apiserver');
  const status = await ended(testCluster, running_.wish, 180_000);
  assert.equal(condition(status, 'Degraded')?.status, 'False', JSON.stringify(status.conditions));
  await assertWhole(running_, status, ['one', 'two']);
});

test('the S3 server away for 20 s when the result is due: it is stored when it is back', {
  skip,
}, async (t) => {
  const running_ = await steadyJob(testCluster, t, '8s');
  await crash('s3');
  await sleep(20_000);
  await revive('s3');
  const status = await ended(testCluster, running_.wish, 120_000);
  await assertWhole(running_, status, ['one', 'two']);
});

test('connections to an agent dropped again and again: nothing lost, nothing twice', { skip }, async (t) => {
  const running_ = await steadyJob(testCluster, t, '25s');
  const pod = await podOf(testCluster, 'agent', first);
  let dropped = 0;
  for (let round = 0; round < 20; round++) {
    dropped += await dropConnections(testCluster, { namespace: sondeNamespace, pod }, 7443);
    await sleep(500);
  }
  assert.ok(dropped >= 5, `${dropped} connections were dropped`);
  const status = await ended(testCluster, running_.wish);
  assert.equal(condition(status, 'Degraded')?.status, 'False', JSON.stringify(status.conditions));
  await assertWhole(running_, status, ['one', 'two']);
});

test("an agent killed in the middle: Degraded, with the other node's result and the reason", async (t) => {
  const running_ = await steadyJob(testCluster, t, '15s');
  await sleep(3000);
  const pod = await podOf(testCluster, 'agent', second);
  await killPod(testCluster, { namespace: sondeNamespace, pod });
  const status = await ended(testCluster, running_.wish);
  assert.equal(condition(status, 'Complete')?.status, 'True', JSON.stringify(status.conditions));
  const degraded = condition(status, 'Degraded');
  assert.equal(degraded?.status, 'True');
  assert.ok(
    ['Interrupted', 'AgentUnreachable', 'AttachedLate'].includes(degraded?.reason ?? ''),
    degraded?.reason,
  );
  assert.match(degraded?.message ?? '', new RegExp(second));
  await assertWhole(running_, status, ['one']);
});

test('a node that vanishes: Degraded within the deadline and 10 s', { skip }, async (t) => {
  const running_ = await steadyJob(testCluster, t, '15s');
  const began = Date.now();
  await sleep(3000);
  // The operator must not be on the node that goes.
  const away = (await nodeOf(testCluster, await podOf(testCluster, 'operator'))) === second ? first : second;
  await vanish(away);
  t.after(() => comeBack(away));
  const status = await ended(testCluster, running_.wish, 60_000);
  const took = Date.now() - began;
  await comeBack(away);
  assert.equal(condition(status, 'Degraded')?.reason, 'AgentUnreachable', JSON.stringify(status.conditions));
  assert.ok(took <= 15_000 + 10_000 + 1500, `it took ${took} ms`);
  await assertWhole(running_, status, [away === second ? 'one' : 'two']);
});

test('a job deleted while it runs leaves no probe after 5 s', { skip }, async (t) => {
  const { wish, namespace } = await steadyJob(testCluster, t, '60s');
  assert.ok((await programs()) > 0);
  await testCluster.kubectl(['delete', 'tracejobs.sonde.dev', wish.name, '-n', namespace, '--wait=false']);
  const began = Date.now();
  await testCluster.waitFor(
    'no program is left',
    async () => ((await programs()) === 0 ? true : undefined),
    10_000,
  );
  assert.ok(Date.now() - began <= 5000, `it took ${Date.now() - began} ms`);
  await testCluster.waitFor('the job is gone', async () =>
    (await testCluster.get('tracejobs.sonde.dev', wish.name, namespace)) === undefined ? true : undefined,
  );
});

/** Programs of ours that follow cgroups: each session has one. */
async function programs(): Promise<number> {
  const list: { name?: string }[] = JSON.parse(await command(['bpftool', 'prog', 'show', '-j']));
  return list.filter(({ name }) => name?.startsWith('scope_cgroup_mk')).length;
}
