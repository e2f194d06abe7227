// A run becomes a folder: its files are what readers of each format expect, and they are whole or not there.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Ajv } from 'ajv';
import { filesOf } from './encode/files.ts';
import { assertGolden } from './golden.ts';
import { prepareFolder, writeResult } from './publish.ts';
import { readResult } from './read-result.ts';
import { parseJson } from './row-json.ts';
import { writeRun } from './run.ts';
import { collect, metaOf, sampleRows, shapes, stacksShape, tableShape } from './samples.ts';
import { resultJsonSchema } from './schema-page.ts';
import type { Shape } from './shape.ts';

let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sonde-publish-'));
  for (const shape of shapes) await writeRun(runOf(shape), shape, sampleRows(shape.kind));
});
after(() => rm(scratch, { recursive: true }));

function runOf(shape: Shape): string {
  return join(scratch, `${shape.kind}-run.jsonl`);
}

function publish(shape: Shape, folder: string, options?: { replace: boolean }) {
  return writeResult({ meta: metaOf(shape, 'sample'), rows: runOf(shape) }, folder, options);
}

/** Bytes that a browser's bundle or a compressor may change are not compared. */
const compared = /\.(json|jsonl|txt|csv|folded)$/;
const validate = new Ajv({ strict: false }).compile(resultJsonSchema());

for (const shape of shapes) {
  test(`a ${shape.kind} result is all the files of its shape, as they were`, async () => {
    const folder = join(scratch, shape.kind);
    const { artifacts } = await publish(shape, folder);
    assert.deepEqual(
      artifacts.map(({ name }) => name),
      filesOf(shape).map(({ name }) => name),
    );
    assert.deepEqual((await readdir(folder)).sort(), artifacts.map(({ name }) => name).sort());
    for (const { name, bytes, sha256 } of artifacts) {
      const content = await readFile(join(folder, name));
      assert.equal(content.length, bytes, name);
      assert.equal(createHash('sha256').update(content).digest('hex'), sha256, name);
      if (compared.test(name)) assertGolden(`${shape.kind}/${name}`, content.toString());
    }
  });

  test(`a ${shape.kind} result.json follows the documented schema and reads back to the same rows`, async () => {
    const path = join(scratch, shape.kind, 'result.json');
    const parsed: unknown = JSON.parse(await readFile(path, 'utf8'));
    assert.ok(validate(parsed), JSON.stringify(validate.errors));
    const result = await readResult(path);
    assert.deepEqual(result.meta, metaOf(shape, 'sample'));
    assert.deepEqual(await collect(result.rows()), sampleRows(shape.kind));
  });
}

test('table.csv reads as CSV to the last byte, with formulas disarmed', () => {
  const script =
    'import csv,json,sys; print(json.dumps(list(csv.reader(open(sys.argv[1], newline=""), strict=True))))';
  const csv = execFileSync('python3', ['-c', script, join(scratch, 'table/table.csv')], { encoding: 'utf8' });
  assert.deepEqual(JSON.parse(csv), [
    [
      'node',
      'namespace',
      'pod',
      'container',
      'process',
      'syscall',
      'calls',
      'timeNs',
      'longestNs',
      'shortestNs',
    ],
    ['blue-1', 'shop', 'checkout-7d', 'api', "'=cmd|calc", 'read', '10', '5000000', '900000', '1000'],
    ['blue-1', 'shop', 'checkout-7d', 'api', 'a,"b"\n', 'futex', '2', '8000000', '7000000', '1000000'],
    ['blue-2', '', '', 'worker', 'evil\u001b[31m', 'read', '3', '9223372036854775809', '1', '0'],
  ]);
});

