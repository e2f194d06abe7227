// What every kind of store must do, as tests: operator/stores/filesystem.test.ts and *.server.test.ts run them against a real one. Not shipped.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { putPart } from '../../agent/upload.ts';
import {
  artifactKey,
  type PartedUpload,
  type Store,
  type StoredFile,
  StoreError,
  type StoreReason,
} from './store.ts';

export const never = new AbortController().signal;

export const job = { namespace: 'shop', name: 'checkout-cpu', uid: '6f1c2c1e-0b57-4b1c-9a3a-3c1f5a0e9d11' };

/** A file on disk with what a publisher knows of it. */
export async function sample(
  name: string,
  content: Buffer | string,
): Promise<StoredFile & AsyncDisposable & { content: Buffer }> {
  const folder = await mkdtemp(join(tmpdir(), 'sonde-store-'));
  const path = join(folder, 'file');
  const bytes = Buffer.from(content);
  await writeFile(path, bytes);
  return {
    key: artifactKey('traces/', job, name),
    path,
    mediaType: 'application/json',
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    content: bytes,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

export async function bytesOf(from: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of from) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The rejection is a StoreError of the reason, in one line without any of the secrets; gives its message. */
export async function refusedAs(
  reason: StoreReason,
  what: Promise<unknown>,
  secrets: readonly string[] = [],
): Promise<string> {
  const error = await what.then(
    () => assert.fail(`was no ${reason}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof StoreError, `${error}`);
  assert.equal(error.reason, reason, error.message);
  assert.doesNotMatch(error.message, /\n/);
  for (const secret of secrets) assert.ok(!error.message.includes(secret), error.message);
  return error.message;
}

/** `uri`: what the URI of the small file must be. */
export function storeContract(kind: string, open: () => Promise<Store>, uri: RegExp): void {
  test(`${kind}: a small file is put, read back, and may be put again`, async () => {
    await using file = await sample('result.json', '{"rows": 3}\n');
    const store = await open();
    assert.match(await store.put(file, never), uri);
    assert.match(await store.put(file, never), uri);
    assert.deepEqual(await bytesOf(await store.read(file.key, never)), file.content);
    store.close();
  });

  test(`${kind}: 20 MiB go up in parts and come back whole, or from the middle on`, async () => {
    await using file = await sample('events.jsonl', randomBytes(20 << 20));
    const store = await open();
    await store.put(file, never);
    assert.deepEqual(await bytesOf(await store.read(file.key, never)), file.content);
    const range = { from: (10 << 20) - 3, to: (10 << 20) + 9_999 };
    const part = await bytesOf(await store.read(file.key, never, range));
    assert.deepEqual(part, file.content.subarray(range.from, range.to + 1));
    await store.put(file, never);
    store.close();
  });

  test(`${kind}: others put a file in parts to signed URLs, and go on where an earlier attempt ended`, async (t) => {
    await using file = await sample('capture.node-1.pcapng', randomBytes((20 << 20) + 12_345));
    const store = await open();
    const { path, ...named } = file;
    const send = async (upload: PartedUpload, part: number): Promise<string> => {
      const from = part * upload.partBytes;
      const bytes = Math.min(upload.partBytes, file.bytes - from);
      const answer = await putPart(path, { from: BigInt(from), bytes, ...(await upload.sign(part)) });
      assert.ok(upload.took(answer.status), JSON.stringify(answer));
      return answer.etag;
    };
    const first = await store.openParts(named, never);
    if (first === null) return t.diagnostic('only the operator can write there');
    assert.ok(typeof first === 'object');
    const count = Math.ceil(file.bytes / first.partBytes);
    assert.ok(count > 1);
    let upload = first;
    const etags = new Map([[0, await send(first, 0)]]);
    if (!first.inOrder) {
      await refusedAs('ArtifactMissing', store.read(file.key, never));
      const again = await store.openParts(named, never);
      assert.ok(typeof again === 'object' && again !== null);
      assert.deepEqual([...again.done.keys()], [0]);
      upload = again;
    }
    for (let part = 1; part < count; part++) etags.set(part, await send(upload, part));
    const inOrder = Array.from({ length: count }, (_, part) => etags.get(part) ?? '');
    assert.match(await upload.complete(inOrder, never), /capture\.node-1\.pcapng$/);
    assert.ok((await bytesOf(await store.read(file.key, never))).equals(file.content));
    assert.match(`${await store.openParts(named, never)}`, /capture\.node-1\.pcapng$/);
    await refusedAs('StoreInvalid', store.openParts({ ...named, sha256: 'a'.repeat(64) }, never));
    store.close();
  });

  test(`${kind}: another file does not take the place of one that is there`, async () => {
    await using first = await sample('summary.txt', 'the first\n');
    await using second = await sample('summary.txt', 'another one\n');
    const store = await open();
    await store.put(first, never);
    await refusedAs('StoreInvalid', store.put(second, never));
    assert.deepEqual(await bytesOf(await store.read(first.key, never)), first.content);
    store.close();
  });

  test(`${kind}: of two that are put at once under one name, one is there and the other hears of it`, async () => {
    const name = 'raced.json';
    await using first = await sample(name, 'one '.repeat(1_000));
    await using second = await sample(name, 'two '.repeat(1_000));
    const store = await open();
    const outcomes = await Promise.allSettled([store.put(first, never), store.put(second, never)]);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const winner = outcomes[0]?.status === 'fulfilled' ? first : second;
    assert.deepEqual(await bytesOf(await store.read(first.key, never)), winner.content);
    store.close();
  });

  test(`${kind}: an empty file is a file`, async () => {
    await using file = await sample('empty.jsonl', '');
    const store = await open();
    await store.put(file, never);
    assert.equal((await bytesOf(await store.read(file.key, never))).length, 0);
    store.close();
  });

  test(`${kind}: a file that is not there is ArtifactMissing`, async () => {
    const store = await open();
    await refusedAs('ArtifactMissing', store.read(artifactKey('traces/', job, 'absent.json'), never));
    store.close();
  });

  test(`${kind}: it can be checked, twice`, async () => {
    const store = await open();
    await store.check(never);
    await store.check(never);
    store.close();
  });

  test(`${kind}: putting ends when it is told to`, async () => {
    await using file = await sample('aborted.json', 'never there');
    const store = await open();
    await assert.rejects(store.put(file, AbortSignal.abort()), { name: 'AbortError' });
    await refusedAs('ArtifactMissing', store.read(file.key, never));
    store.close();
  });
}
