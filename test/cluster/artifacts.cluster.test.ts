// A result's files on a real cluster: asked for by TraceArtifacts, had by signed URL or through the API server's proxy, by nobody else; and what stores
// say of themselves. Neighbours: operator/artifacts.ts, operator/stores/status.ts, kubectl-sonde.cluster.test.ts (the same by the command).

import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { ArtifactStatus } from '../../crds/trace-artifact.ts';
import type { StoreStatus } from '../../crds/trace-store.ts';
import { cluster } from './support/cluster.ts';
import { ended, type JobWish, job, resource, testStore } from './support/jobs.ts';
import { sonde, sondeNamespace } from './support/sonde.ts';
import { runPods } from './support/workloads.ts';

const testCluster = await cluster();
await sonde(testCluster);
const apiVersion = 'sonde.dev/v1alpha1';

/** A finished job of this kind in a namespace of its own. */
async function finishedJob(t: TestContext, store: string, kind: 'TraceJob' | 'ClusterTraceJob' = 'TraceJob') {
  const namespace = await testCluster.namespace(t);
  const command: [string, ...string[]] = [
    'sh',
    '-c',
    'while true; do cat /etc/hostname > /dev/null; sleep 0.2; done',
  ];
  await runPods(testCluster, [{ name: 'reader', namespace, command, labels: { artifacts: namespace } }]);
  const wish: JobWish = {
    ...{ kind, name: `opens-${namespace}`, trace: { openFiles: {} }, duration: '2s', store },
    target: { selector: { matchLabels: { artifacts: namespace } } },
    ...(kind === 'TraceJob' && { namespace }),
  };
  if (kind === 'ClusterTraceJob')
    t.after(() => testCluster.kubectl(['delete', resource(kind), wish.name, '--ignore-not-found']));
  await testCluster.apply(job(wish));
  const status = await ended(testCluster, wish);
  assert.equal(status.phase, 'Succeeded', JSON.stringify(status.conditions));
  return { namespace, name: wish.name, status };
}

/** Asks for a file and waits for the answer. namespace null: as a ClusterTraceArtifact. */
async function ask(namespace: string | null, jobName: string, file: string): Promise<ArtifactStatus> {
  const kind = namespace === null ? 'ClusterTraceArtifact' : 'TraceArtifact';
  const plural = `${kind.toLowerCase()}s.sonde.dev`;
  const name = `ask-${crypto.randomUUID()}`;
  const metadata = { name, ...(namespace !== null && { namespace }) };
  await testCluster.apply({ apiVersion, kind, metadata, spec: { job: { name: jobName }, file } });
  try {
    return await testCluster.waitFor(`${kind} ${name} is answered`, async () => {
      const found = await testCluster.get<{ status?: ArtifactStatus }>(plural, name, namespace ?? undefined);
      return found?.status?.phase === undefined ? undefined : found.status;
    });
  } finally {
    const where = namespace === null ? [] : ['--namespace', namespace];
    await testCluster.kubectl(['delete', plural, name, ...where]);
  }
}

const proxied = (path: string | undefined) =>
  `/api/v1/namespaces/${sondeNamespace}/services/https:sonde-artifacts:8443/proxy${path}`;
const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

test('a file in a bucket comes by a signed URL, and through the API server too', async (t) => {
  const { name: store } = await testStore(testCluster, t);
  const { namespace, name, status } = await finishedJob(t, store);
  const file = status.artifacts?.find((one) => one.name === 'events.jsonl');
  assert.ok(file !== undefined);
  const answer = await ask(namespace, name, file.name);
  assert.equal(answer.phase, 'Ready', answer.message);
  assert.deepEqual([answer.bytes, answer.sha256], [file.bytes, file.sha256]);
  const fromBucket = await fetch(answer.url ?? '');
  assert.equal(sha256(new Uint8Array(await fromBucket.arrayBuffer())), file.sha256);
  const text = await testCluster.kubectl(['get', '--raw', proxied(answer.path)]);
  assert.equal(sha256(text), file.sha256);
});

test('a file in the embedded store comes through the API server alone, and a path that was changed gives nothing', async (t) => {
  const { namespace, name, status } = await finishedJob(t, 'default');
  const answer = await ask(namespace, name, 'result.json');
  assert.deepEqual([answer.phase, answer.url], ['Ready', undefined]);
  const text = await testCluster.kubectl(['get', '--raw', proxied(answer.path)]);
  assert.equal(sha256(text), status.artifacts?.find((one) => one.name === 'result.json')?.sha256);
  const changed = proxied(answer.path?.replace('result.json', 'events.jsonl'));
  const refused = await testCluster.tryKubectl(['get', '--raw', changed]);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /not a path that was signed here/);
});

test("another namespace's job can not be asked for, nor a cluster-wide one from a namespace", async (t) => {
  const { namespace, name } = await finishedJob(t, 'default');
  const elsewhere = await testCluster.namespace(t);
  const theirs = await ask(elsewhere, name, 'result.json');
  assert.deepEqual([theirs.phase, theirs.reason], ['Failed', 'JobMissing']);
  const missing = await ask(namespace, name, 'flames.svg');
  assert.equal(missing.reason, 'FileMissing');
  assert.match(missing.message ?? '', /there are .*result\.json/);
});

