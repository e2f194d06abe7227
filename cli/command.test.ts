// Names of commands' groups, the search in $PATH, the output folder. The groups themselves: run.kernel.test.ts.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findExecutable } from './command.ts';
import { CliError } from './errors.ts';
import { groupName, ownerIn, thisProcess } from './leftovers.ts';
import { defaultFolder, prepareOutput } from './output.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonde-cli-'));
});
after(() => rmSync(folder, { recursive: true }));

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof CliError, String(error));
    return `${error.code}: ${error.message}`;
  }
  return assert.fail('nothing was thrown');
};

test("a group's name tells its owner, and no other name does", () => {
  const owner = thisProcess();
  assert.deepEqual(ownerIn(groupName(owner)), owner);
  assert.equal(owner.pid, process.pid);
  assert.match(owner.startTime, /^[1-9][0-9]*$/);
  for (const name of ['sonde', 'sonde-1-2', 'sonde-x-2-3', 'my-sonde-1-2-3', 'sonde-1-2-3.scope']) {
    assert.equal(ownerIn(name), undefined, name);
  }
});

test('a command is looked up as a shell would, and its absence explained', () => {
  const path = `${folder}/nowhere:${folder}`;
  writeFileSync(join(folder, 'tool'), '#!/bin/sh\n');
  writeFileSync(join(folder, 'data'), '');
  chmodSync(join(folder, 'tool'), 0o755);
  chmodSync(join(folder, 'data'), 0o644);
  assert.equal(findExecutable('tool', path), join(folder, 'tool'));
  assert.equal(findExecutable(join(folder, 'tool'), ''), join(folder, 'tool'));
  assert.match(
    codeOf(() => findExecutable('data', path)),
    /^CommandNotFound: no command data in \$PATH/,
  );
  assert.match(
    codeOf(() => findExecutable(join(folder, 'data'), path)),
    /may not be executed/,
  );
  assert.match(
    codeOf(() => findExecutable(`${folder}/x`, path)),
    /does not exist/,
  );
  assert.match(
    codeOf(() => findExecutable(folder, path)),
    /is not a file/,
  );
  assert.match(
    codeOf(() => findExecutable('', path)),
    /CommandNotFound/,
  );
  assert.doesNotMatch(
    codeOf(() => findExecutable('a\x1b[2Jb', path)),
    /\p{Cc}/u,
  );
});

test('an output folder is made, an empty one taken, any other refused and left alone', () => {
  const fresh = prepareOutput(join(folder, 'deep/new'), 'job', new Date());
  assert.ok(existsSync(fresh.spool));
  assert.deepEqual(readdirSync(fresh.folder), []);
  fresh.discard();
  assert.ok(!existsSync(fresh.spool) && !existsSync(fresh.folder));
  mkdirSync(join(folder, 'empty'));
  const empty = prepareOutput(join(folder, 'empty'), 'job', new Date());
  empty.discard();
  assert.ok(existsSync(empty.folder));
  mkdirSync(join(folder, 'full'));
  writeFileSync(join(folder, 'full/precious'), '');
  assert.match(
    codeOf(() => prepareOutput(join(folder, 'full'), 'job', new Date())),
    /^OutputExists: .*not empty/,
  );
  assert.deepEqual(readdirSync(join(folder, 'full')), ['precious']);
  assert.match(
    codeOf(() => prepareOutput(join(folder, 'full/precious'), 'job', new Date())),
    /^OutputExists: .*no folder/,
  );
  assert.match(
    codeOf(() => prepareOutput('/proc/sonde/x', 'job', new Date())),
    /^OutputUnwritable: can't make/,
  );
});

test('the default folder says what and when', () => {
  assert.equal(
    defaultFolder('checkout-cpu', new Date(2026, 0, 2, 3, 4, 5)),
    'sonde-checkout-cpu-20260102-030405',
  );
});
