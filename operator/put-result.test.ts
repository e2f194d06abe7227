import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { JobObject } from './cluster.ts';
import { putResult } from './put-result.ts';
import { FilesystemStore } from './stores/filesystem.ts';
import { editionOf } from './stores/store.ts';

const never = new AbortController().signal;
const uid = '6f1c2c1e-0b57-4b1c-9a3a-3c1f5a0e9d11';
const job = { metadata: { name: 'checkout', namespace: 'shop', uid } } as unknown as JobObject;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonde-put-result-'));
});
after(() => rm(folder, { recursive: true }));

/** A result of one file, as a leader has it on its scratch disk. */
async function resultOf(leader: string, text: string) {
  const own = await mkdtemp(join(folder, leader));
  await writeFile(join(own, 'result.json'), text);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return {
    folder: own,
    artifacts: [{ name: 'result.json', mediaType: 'application/json', bytes: text.length, sha256 }],
  };
}

test('a leader that dies after its upload, and a node with it: another result of the next one is stored beside the first', async () => {
  const store = new FilesystemStore(join(folder, 'store'));
  const put = async (leader: string, text: string) =>
    await putResult(job, await resultOf(leader, text), { store, prefix: '' }, never);
  const [first] = await put('a', 'of two nodes');
  const [again] = await put('b', 'of two nodes');
  assert.equal(again?.uri, first?.uri, 'the same result lies where it was');
  const [second] = await put('c', 'of one node');
  const [repeated] = await put('d', 'of one node');
  assert.equal(repeated?.uri, second?.uri);
  assert.notEqual(second?.uri, first?.uri);
  const textOf = (artifact: typeof first) => readFile(new URL(artifact?.uri ?? ''), 'utf8');
  assert.deepEqual([await textOf(first), await textOf(second)], ['of two nodes', 'of one node']);
  assert.equal(editionOf(first?.uri ?? '', uid), undefined);
  assert.match(editionOf(second?.uri ?? '', uid) ?? '', /^[0-9a-f]{8}$/);
});

test('what a URI says of an edition is a folder of ours or nothing', () => {
  for (const uri of [`s3://b/shop/j/${uid}/result.json`, `s3://b/shop/j/${uid}/../x/result.json`, 's3://b/x'])
    assert.equal(editionOf(uri, uid), undefined);
  assert.equal(editionOf(`https://a/c/shop/j/${uid}/0a1b2c3d/result.json`, uid), '0a1b2c3d');
});
