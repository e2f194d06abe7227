// Errors as the vendors' SDKs throw them → closed reasons, and sentences without the vendor's words.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storeFailure, storeReason } from './failure.ts';
import type { StoreReason } from './store.ts';

const aws = (name: string, status?: number) =>
  Object.assign(new Error(`${name} for AKIAEXAMPLE`), {
    name,
    ...(status !== undefined && { $metadata: { httpStatusCode: status } }),
  });
const azure = (code: string, statusCode?: number) =>
  Object.assign(new Error('x'), { name: 'RestError', code, ...(statusCode !== undefined && { statusCode }) });
const google = (code: number) => Object.assign(new Error('x'), { code, errors: [{ reason: 'forbidden' }] });
const system = (code: string) => Object.assign(new Error(code), { code });

const cases: [StoreReason, unknown][] = [
  ['StoreMissing', aws('NoSuchBucket', 404)],
  ['ArtifactMissing', aws('NoSuchKey', 404)],
  ['ArtifactMissing', aws('NotFound', 404)],
  ['StoreDenied', aws('AccessDenied', 403)],
  ['StoreDenied', aws('SignatureDoesNotMatch', 403)],
  ['StoreDenied', aws('CredentialsProviderError')],
  ['StoreUnreachable', aws('SlowDown', 503)],
  ['StoreUnreachable', aws('TimeoutError')],
  ['StoreFull', aws('QuotaExceeded', 400)],
  ['StoreFull', aws('Unknown', 507)],
  ['StoreInvalid', aws('PermanentRedirect', 301)],
  ['StoreInvalid', aws('AuthorizationHeaderMalformed', 400)],
  ['StoreMissing', azure('ContainerNotFound', 404)],
  ['StoreDenied', azure('AuthenticationFailed', 403)],
  ['StoreUnreachable', azure('REQUEST_SEND_ERROR')],
  ['StoreUnreachable', azure('ServerBusy', 503)],
  ['StoreFull', azure('AccountLimitExceeded', 409)],
  ['StoreDenied', google(401)],
  ['ArtifactMissing', google(404)],
  ['StoreUnreachable', google(503)],
  ['StoreUnreachable', system('ECONNREFUSED')],
  ['StoreUnreachable', new AggregateError([system('ECONNREFUSED')])],
  ['StoreUnreachable', Object.assign(new Error('fetch failed'), { cause: system('ENOTFOUND') })],
  ['StoreInvalid', system('DEPTH_ZERO_SELF_SIGNED_CERT')],
  ['StoreFull', system('ENOSPC')],
  ['StoreUnreachable', 'thrown text'],
];

test('each kind of error has its reason', () => {
  for (const [reason, error] of cases) {
    const { name, code } = error as { name?: string; code?: string };
    assert.equal(storeReason(error), reason, `${name} ${code}`);
  }
});

test('the sentence says what was tried, why it failed and what to do, and nothing that the server wrote', () => {
  const attempt = {
    verb: 'write' as const,
    uri: 's3://b/k',
    place: 's3://b',
    server: 'https://minio.internal:9000',
  };
  const { message } = storeFailure(aws('AccessDenied', 403), attempt);
  assert.equal(
    message,
    "can't write s3://b/k: https://minio.internal:9000 refuses the credentials (AccessDenied, 403); check the store's credentialsSecret, or what the operator's identity may do: it writes, reads and signs",
  );
  const hostile = Object.assign(new Error('\u001b[31m'), { code: 'x y\n', name: 'A'.repeat(500) });
  const shown = storeFailure(hostile, attempt).message;
  for (const word of ['AAAA', 'x y', '\u001b']) assert.ok(!shown.includes(word), shown);
});
