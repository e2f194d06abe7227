// Google Cloud Storage against a server of its protocol, fake-gcs-server. That one checks neither tokens nor signatures, so what a signed URL
// must hold is compared with the signature itself, and refusals are those of failure.test.ts.

import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { after, test } from 'node:test';
import { goTool } from '../../build/tools.ts';
import { never, refusedAs, sample, storeContract } from './contract.ts';
import { openSpec } from './open.ts';
import { freePort, startServer } from './servers.ts';

const fake = await goTool('fake-gcs-server');
const server = await startServer((port, folder) => [
  fake,
  ...['-scheme', 'http', '-host', '127.0.0.1', '-port', `${port}`, '-public-host', `127.0.0.1:${port}`],
  ...['-external-url', `http://127.0.0.1:${port}`, '-backend', 'filesystem', '-filesystem-root', folder],
]);
after(() => server[Symbol.asyncDispose]());
await fetch(`${server.url}/storage/v1/b?project=test`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ name: 'results' }),
});

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const account = {
  type: 'service_account',
  client_email: 'writer@test.iam.gserviceaccount.com',
  private_key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }),
};
const open = async (change: object = {}, key: string = JSON.stringify(account)) => {
  const spec = { gcs: { bucket: 'results', endpoint: server.url, prefix: 'traces', ...change } };
  return (await openSpec(spec, { 'key.json': key }, '')).store;
};

storeContract('gcs', open, /^gs:\/\/results\/traces\/shop\/checkout-cpu\/6f1c2c1e-[^/]*\/result\.json$/);

test('a file has its media type and its digest', async () => {
  await using file = await sample('typed.json', '{}');
  await (await open()).put(file, never);
  const answer = await fetch(`${server.url}/storage/v1/b/results/o/${encodeURIComponent(file.key)}`);
  const { contentType, metadata } = (await answer.json()) as { contentType: string; metadata: object };
  assert.equal(contentType, 'application/json');
  assert.deepEqual(metadata, { sha256: file.sha256 });
});

test('a signed URL gives the bytes without credentials; its signature covers the file and the time', async () => {
  await using file = await sample('signed.json', '{"signed": true}');
  const store = await open();
  await store.put(file, never);
  const url = new URL((await store.signedUrl(file.key, 300)) ?? '');
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), file.content);
  assert.equal(url.searchParams.get('X-Goog-Expires'), '300');
  assert.equal(url.pathname, `/results/${file.key}`);
  assert.equal(verified(url), true);
  url.pathname = url.pathname.replace('signed.json', 'result.json');
  assert.equal(verified(url), false);
});

test('a missing bucket and a server that is down have their reasons', async () => {
  await using file = await sample('refused.json', 'x');
  const absent = await open({ bucket: 'nowhere' });
  const said = await refusedAs('StoreMissing', absent.put(file, never));
  assert.match(said, /gs:\/\/nowhere.*create it/);
  await refusedAs('StoreMissing', absent.check(never));
  const down = await open({ endpoint: `http://127.0.0.1:${await freePort()}` });
  assert.match(await refusedAs('StoreUnreachable', down.put(file, never)), /ECONNREFUSED/);
});

test("a Secret that holds no service account's key is said to be so", async () => {
  await refusedAs('StoreInvalid', open({}, '{"type": "authorized_user"}'));
  const said = await refusedAs('StoreInvalid', open({}, 'not JSON but secret-99'), ['secret-99']);
  assert.match(said, /key\.json is not a service account's key/);
});

/** As Google checks a V4 signature. */
function verified(url: URL): boolean {
  const query = [...url.searchParams].filter(([name]) => name !== 'X-Goog-Signature');
  const canonicalQuery = query
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&');
  const host = `host:${url.hostname}\n`;
  const request = ['GET', url.pathname, canonicalQuery, host, 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const date = url.searchParams.get('X-Goog-Date') ?? '';
  const text = [
    'GOOG4-RSA-SHA256',
    date,
    `${date.slice(0, 8)}/auto/storage/goog4_request`,
    createHash('sha256').update(request).digest('hex'),
  ].join('\n');
  const signature = Buffer.from(url.searchParams.get('X-Goog-Signature') ?? '', 'hex');
  return verify('RSA-SHA256', Buffer.from(text), pair.publicKey, signature);
}
