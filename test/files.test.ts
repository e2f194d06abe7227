// How test files are told apart, run with limits, and reported.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { reasonToExpect } from './expected-skips.ts';
import { kindOf, root } from './files.ts';
import { describe, type FileReport, totals } from './reporter.ts';

test('a path says what kind of test a file is', () => {
  assert.equal(kindOf('results/merge.test.ts'), 'unit');
  assert.equal(kindOf('bpf/registry.test.ts'), 'unit');
  assert.equal(kindOf('bpf/gadgets/open-files/gadget.test.ts'), 'kernel');
  assert.equal(kindOf('native/map.kernel.test.ts'), 'kernel');
  assert.equal(kindOf('cli/run.kernel.test.ts'), 'endToEnd');
  assert.equal(kindOf('operator/stores/s3.server.test.ts'), 'server');
  assert.equal(kindOf('test/cluster/smoke.cluster.test.ts'), 'cluster');
});

test('every outcome of a file is reported: passed, failed, skipped with its reason, hung, broken', () => {
  const files = ['mixed', 'hangs', 'throws'].map((name) => `test/testdata/${name}.ts`);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawnSync(process.execPath, ['test/testdata/run-files.ts', ...files], {
    cwd: root,
    env,
    encoding: 'utf8',
  });
  const reports: FileReport[] = JSON.parse(child.stdout);
  const [mixed, hangs, throws] = reports;
  assert.ok(mixed && hangs && throws);
  assert.deepEqual(totals([mixed]), { passed: 2, failed: 1, skipped: 1 });
  assert.deepEqual(mixed.skips, [{ name: 'passes › inside, skipped', text: 'NotSupported: no kprobes' }]);
  assert.equal(mixed.failures[0]?.name, 'suite › fails');
  assert.match(mixed.failures[0]?.text ?? '', /1 !== 2/);
  assert.deepEqual(mixed.diagnostics, ['a remark']);
  assert.match(
    describe(mixed),
    /✗ test\/testdata\/mixed.ts: 2 passed, 1 failed, 1 skipped[\s\S]*said on stdout/,
  );
  assert.match(hangs.failures[0]?.text ?? '', /took longer/);
  assert.match(throws.failures[0]?.text ?? '', /outside its tests/);
  assert.match(throws.output, /broken at its head/);
});

test('a skip is expected only where the list says so', () => {
  const list = [
    { where: '5.10', file: /open-files/, test: /io_uring/, why: 'has no probe for it' },
    { where: 'guest', file: /./, test: /peer/, why: 'has no peers' },
  ] as const;
  assert.equal(
    reasonToExpect('5.10', 'a/open-files/gadget.test.ts', 'io_uring', list),
    'has no probe for it',
  );
  assert.equal(reasonToExpect('6.1', 'a/open-files/gadget.test.ts', 'io_uring', list), undefined);
  assert.equal(reasonToExpect('6.12', 'x', 'same as its peer', list), 'has no peers');
  assert.equal(reasonToExpect('host', 'x', 'same as its peer', list), undefined);
});
