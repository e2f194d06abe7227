// The archive must be what a kernel, here its stand-in cpio, unpacks.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { command } from '../../build/step.ts';
import { writeArchive } from './cpio.ts';

test('an archive unpacks to the files, texts, links and folders it was made from', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sonde-cpio-'));
  try {
    const source = join(folder, 'source');
    await writeFile(source, 'x'.repeat(70_001), { mode: 0o755 });
    await writeFile(join(folder, 'empty'), '');
    await writeArchive(join(folder, 'root.cpio'), [
      { path: 'proc', folder: true },
      { path: 'usr/bin/tool', from: source },
      { path: 'usr/bin/empty', from: join(folder, 'empty') },
      { path: 'init', text: '#!/bin/sh\n', mode: 0o700 },
      { path: 'bin', link: 'usr/bin' },
    ]);
    await command(['sh', '-c', `mkdir out && cd out && busybox cpio -i -m < ../root.cpio`], { cwd: folder });
    const out = join(folder, 'out');
    assert.equal((await readFile(join(out, 'usr/bin/tool'))).length, 70_001);
    assert.equal((await stat(join(out, 'usr/bin/tool'))).mode & 0o777, 0o755);
    assert.equal((await stat(join(out, 'usr/bin/empty'))).size, 0);
    assert.equal(await readFile(join(out, 'init'), 'utf8'), '#!/bin/sh\n');
    assert.equal((await stat(join(out, 'init'))).mode & 0o777, 0o700);
    assert.equal(await readlink(join(out, 'bin')), 'usr/bin');
    assert.ok((await stat(join(out, 'proc'))).isDirectory());
  } finally {
    await rm(folder, { recursive: true });
  }
});
