import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ResultMeta } from '../results/shape.ts';
import { endInterrupted } from './interrupted.ts';
import { type JobFolder, jobFolder } from './job-folder.ts';
import { jsonMembers } from './owners.ts';
import { order } from './testdata/messages.ts';

const draft: ResultMeta = {
  job: order.job,
  trace: { name: 'open-files', parameters: {} },
  startTime: 5n,
  completionTime: 5n,
  ended: 'Failed',
  shape: { kind: 'events', columns: [] },
  owners: [],
  events: { seen: 0n, recorded: 0n, lost: 0n, sampledBy: 1, losses: [] },
  overhead: { programsCpuNs: 0n, agentCpuNs: 0n, memoryBytes: 0n, hits: 0n },
  attached: [],
  warnings: [],
};

const api = { ...order, pods: order.pods.map(({ only, ...pod }) => pod) };
const members = jsonMembers({ node: 'n', namespace: 'shop', pod: 'checkout-1', container: 'a'.repeat(64) });
const line = (second: number) =>
  `{"time":"2026-11-24T10:00:0${second}.000000000Z",${members},"n":${second}}\n`;

async function folderWith(t: TestContext, files: Record<string, string>): Promise<JobFolder> {
  const spool = mkdtempSync(join(tmpdir(), 'sonde-interrupted-'));
  t.after(() => rmSync(spool, { recursive: true }));
  const folder = jobFolder(spool, 'uid-1');
  await folder.writeOrder(api);
  await folder.writeDraft(draft);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder.run, name), text);
  return folder;
}

const cases: [name: string, files: Record<string, string>, seconds: number[]][] = [
  ['one file', { 'events-0.jsonl': line(1) + line(2) }, [1, 2]],
  ['a line that was cut off', { 'events-0.jsonl': line(1) + line(2).slice(0, 40) }, [1]],
  [
    'files out of order',
    { 'events-0.jsonl': line(1) + line(4), 'events-1.jsonl': line(2) + line(3) },
    [1, 2, 3, 4],
  ],
  [
    'a merge that was done, its parts not yet removed',
    { 'events-1.jsonl': line(2), 'merged-2.jsonl': line(1) + line(2), 'events-3.jsonl': line(3) },
    [1, 2, 3],
  ],
  [
    'a merge that was not done',
    { 'events-0.jsonl': line(1), 'events-1.jsonl': line(2), 'merged-2.jsonl.draft': line(1) },
    [1, 2],
  ],
  [
    'a whole run whose names were being written',
    { 'events.jsonl': line(1) + line(2), 'events.jsonl.named': line(1) },
    [1, 2],
  ],
];
for (const [name, files, seconds] of cases)
  test(`what was saved is there once, under its names: ${name}`, async (t) => {
    const folder = await folderWith(t, files);
    const { report, run } = await endInterrupted(folder, 'n', 7);
    assert.deepEqual([report.phase, report.reason], ['Finished', 'Interrupted']);
    const text = readFileSync(join(folder.run, run?.rows ?? ''), 'utf8');
    assert.equal(text, seconds.map(line).join('').replaceAll('a'.repeat(64), 'api'));
    assert.equal(run?.head.bytes, BigInt(text.length));
    assert.equal(run?.head.meta.events.recorded, BigInt(seconds.length));
    assert.deepEqual(run?.head.meta.owners, [
      { node: 'n', namespace: 'shop', pod: 'checkout-1', container: 'api' },
    ]);
  });

for (const [name, files] of [
  ['no file', {}],
  ['an empty file', { 'events-0.jsonl': '' }],
  ['a file of something else', { 'events-0.jsonl': '\0\0\0\n' }],
] as const)
  test(`with ${name} there is no run, and the job has failed`, async (t) => {
    const { report, run } = await endInterrupted(await folderWith(t, files), 'n', 7);
    assert.deepEqual([report.phase, report.reason, run], ['Failed', 'Interrupted', undefined]);
  });