test('a file of a ClusterTraceJob is asked for by a ClusterTraceArtifact', async (t) => {
  const { namespace, name, status } = await finishedJob(t, 'default', 'ClusterTraceJob');
  assert.equal((await ask(namespace, name, 'result.json')).reason, 'JobMissing');
  const answer = await ask(null, name, 'result.json');
  const text = await testCluster.kubectl(['get', '--raw', proxied(answer.path)]);
  assert.equal(sha256(text), status.artifacts?.find((one) => one.name === 'result.json')?.sha256);
});

/** The Ready condition of a store once it is of this generation and not the reason given. */
async function readiness(kind: string, name: string, namespace?: string, not?: string) {
  return await testCluster.waitFor(`${kind} ${name} is looked at`, async () => {
    const plural = `${kind.toLowerCase()}s.sonde.dev`;
    const found = await testCluster.get<{ metadata: { generation: number }; status?: StoreStatus }>(
      plural,
      name,
      namespace,
    );
    const [ready] = found?.status?.conditions ?? [];
    const seen = found?.status?.observedGeneration === found?.metadata.generation;
    return seen && ready !== undefined && ready.reason !== not ? ready : undefined;
  });
}

test("a namespace's own store works with its own Secret, once the operator may read that", async (t) => {
  const namespace = await testCluster.namespace(t);
  const { name: bucket } = await testCluster.bucket(t);
  const { endpoint, region, accessKeyId, secretAccessKey } = testCluster.s3;
  const spec = {
    s3: { bucket, region, endpoint, forcePathStyle: true, credentialsSecret: { name: 'keys' } },
  };
  await testCluster.apply([
    {
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys', namespace } },
      stringData: { accessKeyId, secretAccessKey },
    },
    { apiVersion, kind: 'TraceStore', metadata: { name: 'own', namespace }, spec },
  ]);
  const before = await readiness('TraceStore', 'own', namespace);
  assert.deepEqual([before.status, before.reason], ['False', 'StoreDenied']);
  assert.match(before.message, /bind the ClusterRole sonde-store-credentials/);
  await testCluster.kubectl([
    ...['create', 'rolebinding', 'sonde-store', '--namespace', namespace],
    ...['--clusterrole=sonde-store-credentials', `--serviceaccount=${sondeNamespace}:sonde-operator`],
  ]);
  // Any change makes it be looked at again.
  const prefix = JSON.stringify({ spec: { s3: { prefix: 'traces' } } });
  const target = [
    'tracestores.sonde.dev',
    'own',
    '--namespace',
    namespace,
    '--type=merge',
    '--patch',
    prefix,
  ];
  await testCluster.kubectl(['patch', ...target]);
  const after = await readiness('TraceStore', 'own', namespace, 'StoreDenied');
  assert.deepEqual([after.status, after.reason], ['True', 'Writable'], after.message);
});

test('a store that can not be written to says why', async (t) => {
  const { endpoint, region, accessKeyId, secretAccessKey } = testCluster.s3;
  const { name: bucket } = await testCluster.bucket(t);
  const nowhere = 'http://127.0.0.1:9';
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const s3 = { bucket, endpoint, region, forcePathStyle: true };
  const s3Keys = { accessKeyId, secretAccessKey };
  const gcsKey = {
    'key.json': JSON.stringify({ client_email: 'w@test.iam.gserviceaccount.com', private_key }),
  };
  const azure = { account: 'results', container: 'results', endpoint: nowhere };
  const cases: { name: string; reason: string; keys: object; spec: object }[] = [
    {
      name: 'missing',
      reason: 'StoreMissing',
      keys: s3Keys,
      spec: { s3: { ...s3, bucket: `${bucket}-not` } },
    },
    { name: 'denied', reason: 'StoreDenied', keys: { ...s3Keys, secretAccessKey: 'wrong' }, spec: { s3 } },
    { name: 'down', reason: 'StoreUnreachable', keys: s3Keys, spec: { s3: { ...s3, endpoint: nowhere } } },
    // The image has every vendor's SDK.
    { name: 'gcs', reason: 'StoreUnreachable', keys: gcsKey, spec: { gcs: { bucket, endpoint: nowhere } } },
    { name: 'azure', reason: 'StoreUnreachable', keys: { accountKey: 'a2V5' }, spec: { azure } },
  ];
  const nameOf = (name: string) => `${bucket}-${name}`;
  const names = cases.map(({ name }) => nameOf(name));
  t.after(async () => {
    await testCluster.kubectl(['delete', 'clustertracestores.sonde.dev', ...names, '--ignore-not-found']);
    await testCluster.kubectl(['delete', 'secret', '-n', sondeNamespace, ...names, '--ignore-not-found']);
  });
  await testCluster.apply(
    cases.flatMap(({ name: short, keys, spec }) => {
      const name = nameOf(short);
      const [[kind, given]] = Object.entries(spec) as [[string, object]];
      const credentialsSecret = { name };
      return [
        {
          ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: sondeNamespace } },
          stringData: keys,
        },
        {
          ...{ apiVersion, kind: 'ClusterTraceStore', metadata: { name } },
          spec: { [kind]: { ...given, credentialsSecret } },
        },
      ];
    }),
  );
  for (const { name, reason } of cases) {
    const ready = await readiness('ClusterTraceStore', nameOf(name));
    assert.deepEqual([name, ready.status, ready.reason], [name, 'False', reason], ready.message);
    assert.ok(!ready.message.includes(secretAccessKey) && !ready.message.includes(accessKeyId));
  }
});
