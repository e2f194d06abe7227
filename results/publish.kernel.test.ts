// A full disk, for real: a small tmpfs in a mount namespace of the test's own (needs root).

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

const script = `
import { readdirSync, readFileSync } from 'node:fs';
import { writeResult } from '${import.meta.dirname}/publish.ts';
import { writeRun } from '${import.meta.dirname}/run.ts';
import { metaOf, stacksShape } from '${import.meta.dirname}/samples.ts';
const run = process.argv[1] + '/run.jsonl';
const rows = Array.from({ length: 400 }, (_, i) => ({
  kind: 'stacks', key: ['n', null, null, 'c', 'p', i], frames: [{ name: 'f' + i, kind: 'user' }], value: [1n],
}));
await writeRun(run, stacksShape, rows);
const folder = process.argv[1] + '/small';
const error = await writeResult({ meta: metaOf(stacksShape, 'x'), rows: run }, folder).catch((error) => error);
const names = readdirSync(folder);
JSON.parse(readFileSync(folder + '/result.json', 'utf8'));
console.log(JSON.stringify({ code: error.code, message: error.message, names }));
`;

test('a full disk leaves the files before it whole, and the error says which are missing', () => {
  // The namespace is private and ends with the shell: the mounts are seen by nobody else and need no cleaning up.
  const shell = `mount -t tmpfs none /mnt && mkdir /mnt/small && mount -t tmpfs -o size=128k none /mnt/small &&
    exec "$0" --input-type=module-typescript -e "$1" /mnt`;
  const out = execFileSync('unshare', ['--mount', 'sh', '-c', shell, process.execPath, script], {
    encoding: 'utf8',
  });
  const result: unknown = JSON.parse(out);
  assert.ok(typeof result === 'object' && result !== null && 'names' in result && 'message' in result);
  assert.equal('code' in result && result.code, 'DiskFull');
  assert.deepEqual(result.names, ['profile.pb.gz', 'result.json', 'stacks.folded', 'summary.txt']);
  assert.match(
    `${result.message}`,
    /Written: result\.json, summary\.txt, stacks\.folded, profile\.pb\.gz\. Missing: flamegraph\.svg, report\.html\. The disk is full/,
  );
});
