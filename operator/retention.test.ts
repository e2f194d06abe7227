import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sweepResults } from './retention.ts';

const day = 86_400_000;
const now = Date.UTC(2030, 0, 31);

function volume(t: TestContext): { root: string; put(path: string, daysOld: number): void } {
  const root = mkdtempSync(join(tmpdir(), 'sonde-retention-'));
  t.after(() => rmSync(root, { recursive: true }));
  return {
    root,
    put(path, daysOld) {
      const file = join(root, path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, 'x');
      const at = new Date(now - daysOld * day);
      for (let here = file; here.startsWith(root); here = join(here, '..')) utimesSync(here, at, at);
    },
  };
}

test('a result goes when its last file is older than is kept, and its empty folders with it; younger ones stay', async (t) => {
  const { root, put } = volume(t);
  put('_check', 90);
  put('shop/old/uid-1/result.json', 31);
  put('shop/old/uid-1/0a1b2c3d/result.json', 31);
  put('blue/two/uid-2/result.json', 40);
  put('blue/two/uid-3/result.json', 40);
  put('blue/two/uid-3/events.node-1.jsonl', 29);
  assert.equal(await sweepResults(root, 30 * day, now), 2);
  assert.ok(!existsSync(join(root, 'shop')));
  assert.ok(!existsSync(join(root, 'blue/two/uid-2')));
  assert.ok(existsSync(join(root, 'blue/two/uid-3/result.json')));
  assert.ok(existsSync(join(root, '_check')));
  assert.equal(await sweepResults(root, 30 * day, now), 0);
});

test('nothing is followed out of the volume, and a volume that is not there yet is empty', async (t) => {
  const { root, put } = volume(t);
  const elsewhere = volume(t);
  elsewhere.put('job/uid/result.json', 99);
  put('shop/young/uid/result.json', 1);
  symlinkSync(elsewhere.root, join(root, 'link'));
  assert.equal(await sweepResults(root, day * 30, now), 0);
  assert.ok(existsSync(join(elsewhere.root, 'job/uid/result.json')));
  assert.equal(await sweepResults(join(root, 'not-there'), day, now), 0);
});
