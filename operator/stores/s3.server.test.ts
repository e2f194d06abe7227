// S3 against a real server of its protocol, versitygw.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { goTool } from '../../build/tools.ts';
import { never, refusedAs, sample, storeContract } from './contract.ts';
import { openSpec } from './open.ts';
import { freePort, startServer } from './servers.ts';

const keys = { accessKeyId: 'testaccess', secretAccessKey: 'testsecret-3f9a1c' };
const gateway = await goTool('versitygw');
const start = (onPort?: number) =>
  startServer(
    (port, folder) => [gateway, '--quiet', '--port', `127.0.0.1:${port}`, 'posix', folder],
    { ROOT_ACCESS_KEY: keys.accessKeyId, ROOT_SECRET_KEY: keys.secretAccessKey },
    onPort,
  );
const server = await start();
after(() => server[Symbol.asyncDispose]());

const client = new S3Client({
  endpoint: server.url,
  region: 'us-east-1',
  forcePathStyle: true,
  credentials: keys,
});
after(() => client.destroy());
await client.send(new CreateBucketCommand({ Bucket: 'results' }));

const specOf = (change: object = {}) => ({
  s3: { bucket: 'results', endpoint: server.url, prefix: 'traces', forcePathStyle: true, ...change },
});
const open = async (change: object = {}, credentials: Record<string, string> = keys) =>
  (await openSpec(specOf(change), credentials, '')).store;

storeContract('s3', open, /^s3:\/\/results\/traces\/shop\/checkout-cpu\/6f1c2c1e-[^/]*\/result\.json$/);

test('a file has its media type and its digest', async () => {
  await using file = await sample('typed.json', '{}');
  const store = await open();
  await store.put(file, never);
  const head = await client.send(new HeadObjectCommand({ Bucket: 'results', Key: file.key }));
  assert.equal(head.ContentType, 'application/json');
  assert.deepEqual(head.Metadata, { sha256: file.sha256 });
  store.close();
});

test('a signed URL gives the bytes without credentials, one file only, and not for long', async () => {
  await using file = await sample('signed.json', '{"signed": true}');
  const store = await open();
  await store.put(file, never);
  const url = await store.signedUrl(file.key, 120);
  const short = await store.signedUrl(file.key, 1);
  assert.ok(url !== null && short !== null);
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), file.content);
  assert.equal((await fetch(url.replace('signed.json', 'result.json'))).status, 403);
  assert.equal((await fetch(`${server.url}/results/${file.key}`)).status, 403);
  await sleep(2_500);
  assert.equal((await fetch(short)).status, 403);
  store.close();
});

test('wrong keys, a missing bucket, a server that is down: each has its reason', async () => {
  await using file = await sample('refused.json', 'x');
  const wrong = await open({}, { ...keys, secretAccessKey: 'wrong-secret-77' });
  const said = await refusedAs('StoreDenied', wrong.put(file, never), ['wrong-secret-77', keys.accessKeyId]);
  assert.match(said, /^can't look for s3:\/\/results\/traces\/.*credentialsSecret/);
  await refusedAs('StoreDenied', wrong.check(never), ['wrong-secret-77', keys.accessKeyId]);
  const absent = await open({ bucket: 'nowhere' });
  assert.match(await refusedAs('StoreMissing', absent.put(file, never)), /s3:\/\/nowhere.*create it/);
  await refusedAs('StoreMissing', absent.check(never));
  const down = await open({ endpoint: `http://127.0.0.1:${await freePort()}` });
  assert.match(await refusedAs('StoreUnreachable', down.put(file, never)), /ECONNREFUSED/);
  await refusedAs('StoreUnreachable', down.read(file.key, never));
});

test('a Secret without the keys is said to be so', async () => {
  const said = await refusedAs('StoreInvalid', open({}, { accessKeyId: 'x' }));
  assert.match(said, /has no secretAccessKey/);
});

test('a server that comes up later is taken as it is', async () => {
  const port = await freePort();
  const store = await open({ endpoint: `http://127.0.0.1:${port}` });
  await refusedAs('StoreUnreachable', store.check(never));
  await using _late = await start(port);
  await refusedAs('StoreMissing', store.check(never));
  store.close();
});
