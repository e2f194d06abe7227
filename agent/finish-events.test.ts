import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { renameOwners } from './finish-events.ts';
import { jsonMembers } from './owners.ts';

const whose = (container: string) => jsonMembers({ node: 'n"1', namespace: 'shop', pod: 'web', container });
const line = (container: string, path: string) =>
  `{"time":"2026-11-24T10:00:00.000000001Z",${whose(container)},"path":${JSON.stringify(path)}}\n`;

test('names come in and rows go by whose they are, whatever the traced process wrote', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sonde-events-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'events.jsonl');
  const hostile = `","${whose('0a')}"\\"container":"0a"`;
  writeFileSync(
    path,
    [line('0a', '/1'), line('pause', '/2'), line('api', hostile), line('"q\\', '/3')].join(''),
  );
  const renaming = new Map([
    [whose('0a'), whose('main')],
    [whose('pause'), null],
    [whose('"q\\'), whose('odd')],
  ]);
  const { rows, dropped, owners } = await renameOwners(path, renaming);
  assert.deepEqual([rows, dropped], [3n, 1n]);
  assert.equal(
    readFileSync(path, 'utf8'),
    [line('main', '/1'), line('api', hostile), line('odd', '/3')].join(''),
  );
  assert.deepEqual(
    owners.map(({ container }) => container),
    ['main', 'api', 'odd'],
  );
  assert.deepEqual(readdirSync(folder), ['events.jsonl']);
});
