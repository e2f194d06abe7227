// Files of results are input like any other: whatever is in them, reading gives rows or one typed error that names the place.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { ResultError } from './errors.ts';
import { mergeLineFiles } from './merge.ts';
import { readResult } from './read-result.ts';
import { readRun, writeRun } from './run.ts';
import { collect, eventsShape, sampleRows, shapes, tableShape } from './samples.ts';
import type { Row } from './shape.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonde-read-'));
});
after(() => rm(folder, { recursive: true }));

/** Reads, and fails on any error that is not the typed one. */
async function readsOrSaysWhy(read: () => Promise<unknown>): Promise<void> {
  try {
    await read();
  } catch (error) {
    assert.ok(error instanceof ResultError && error.code === 'Malformed', `${error}`);
    assert.ok(error.path !== undefined);
  }
}

/** A good text with a stretch replaced by something else. */
function damaged(good: string): fc.Arbitrary<string> {
  const hostile = fc.oneof(
    fc.constantFrom(
      '',
      '\n',
      '{',
      '}',
      '[]',
      'null',
      '1e999',
      '"__proto__":1',
      '\0',
      '-1',
      '99999999999999999999',
      '{}\n',
    ),
    fc.string({ unit: 'binary', maxLength: 10 }),
    fc.json({ maxDepth: 2 }),
  );
  return fc
    .tuple(fc.nat({ max: good.length }), fc.nat({ max: 40 }), hostile)
    .map(([at, length, text]) => good.slice(0, at) + text + good.slice(at + length));
}

for (const shape of shapes) {
  test(`a damaged ${shape.kind} run gives rows or a typed error with its line`, async () => {
    const path = join(folder, `${shape.kind}.jsonl`);
    await writeRun(path, shape, sampleRows(shape.kind));
    const good = await readFile(path, 'utf8');
    await fc.assert(
      fc.asyncProperty(damaged(good), async (text) => {
        await writeFile(path, text);
        await readsOrSaysWhy(() => collect(readRun(path, shape)));
        if (shape.kind === 'events')
          await readsOrSaysWhy(() => mergeLineFiles([path, path], join(folder, 'merged.jsonl')));
      }),
      { numRuns: 150 },
    );
  });

  test(`a damaged ${shape.kind} result.json gives rows or a typed error`, async () => {
    const good = await readFile(join(import.meta.dirname, 'testdata', shape.kind, 'result.json'), 'utf8');
    const path = join(folder, 'result.json');
    await writeFile(join(folder, 'events.jsonl'), '');
    await fc.assert(
      fc.asyncProperty(damaged(good), async (text) => {
        await writeFile(path, text);
        await readsOrSaysWhy(async () => collect((await readResult(path)).rows()));
      }),
      { numRuns: 150 },
    );
  });
}

test('errors name file, line and member', async () => {
  const path = join(folder, 'bad.jsonl');
  await writeRun(path, tableShape, sampleRows('table'));
  const good = await readFile(path, 'utf8');
  await writeFile(path, good.replace('10,5000000', '"ten",5000000'));
  await assert.rejects(collect(readRun(path, tableShape)), {
    line: 1,
    message: /bad\.jsonl:1: .*value must hold integers/,
  });
  await writeFile(path, good.slice(0, good.indexOf('\n') + 30));
  await assert.rejects(collect(readRun(path, tableShape)), { line: 2, message: /cut off/ });
  const json = join(folder, 'bad.json');
  await writeFile(json, '{"apiVersion":"sonde.dev/v1alpha1",\n"kind":"TraceResult",\n"schemaVersion":2}');
  await assert.rejects(readResult(json), { message: /schema version 2, and this Sonde reads up to 1/ });
  await writeFile(json, '{"apiVersion":"sonde.dev/v1alpha1",\n"kind":nonsense}');
  await assert.rejects(readResult(json), { line: 2 });
});

test('an events run is read as native writes it: members in any order, bytes of bad UTF-8 beside the text', async () => {
  const path = join(folder, 'native.jsonl');
  const time = '2026-11-24T10:00:00.000000007Z';
  await writeFile(
    path,
    `{"time":"${time}","pod":null,"container":"api","node":"n","pid":7,"process":"p\ufffd","process_bytes":"cP8=","arguments":["a","b"],"path":"/x"}\n`,
  );
  const expected: Row = {
    kind: 'events',
    key: [1_795_514_400_000_000_007n, 'n', null, null, 'api'],
    value: ['p\ufffd', 7, '/x', ['a', 'b'], null],
  };
  assert.deepEqual(await collect(readRun(path, eventsShape)), [expected]);
});
