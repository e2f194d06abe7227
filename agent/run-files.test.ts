import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ResultMeta, Shape } from '../results/shape.ts';
import { partName, storedRun } from './run-files.ts';
import { order } from './testdata/messages.ts';

function metaOf(shape: Shape): ResultMeta {
  return {
    job: order.job,
    trace: { name: 'open-files', parameters: {} },
    startTime: 1n,
    completionTime: 2n,
    ended: 'Duration',
    shape,
    owners: [],
    events: { seen: 10n, recorded: 10n, lost: 0n, sampledBy: 1, losses: [] },
    overhead: { programsCpuNs: 0n, agentCpuNs: 0n, memoryBytes: 0n, hits: 0n },
    attached: [],
    warnings: [],
  };
}

const events = metaOf({ kind: 'events', columns: [] });
/** Ten lines of 11 bytes. */
const lines = Array.from({ length: 10 }, (_, n) => `{"row":${n}00}\n`.padStart(11)).join('');
const digest = (text: string) => createHash('sha256').update(text).digest('hex');

function rowsIn(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sonde-run-files-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'merged-3.jsonl');
  writeFileSync(path, text);
  return path;
}

test('events of more bytes than are merged are a file; its first whole lines are the rows', async (t) => {
  const path = rowsIn(t, lines);
  const run = await storedRun(path, events, 'node-1', lines.length / 2 + 3);
  const first = readFileSync(join(path, '..', run.rows), 'utf8');
  const expected = lines.slice(0, lines.length / 2);
  assert.equal(first, expected);
  assert.deepEqual([run.head.bytes, run.head.sha256], [BigInt(first.length), digest(first)]);
  assert.deepEqual(run.head.files, [
    {
      name: 'events.jsonl',
      mediaType: 'application/x-ndjson',
      bytes: BigInt(lines.length),
      sha256: digest(lines),
    },
  ]);
  assert.deepEqual(run.paths, { 'events.jsonl': 'merged-3.jsonl' });
  assert.equal(readFileSync(path, 'utf8'), lines);
  assert.equal(run.head.meta.events.recorded, 10n, 'counts are of all events');
  assert.deepEqual(
    run.head.meta.warnings.map(({ reason, message }) => [reason, message]),
    [
      [
        'InParts',
        'the merged files hold the first 5 of 10 events of this node: all of them are in events.node-1.jsonl',
      ],
    ],
  );
});

test('fewer bytes, no limit, and what is no list of events stay whole', async (t) => {
  const path = rowsIn(t, lines);
  const table = metaOf({ kind: 'table', keys: [], values: [], sort: '' });
  for (const [meta, above] of [
    [events, lines.length],
    [events, undefined],
    [table, 1],
  ] as const) {
    const run = await storedRun(path, meta, 'node-1', above);
    assert.deepEqual(run, {
      head: { meta, bytes: BigInt(lines.length), sha256: digest(lines) },
      rows: 'merged-3.jsonl',
      paths: {},
    });
  }
});

test("a node's file of a result is named before its ending", () => {
  assert.equal(partName('events.jsonl', 'node-1.example'), 'events.node-1.example.jsonl');
  assert.equal(partName('capture', 'node-1'), 'capture.node-1');
});
