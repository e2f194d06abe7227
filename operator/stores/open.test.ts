// Which store a job's name means, whose Secret it takes, and what is said where that fails: against an API server that is played.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import type { StoreSpec } from '../../crds/trace-store.ts';
import { refusedAs } from './contract.ts';
import { openSpec, openStore } from './open.ts';
import { againMs, isDue, type StoreObject, startStoreStatus, statusOf } from './status.ts';

const data = mkdtempSync(join(tmpdir(), 'sonde-open-'));
/** What the played server has, by path; a number is a refusal. */
let objects: Record<string, unknown> = {};
let asked: string[] = [];
let written: unknown[] = [];
const server = createServer((request, response) => {
  const path = request.url?.split('?')[0] ?? '';
  asked.push(path);
  const found = objects[path] ?? 404;
  let body = '';
  request.setEncoding('utf8').on('data', (text) => {
    body += text;
  });
  request.on('end', () => {
    if (request.method === 'PATCH') written.push(JSON.parse(body));
    const status = typeof found === 'number' ? found : 200;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(typeof found === 'number' ? { kind: 'Status', code: found } : found));
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
after(() => {
  server.close();
  server.closeAllConnections();
  rmSync(data, { recursive: true, force: true });
});
beforeEach(() => {
  asked = [];
  written = [];
});

const kubeConfig = new KubeConfig();
kubeConfig.loadFromClusterAndUser(
  {
    name: 'played',
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    skipTLSVerify: true,
  },
  { name: 'operator' },
);
const options = { kubeConfig, namespace: 'sonde-system', data };
const api = '/apis/sonde.dev/v1alpha1';
const s3 = (credentialsSecret?: string) => ({
  spec: {
    s3: { bucket: 'results', ...(credentialsSecret && { credentialsSecret: { name: credentialsSecret } }) },
  },
});
const keys = { data: { accessKeyId: btoa('id'), secretAccessKey: btoa('secret') } };

test("a namespace's own store comes before the cluster's, with the namespace's Secret", async () => {
  objects = {
    [`${api}/namespaces/shop/tracestores/default`]: s3('keys'),
    [`${api}/clustertracestores/default`]: { spec: { filesystem: {} } },
    '/api/v1/namespaces/shop/secrets/keys': keys,
  };
  const { store, prefix } = await openStore({ namespace: 'shop', name: 'default' }, options);
  assert.equal(prefix, '');
  assert.equal(store.constructor.name, 'S3Store');
  assert.ok(asked.includes('/api/v1/namespaces/shop/secrets/keys'));
  store.close();
});

test("the cluster's store takes its Secret from the operator's namespace, for jobs of any", async () => {
  objects = {
    [`${api}/clustertracestores/default`]: s3('keys'),
    '/api/v1/namespaces/sonde-system/secrets/keys': keys,
  };
  for (const namespace of ['shop', null])
    (await openStore({ namespace, name: 'default' }, options)).store.close();
  assert.ok(asked.every((path) => !path.includes('/namespaces/shop/secrets/')));
});

test("a namespace's store without credentials of its own is refused, whatever let it through", async () => {
  objects = { [`${api}/namespaces/shop/tracestores/default`]: s3() };
  const said = await refusedAs('StoreInvalid', openStore({ namespace: 'shop', name: 'default' }, options));
  assert.match(said, /spec\.s3\.credentialsSecret: a TraceStore brings credentials of its own/);
});

test('what is missing or may not be read is said, with what to do', async () => {
  objects = {};
  const shop = { namespace: 'shop', name: 'default' };
  assert.match(
    await refusedAs('StoreMissing', openStore(shop, options)),
    /no TraceStore in shop and no ClusterTraceStore named default; create one/,
  );
  objects[`${api}/namespaces/shop/tracestores/default`] = s3('keys');
  assert.match(
    await refusedAs('StoreInvalid', openStore(shop, options)),
    /shop\/keys.*there is none; create it/,
  );
  objects['/api/v1/namespaces/shop/secrets/keys'] = 403;
  const denied = await refusedAs('StoreDenied', openStore(shop, options));
  assert.match(denied, /bind the ClusterRole sonde-store-credentials .* in shop/);
  objects['/api/v1/namespaces/shop/secrets/keys'] = 500;
  await refusedAs('StoreUnreachable', openStore(shop, options));
  objects[`${api}/namespaces/shop/tracestores/default`] = 500;
  await refusedAs('StoreUnreachable', openStore(shop, options));
});

test('a prefix begins every key', async () => {
  const { prefix } = await openSpec(
    { s3: { bucket: 'results', prefix: 'traces/blue', forcePathStyle: false } },
    { accessKeyId: 'a', secretAccessKey: 'b' },
    data,
  );
  assert.equal(prefix, 'traces/blue/');
});

/** Where a signed URL leads says what the SDK made of the spec, without a server. */
async function urlOf(spec: StoreSpec, credentials: Record<string, string>): Promise<URL> {
  const { store, prefix } = await openSpec(spec, credentials, data);
  const url = await store.signedUrl(`${prefix}a/b`, 60);
  store.close();
  return new URL(url ?? '');
}

test("s3: region, endpoint and path style are the bucket's address; without them it is Amazon's", async () => {
  const credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'b', sessionToken: 'of-a-session' };
  const of = (spec: object) =>
    urlOf({ s3: { bucket: 'results', forcePathStyle: false, ...spec } }, credentials);
  const plain = await of({ region: 'eu-central-1', prefix: 'traces' });
  assert.equal(plain.origin + plain.pathname, 'https://results.s3.eu-central-1.amazonaws.com/traces/a/b');
  assert.match(plain.searchParams.get('X-Amz-Credential') ?? '', /^AKIDTEST\/\d{8}\/eu-central-1\/s3\//);
  assert.equal(plain.searchParams.get('X-Amz-Security-Token'), 'of-a-session');
  assert.equal(plain.searchParams.get('X-Amz-Expires'), '60');
  const host = await of({ endpoint: 'https://minio.internal:9000' });
  assert.equal(host.origin + host.pathname, 'https://results.minio.internal:9000/a/b');
  const path = await of({ endpoint: 'https://minio.internal:9000', forcePathStyle: true });
  assert.equal(path.origin + path.pathname, 'https://minio.internal:9000/results/a/b');
});

test("gcs: without an endpoint it is Google's", async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const key = { 'key.json': JSON.stringify({ client_email: 'w@test.iam.gserviceaccount.com', private_key }) };
  const url = await urlOf({ gcs: { bucket: 'results', prefix: 'traces' } }, key);
  assert.equal(url.origin + url.pathname, 'https://storage.googleapis.com/results/traces/a/b');
});

test("azure: without an endpoint the account's name is in the host, and only https is signed", async () => {
  const url = await urlOf(
    { azure: { account: 'results1', container: 'traces' } },
    { accountKey: btoa('key') },
  );
  assert.equal(url.origin, 'https://results1.blob.core.windows.net');
  assert.equal(decodeURIComponent(url.pathname), '/traces/a/b');
  assert.equal(url.searchParams.get('spr'), 'https');
  assert.equal(url.searchParams.get('sp'), 'r');
});

const object: StoreObject = {
  kind: 'ClusterTraceStore',
  metadata: { name: 'default', uid: 'u', generation: 3 },
  spec: { filesystem: {} },
};

test('a store is looked at when it changed, and every five minutes', () => {
  assert.equal(isDue(object, undefined, 0), true);
  const seen = { ...object, status: { observedGeneration: 3 } };
  assert.equal(isDue(seen, 1_000, 1_000 + againMs - 1), false);
  assert.equal(isDue(seen, 1_000, 1_000 + againMs), true);
  assert.equal(isDue({ ...seen, status: { observedGeneration: 2 } }, 1_000, 1_001), true);
});

test('its condition keeps the time since when it holds', () => {
  const first = statusOf(object, undefined, 0);
  assert.deepEqual(first.conditions, [
    {
      type: 'Ready',
      status: 'True',
      observedGeneration: 3,
      lastTransitionTime: '1970-01-01T00:00:00Z',
      reason: 'Writable',
      message: 'The operator can write to it.',
    },
  ]);
  const again = statusOf({ ...object, status: first }, undefined, 60_000);
  assert.equal(again.conditions?.[0]?.lastTransitionTime, '1970-01-01T00:00:00Z');
  const broken = statusOf({ ...object, status: again }, { reason: 'StoreDenied', message: 'no' }, 60_000);
  assert.equal(broken.conditions?.[0]?.lastTransitionTime, '1970-01-01T00:01:00Z');
  assert.equal(broken.conditions?.[0]?.status, 'False');
});

test("the leader writes each store's condition", async () => {
  const named = (name: string, spec: object) => ({ metadata: { name, uid: name, generation: 1 }, spec });
  objects = {
    [`${api}/tracestores`]: { items: [] },
    [`${api}/clustertracestores`]: {
      items: [
        named('good', { filesystem: {} }),
        named('bad', { s3: { bucket: 'b', credentialsSecret: { name: 'x' } } }),
      ],
    },
    [`${api}/clustertracestores/good/status`]: {},
    [`${api}/clustertracestores/bad/status`]: {},
  };
  const log = {
    info: () => undefined,
    warn: (fields: object) => assert.fail(JSON.stringify(fields)),
    error: () => undefined,
  };
  const running = startStoreStatus({ ...options, log, isLeader: () => true });
  for (let i = 0; i < 100 && written.length < 2; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  running.close();
  const said = (
    written as { metadata: { name: string }; status: { conditions: { status: string; reason: string }[] } }[]
  ).map(
    ({ metadata, status }) =>
      `${metadata.name} ${status.conditions[0]?.status} ${status.conditions[0]?.reason}`,
  );
  assert.deepEqual(said, ['good True Writable', 'bad False StoreInvalid']);
});
