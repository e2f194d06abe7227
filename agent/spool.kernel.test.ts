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

test('a disk on which nothing more could be merged is full in time, and gives out what it took', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sonde-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', folder]);
  try {
    const spool = openSpool(folder);
    const line = (index: number) =>
      `{"time":"2026-01-01T00:00:00.${String(index).padStart(9, '0')}Z","n":${index}}\n`;
    const kept: string[] = [];
    let refused: unknown;
    // Each batch begins before the one before has ended, as commands that are completed late do.
    for (let batch = 0; batch < 200 && refused === undefined; batch++) {
      const lines = Array.from({ length: 100 }, (_, index) => line(batch * 50 + index));
      await spool.append(Buffer.from(lines.join('')), BigInt(batch * 50), BigInt(batch * 50 + 99)).then(
        () => kept.push(...lines),
        (error: unknown) => {
          refused = error;
        },
      );
    }
    assert.ok(refused instanceof SpoolWriteError && refused.code === 'ENOSPC' && refused.kept === 0);
    assert.ok(kept.length > 1000, `${kept.length} lines were taken`);
    assert.equal(await readFile(await spool.finish(), 'utf8'), kept.sort().join(''));
  } finally {
    execFileSync('umount', [folder]);
    await rm(folder, { recursive: true });
  }
});
