// Azure Blob Storage against a real server of its protocol, azurite.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { never, refusedAs, sample, storeContract } from './contract.ts';
import { openSpec } from './open.ts';
import { freePort, startServer } from './servers.ts';

const account = 'testaccount';
const accountKey = Buffer.from('the key of a test account').toString('base64');
const azurite = join(import.meta.dirname, '../../node_modules/.bin/azurite-blob');
const server = await startServer(
  (port, folder) => [
    azurite,
    ...['--silent', '--disableTelemetry', '--skipApiVersionCheck', '--disableProductStyleUrl'],
    ...['--blobPort', `${port}`, '--location', folder],
  ],
  { AZURITE_ACCOUNTS: `${account}:${accountKey}` },
);
after(() => server[Symbol.asyncDispose]());
const service = new BlobServiceClient(
  `${server.url}/${account}`,
  new StorageSharedKeyCredential(account, accountKey),
);
await service.createContainer('results');

const open = async (change: object = {}, key = accountKey) => {
  const spec = {
    azure: { account, container: 'results', endpoint: server.url, prefix: 'traces', ...change },
  };
  return (await openSpec(spec, { accountKey: key }, '')).store;
};

storeContract(
  'azure',
  open,
  /^http:\/\/127\.0\.0\.1:\d+\/testaccount\/results\/traces\/shop\/checkout-cpu\/[^/]*\/result\.json$/,
);

test('a file has its media type and its digest', async () => {
  await using file = await sample('typed.json', '{}');
  const store = await open();
  await store.put(file, never);
  const blob = await service.getContainerClient('results').getBlobClient(file.key).getProperties();
  assert.equal(blob.contentType, 'application/json');
  assert.deepEqual(blob.metadata, { sha256: file.sha256 });
});

test('a signed URL gives the bytes without credentials, one file only, and not for long', async () => {
  await using file = await sample('signed.json', '{"signed": true}');
  const store = await open();
  await store.put(file, never);
  const url = await store.signedUrl(file.key, 2);
  assert.ok(url !== null);
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), file.content);
  assert.equal((await fetch(url.replace('signed.json', 'result.json'))).status, 403);
  assert.notEqual((await fetch(`${server.url}/${account}/results/${file.key}`)).status, 200);
  await sleep(3_000);
  assert.equal((await fetch(url)).status, 403);
});

test('wrong keys, a missing container, a server that is down: each has its reason', async () => {
  await using file = await sample('refused.json', 'x');
  const wrongKey = Buffer.from('a wrong key').toString('base64');
  const wrong = await open({}, wrongKey);
  await refusedAs('StoreDenied', wrong.put(file, never), [wrongKey, accountKey]);
  await refusedAs('StoreDenied', wrong.check(never), [wrongKey, accountKey]);
  const absent = await open({ container: 'nowhere' });
  await refusedAs('StoreMissing', absent.put(file, never));
  await refusedAs('StoreMissing', absent.check(never));
  const down = await open({ endpoint: `http://127.0.0.1:${await freePort()}` });
  assert.match(await refusedAs('StoreUnreachable', down.put(file, never)), /ECONNREFUSED|REQUEST_SEND_ERROR/);
});

test('a Secret without the key is said to be so', async () => {
  const said = await refusedAs('StoreInvalid', open({}, ''));
  assert.match(said, /has no accountKey/);
});
