// Signed paths: what was signed comes back, and nothing else is taken.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Claims, checkPath, signedPath } from './artifacts-path.ts';

const key = randomBytes(32);
const claims: Claims = {
  namespace: 'shop',
  job: 'checkout-cpu',
  uid: '6f1c2c1e-0b57-4b1c-9a3a-3c1f5a0e9d11',
  file: 'result.json',
  store: 'default',
  mediaType: 'application/json',
  bytes: 7,
  sha256: 'a'.repeat(64),
  expires: 1_000_000,
};
const path = signedPath(key, claims);

test('what was signed is valid until it expires', () => {
  assert.deepEqual(checkPath(key, path, 999_999), { kind: 'Valid', claims });
  assert.deepEqual(checkPath(key, path, 1_000_000), { kind: 'Expired' });
  assert.match(path, /\/result\.json$/);
});

test("another key's path, another file's name, another namespace's claims: all are forged", () => {
  assert.equal(checkPath(randomBytes(32), path, 0).kind, 'Forged');
  assert.equal(checkPath(key, path.replace(/result\.json$/, 'report.html'), 0).kind, 'Forged');
  const [, payload = '', signature = ''] = /^\/v1\/([^.]+)\.([^/]+)\//.exec(path) ?? [];
  const theirs = { ...claims, namespace: 'bank' };
  const swapped = Buffer.from(JSON.stringify(theirs)).toString('base64url');
  assert.equal(checkPath(key, path.replace(payload, swapped), 0).kind, 'Forged');
  const later = Buffer.from(JSON.stringify({ ...claims, expires: 9e15 })).toString('base64url');
  assert.equal(checkPath(key, path.replace(payload, later), 0).kind, 'Forged');
  assert.equal(checkPath(key, path.replace(signature, signature.slice(0, -1)), 0).kind, 'Forged');
});

test('paths that lead elsewhere are forged', () => {
  for (const strange of [
    '/',
    '/v1/',
    '/v1/../../etc/passwd',
    `${path}/..`,
    `/x${path}`,
    `${path}?a`,
    'a'.repeat(9_000),
  ])
    assert.equal(checkPath(key, strange, 0).kind, 'Forged', strange);
});

test('no change to a path, however small, leaves it valid with other claims', () => {
  fc.assert(
    fc.property(fc.nat(path.length - 1), fc.string({ minLength: 0, maxLength: 3 }), (at, insert) => {
      const verdict = checkPath(key, path.slice(0, at) + insert + path.slice(at + 1), 0);
      if (verdict.kind === 'Valid') assert.deepEqual(verdict.claims, claims);
      else assert.equal(verdict.kind, 'Forged');
    }),
    { numRuns: 2_000 },
  );
});
