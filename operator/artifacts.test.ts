// TraceArtifacts are answered: each case of what may be asked, without a cluster.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { ArtifactStatus } from '../crds/trace-artifact.ts';
import { type AnswererHands, answererOf } from './artifacts.ts';
import type { ArtifactObject, OwningJob } from './artifacts-decide.ts';
import { checkPath } from './artifacts-path.ts';
import { type Store, StoreError } from './stores/store.ts';

const key = randomBytes(32);
const start = Date.UTC(2026, 0, 1);
const file = { name: 'result.json', mediaType: 'application/json', uri: 's3://b/k', bytes: 7, sha256: 'ab' };
const done: OwningJob = {
  uid: 'uid-of-job',
  store: 'default',
  status: { phase: 'Succeeded', artifacts: [file] },
};

function asked(spec: unknown = { job: { name: 'checkout-cpu' }, file: 'result.json' }): ArtifactObject {
  const metadata = { name: 'a', namespace: 'shop', uid: 'uid-of-artifact', creationTimestamp: start };
  return { kind: 'TraceArtifact', metadata, spec, status: {} };
}

interface World {
  job?: OwningJob;
  url?: string | null;
  storeError?: StoreError;
  now?: number;
}

/** What one look does. */
async function look(object: ArtifactObject, { job, url = null, storeError, now = start }: World) {
  const seen: { status?: ArtifactStatus; removed?: true; keys: string[] } = { keys: [] };
  const store = {
    signedUrl: async (name: string) => {
      seen.keys.push(name);
      return url;
    },
    close: () => undefined,
  } as unknown as Store;
  const hands: AnswererHands = {
    api: {
      job: async () => job,
      applyStatus: async (_, status) => {
        seen.status = status;
      },
      remove: async () => {
        seen.removed = true;
      },
    },
    key,
    namespace: 'sonde-system',
    openStore: async () => {
      if (storeError) throw storeError;
      return { store, prefix: 'traces/' };
    },
    log: {
      info: () => undefined,
      warn: (fields) => assert.fail(JSON.stringify(fields)),
      error: () => undefined,
    },
    now: () => now,
  };
  await answererOf(hands)(object);
  return seen;
}

test('a file of a second result is signed where it lies', async () => {
  const [artifact] = done.status.artifacts ?? [];
  if (artifact === undefined) return assert.fail('no artifact');
  const uri = `s3://bucket/traces/shop/checkout-cpu/uid-of-job/0a1b2c3d/${artifact.name}`;
  const job = { ...done, status: { ...done.status, artifacts: [{ ...artifact, uri }] } };
  const { status, keys } = await look(asked(), { job, url: null });
  assert.deepEqual(keys, ['traces/shop/checkout-cpu/uid-of-job/0a1b2c3d/result.json']);
  const verdict = checkPath(key, status?.path ?? '', start);
  assert.equal(verdict.kind === 'Valid' ? verdict.claims.edition : undefined, '0a1b2c3d');
});

test("a file of a finished job is answered with the store's URL and a signed path", async () => {
  const { status, keys } = await look(asked(), { job: done, url: 'https://bucket/signed' });
  assert.deepEqual(keys, ['traces/shop/checkout-cpu/uid-of-job/result.json']);
  const { path = '', ...rest } = status ?? {};
  assert.deepEqual(rest, {
    phase: 'Ready',
    url: 'https://bucket/signed',
    namespace: 'sonde-system',
    mediaType: 'application/json',
    bytes: 7,
    sha256: 'ab',
    expiresAt: '2026-01-01T00:15:00Z',
  });
  const verdict = checkPath(key, path, start);
  assert.equal(verdict.kind, 'Valid');
  assert.equal(verdict.kind === 'Valid' && verdict.claims.namespace, 'shop');
});

test('a store without URLs of its own leaves the path alone', async () => {
  const { status } = await look(asked(), { job: done, url: null });
  assert.equal(status?.phase, 'Ready');
  assert.equal(status !== undefined && 'url' in status, false);
});

test('what can not be had fails with its reason and what to do', async () => {
  const reasons: [string, RegExp, ArtifactObject, World][] = [
    ['JobMissing', /no TraceJob checkout-cpu in shop/, asked(), {}],
    [
      'NotPublished',
      /is Running and has no result/,
      asked(),
      { job: { ...done, status: { phase: 'Running' } } },
    ],
    [
      'FileMissing',
      /has no flame\.svg; there are result\.json/,
      asked({ job: { name: 'checkout-cpu' }, file: 'flame.svg' }),
      { job: done },
    ],
    [
      'InvalidSpec',
      /spec\.file/,
      asked({ job: { name: 'checkout-cpu' }, file: '../../etc/passwd' }),
      { job: done },
    ],
    ['StoreDenied', /refused/, asked(), { job: done, storeError: new StoreError('StoreDenied', 'refused') }],
  ];
  for (const [reason, message, object, world] of reasons) {
    const { status } = await look(object, world);
    assert.equal(status?.phase, 'Failed');
    assert.equal(status?.reason, reason);
    assert.match(status?.message ?? '', message);
  }
});

test('a store that does not answer is asked again for a minute', async () => {
  const storeError = new StoreError('StoreUnreachable', 'no answer');
  assert.equal((await look(asked(), { job: done, storeError, now: start + 59_000 })).status, undefined);
  const { status } = await look(asked(), { job: done, storeError, now: start + 60_000 });
  assert.equal(status?.reason, 'StoreUnreachable');
});

test('an answer is left alone while it works, and deleted a minute after', async () => {
  const answered: ArtifactObject = {
    ...asked(),
    status: { phase: 'Ready', expiresAt: '2026-01-01T00:15:00Z' },
  };
  const end = Date.UTC(2026, 0, 1, 0, 15);
  assert.deepEqual(await look(answered, { job: done, now: end + 59_000 }), { keys: [] });
  assert.equal((await look(answered, { job: done, now: end + 60_000 })).removed, true);
});
