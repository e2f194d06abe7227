import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSpool, SpoolWriteError } from './spool.ts';

test('a disk that is full keeps the whole lines that it took, and says how many', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sonde-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
  try {
    const lines = Array.from(
      { length: 3000 },
      (_, index) => `{"time":"2026-01-01T00:00:00.${String(index).padStart(9, '0')}Z","n":${index}}\n`,
    );
    const spool = openSpool(folder);
    await spool.append(Buffer.from(lines.slice(0, 10).join('')), 0n, 9n);
    let kept = 0;
    await assert.rejects(spool.append(Buffer.from(lines.slice(10).join('')), 10n, 2999n), (error) => {
      assert.ok(error instanceof SpoolWriteError && error.code === 'ENOSPC');
      kept = error.kept;
      return true;
    });
    assert.ok(kept > 500 && kept < 2990, `${kept} lines were kept`);
    assert.equal(await readFile(await spool.finish(), 'utf8'), lines.slice(0, 10 + kept).join(''));
  } finally {
    execFileSync('umount', [folder]);
    await rm(folder, { recursive: true });
  }
});
