import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSpool } from './spool.ts';

const line = (second: number) =>
  `{"time":"2026-01-01T00:00:${String(second).padStart(2, '0')}.000000000Z","n":${second}}\n`;

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sonde-spool-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function append(spool: ReturnType<typeof openSpool>, ...seconds: number[]): Promise<void> {
  const text = seconds.map(line).join('');
  await spool.append(Buffer.from(text), BigInt(seconds[0] ?? 0), BigInt(seconds.at(-1) ?? 0));
}

test('batches in order make one file', () =>
  inFolder(async (folder) => {
    const spool = openSpool(folder);
    await append(spool, 1, 2);
    await append(spool, 2, 3);
    assert.deepEqual(await readdir(folder), ['events-0.jsonl']);
    assert.equal(await readFile(await spool.finish(), 'utf8'), [1, 2, 2, 3].map(line).join(''));
    assert.deepEqual(await readdir(folder), ['events.jsonl']);
  }));

test('batches out of order are merged by time, also when they are very many', () =>
  inFolder(async (folder) => {
    const spool = openSpool(folder);
    const seconds = Array.from({ length: 150 }, (_, index) => (index * 37) % 59);
    for (const second of seconds) await append(spool, second);
    assert.ok((await readdir(folder)).length <= 65);
    const sorted = [...seconds].sort((a, b) => a - b);
    assert.equal(await readFile(await spool.finish(), 'utf8'), sorted.map(line).join(''));
    assert.deepEqual(await readdir(folder), ['events.jsonl']);
  }));

test('a spool without events gives an empty file; a closed one keeps what it has', () =>
  inFolder(async (folder) => {
    assert.equal(await readFile(await openSpool(folder).finish(), 'utf8'), '');
    const spool = openSpool(folder);
    await append(spool, 1);
    await spool.close();
    await spool.close();
    assert.equal(await readFile(join(folder, 'events-0.jsonl'), 'utf8'), line(1));
  }));
