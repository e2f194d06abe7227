import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTimes } from './times.ts';
import { formatTime } from './units.ts';

test('the times of a run are those of its lines, from the one asked for on, across blocks of the file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sonde-times-'));
  try {
    const start = 1_795_480_545_000_000_000n;
    const times = Array.from({ length: 30_000 }, (_, index) => start + BigInt(index) * 77_777_777n);
    const path = join(folder, 'events.jsonl');
    await writeFile(
      path,
      times.map((time) => `{"time":"${formatTime(time)}","path":"${'x'.repeat(60)}"}\n`).join(''),
    );
    const read: number[] = [];
    for await (const batch of readTimes(path, 10)) read.push(...batch);
    assert.deepEqual(read, times.slice(10).map(Number));
  } finally {
    await rm(folder, { recursive: true });
  }
});
