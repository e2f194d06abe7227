import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { hasGroups, readGroups } from './event-groups.ts';
import { writeRun } from './run.ts';
import { arbitraryRow, eventsShape, start } from './samples.ts';
import type { EventsShape, Row } from './shape.ts';

const folder = await mkdtemp(join(tmpdir(), 'sonde-groups-'));
after(() => rm(folder, { recursive: true }));
const path = join(folder, 'events.jsonl');
const noText = fc.constantFrom('"process":"', '\\"process\\":\\"', '\\', '"', '\u{1f600}"\\');

/** Owner and process. */
const whose = (row: Row) =>
  JSON.stringify([...row.key.slice(1), row.kind === 'events' ? row.value[0] : null]);

test('what is counted by lines is what is counted by rows, whatever their text holds', async () => {
  const rows = fc.array(
    fc
      .tuple(arbitraryRow('events'), fc.option(noText))
      .map(([row, text]) => (row.kind === 'events' ? { ...row, value: [text, ...row.value.slice(1)] } : row)),
    { maxLength: 20 },
  );
  await fc.assert(
    fc.asyncProperty(rows, async (some) => {
      await writeRun(path, eventsShape, some);
      const found = await readGroups(path, eventsShape, 1000, 1000);
      const wanted = new Map<string, number>();
      // As they come back: half a surrogate pair is no text.
      for (const row of some) {
        const look = whose(JSON.parse(JSON.stringify(row, (_, v) => (typeof v === 'bigint' ? `${v}` : v))));
        wanted.set(look, (wanted.get(look) ?? 0) + 1);
      }
      const counted = new Map<string, number>();
      for (const { row, count } of found.groups)
        counted.set(whose(row), (counted.get(whose(row)) ?? 0) + count);
      assert.deepEqual(counted, wanted);
      assert.equal(found.rows, some.length);
      assert.equal(found.complete, true);
    }),
    { numRuns: 100 },
  );
});

test('no more rows are read, and no more groups kept, than asked for', async () => {
  const lines = ['a', 'b', 'a', 'c', 'a'].map((process, index) =>
    JSON.stringify({
      time: `2026-11-24T10:00:00.00000000${index}Z`,
      node: 'n',
      namespace: null,
      pod: null,
      container: 'c',
      process,
      pid: index,
    }),
  );
  await writeFile(path, `${lines.join('\n')}\n`);
  const { rows, complete, groups } = await readGroups(path, eventsShape, 4, 2);
  assert.deepEqual([rows, complete], [4, false]);
  assert.deepEqual(
    groups.map(({ row, count }) => [row.key[0], row.value[0], count]),
    [
      [start, 'a', 2],
      [start + 1n, 'b', 1],
    ],
  );
});

test('lines whose process does not stand first have no groups of their own', () => {
  const [time, process, ...others] = eventsShape.columns;
  assert.ok(time && process);
  assert.equal(hasGroups(eventsShape), true);
  const turned: EventsShape = { ...eventsShape, columns: [time, ...others, process] };
  assert.equal(hasGroups(turned), false);
});