test('stacks.folded parses back to the stacks with their weights', async () => {
  const lines = (await readFile(join(scratch, 'stacks/stacks.folded'), 'utf8')).trimEnd().split('\n');
  const parsed = lines.map((line) => {
    const at = line.lastIndexOf(' ');
    return { frames: line.slice(0, at).split(';'), weight: BigInt(line.slice(at + 1)) };
  });
  const rows = sampleRows('stacks').filter((row) => row.kind === 'stacks');
  assert.deepEqual(
    parsed.map(({ weight }) => weight),
    rows.map((row) => row.value[0]),
  );
  assert.deepEqual(
    parsed.map(({ frames }) => frames.length),
    rows.map((row) => row.frames.length + 2),
  );
  assert.deepEqual(parsed[1]?.frames, [
    'shop/checkout-7d/api',
    'api-4242',
    'main.main',
    'main.hash',
    'rotl:32\\n_[i]',
  ]);
});

test('profile.pb.gz is what go tool pprof reads: functions, inlining, labels, units', () => {
  const path = join(scratch, 'stacks/profile.pb.gz');
  const pprof = (...options: string[]) =>
    execFileSync('go', ['tool', 'pprof', ...options, path], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, PPROF_BINARY_PATH: scratch },
    });
  const top = pprof('-top', '-sample_index=samples', '-nodefraction=0');
  assert.match(top, /^\s+41 41\.00% +\S+ +41 41\.00% +encoding\/json\.Unmarshal$/m);
  assert.match(top, /^\s+30 30\.00% +\S+ +30 30\.00% +do_syscall_64$/m);
  assert.match(top, / 29 29\.00% +rotl;32\\n \(inline\)$/m);
  assert.match(top, /Duration: 10s, Total samples = 100/);
  assert.match(pprof('-top'), /Type: cpu[\s\S]*Total samples = 1010\.10ms/);
  const tags = pprof('-tags', '-sample_index=samples');
  assert.match(tags, /container: Total 100[\s\S]*70.*api[\s\S]*30.*worker/);
  assert.match(tags, /pid: Total 100/);
});

test('a folder with anything in it is refused, and nothing in it is touched', async () => {
  const folder = join(scratch, 'other');
  await prepareFolder(folder);
  await writeFile(join(folder, 'thesis.txt'), 'mine');
  await assert.rejects(publish(tableShape, folder, { replace: true }), { code: 'FolderExists' });
  assert.deepEqual(await readdir(folder), ['thesis.txt']);
  await assert.rejects(publish(tableShape, join(scratch, 'table')), {
    code: 'FolderExists',
    message: /holds an earlier result/,
  });
});

test('an earlier result is replaced on demand, without leaving its files beside the new ones', async () => {
  const folder = join(scratch, 'replaced');
  await publish(stacksShape, folder);
  await writeFile(join(folder, 'notes.txt'), 'mine');
  const { artifacts } = await publish(tableShape, folder, { replace: true });
  assert.deepEqual(
    (await readdir(folder)).sort(),
    [...artifacts.map(({ name }) => name), 'notes.txt'].sort(),
  );
});

test('a run that breaks off leaves no half file and says what is missing', async () => {
  const path = join(scratch, 'broken.jsonl');
  await writeFile(path, `${(await readFile(runOf(tableShape), 'utf8')).slice(0, -20)}`);
  const folder = join(scratch, 'broken');
  await assert.rejects(writeResult({ meta: metaOf(tableShape, 'sample'), rows: path }, folder), {
    code: 'Malformed',
    message: /broken\.jsonl:3: .*cut off/,
  });
  assert.deepEqual(await readdir(folder), []);
});

test('events are linked, not copied, where the file system can', async () => {
  const run = runOf(shapes.find(({ kind }) => kind === 'events') as Shape);
  const published = await stat(join(scratch, 'events/events.jsonl'));
  assert.equal(published.ino, (await stat(run)).ino);
  const written = await stat(join(scratch, 'events/result.json'));
  assert.equal(published.mode, written.mode);
});

test('integers above 2^53 are in result.json digit by digit', async () => {
  const text = await readFile(join(scratch, 'table/result.json'), 'utf8');
  assert.match(text, /"timeNs":9223372036854775809,/);
  assert.deepEqual(parseJson('[9223372036854775809,1.5,1e400]'), [
    9223372036854775809n,
    1.5,
    Number.POSITIVE_INFINITY,
  ]);
});
