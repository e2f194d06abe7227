// Azure Blob Storage against a real server of its protocol, azurite.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { makeAuthority } from '../../test/support/certificates.ts';
import { AzureStore } from './azure.ts';
import { never, refusedAs, sample, storeContract } from './contract.ts';
import { openSpec } from './open.ts';
import { freePort, startServer } from './servers.ts';

const account = 'testaccount';
const accountKey = Buffer.from('the key of a test account').toString('base64');
const azurite = join(import.meta.dirname, '../../node_modules/.bin/azurite-blob');
const server = await startServer(
  (port, folder) => [
    process.execPath,
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
  const url = await store.signedUrl(file.key, 120);
  const short = await store.signedUrl(file.key, 1);
  assert.ok(url !== null && short !== null);
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), file.content);
  assert.equal((await fetch(url.replace('signed.json', 'result.json'))).status, 403);
  assert.notEqual((await fetch(`${server.url}/${account}/results/${file.key}`)).status, 200);
  await sleep(2_500);
  assert.equal((await fetch(short)).status, 403);
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

test("with the operator's own identity it writes by tokens, and signs by a key that they got", async () => {
  const authority = await makeAuthority();
  const { certificate, key } = await authority.sign([{ type: 'dns', value: 'localhost' }]);
  await using folder = await sample('certificate', '');
  const files = [`${folder.path}.crt`, `${folder.path}.key`] as const;
  await Promise.all([writeFile(files[0], certificate), writeFile(files[1], key)]);
  setDefaultCACertificates([...getCACertificates('default'), authority.certificate]);
  const start = (port: number, data: string) => [
    process.execPath,
    azurite,
    ...['--silent', '--disableTelemetry', '--skipApiVersionCheck', '--disableProductStyleUrl'],
    ...['--oauth', 'basic', '--cert', files[0], '--key', files[1]],
    ...['--blobPort', `${port}`, '--location', data],
  ];
  await using secure = await startServer(start, { AZURITE_ACCOUNTS: `${account}:${accountKey}` });
  const endpoint = `https://localhost:${secure.port}`;
  const credential = {
    getToken: async () => ({ token: unsignedToken(), expiresOnTimestamp: Date.now() + 3.6e6 }),
  };
  await new BlobServiceClient(`${endpoint}/${account}`, credential).createContainer('results');
  const store = new AzureStore({ account, container: 'results', endpoint }, 'traces/', credential);
  await using file = await sample('signed.json', '{"signed": true}');
  await store.put(file, never);
  const url = await store.signedUrl(file.key, 60);
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), file.content);
  assert.equal((await fetch(url.replace('signed.json', 'other.json'))).status, 403);
  assert.match(url, /skoid=/);
});

/** As azurite looks at it: whose, for what, until when; not by whom it is signed. */
function unsignedToken(): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    ...{
      aud: 'https://storage.azure.com',
      iss: 'https://sts.windows.net/test/',
      oid: 'operator',
      tid: 'test',
    },
    ...{ nbf: now - 60, iat: now - 60, exp: now + 3600, sub: 'operator', appid: 'sonde', ver: '1.0' },
  };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.${Buffer.from('none').toString('base64url')}`;
}
