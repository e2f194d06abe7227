// The folder store: files appear whole or not at all, and nothing outside the folder can be named.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { never, refusedAs, sample, storeContract } from './contract.ts';
import { FilesystemStore } from './filesystem.ts';

const root = mkdtempSync(join(tmpdir(), 'sonde-store-'));
after(() => rmSync(root, { recursive: true, force: true }));

const open = async () => new FilesystemStore(join(root, 'data'));

storeContract(
  'filesystem',
  open,
  /^file:\/\/.*\/data\/traces\/shop\/checkout-cpu\/6f1c2c1e-[^/]*\/result\.json$/,
);

test('no key leads out of the folder', async () => {
  writeFileSync(join(root, 'secret'), 'not yours');
  await using file = await sample('result.json', 'x');
  const store = await open();
  const keys = ['../secret', 'a/../../secret', '/etc/passwd', 'a//b', 'a/./b', '', '.hidden', 'a\\b', 'a/\0'];
  for (const key of keys) {
    await refusedAs('StoreInvalid', store.read(key, never));
    await refusedAs('StoreInvalid', store.put({ ...file, key }, never));
    await refusedAs('StoreInvalid', store.signedUrl(key));
  }
});

test('nothing but whole files is left, whatever went wrong', async () => {
  await using file = await sample('gone.json', 'x');
  const store = await open();
  await refusedAs('StoreMissing', store.put({ ...file, path: join(root, 'no such file') }, never));
  const left = readdirSync(join(root, 'data'), { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    left.filter((path) => /(^|\/)\./.test(path)),
    [],
  );
});

test('a volume that can not be written to says so', async () => {
  writeFileSync(join(root, 'a file'), '');
  const message = await refusedAs('StoreUnreachable', new FilesystemStore(join(root, 'a file')).check());
  assert.match(message, /can't write .*(ENOTDIR|EEXIST)/);
});

test('it has no URL of its own, but says when the file is missing', async () => {
  await using file = await sample('signed.json', 'x');
  const store = await open();
  await refusedAs('ArtifactMissing', store.signedUrl(file.key));
  await store.put(file, never);
  assert.equal(await store.signedUrl(file.key), null);
});
