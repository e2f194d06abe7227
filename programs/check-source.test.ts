// What is said of a program without a kernel. Neighbour: check-source.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceErrors } from './check-source.ts';

const options = { parameters: [], tenancy: 'node' } as const;

test('a program that is right as far as is known has no errors', () => {
  assert.equal(
    sourceErrors('tracepoint:syscalls:sys_exit_read /args.ret > 0/ { @[comm] = sum(args.ret); }', options),
    '',
  );
});

test('an error has its line and a caret; of several each', () => {
  const said = sourceErrors('begin {\n  prntf("x");\n  @a = histo(1);\n}', options);
  assert.match(said, /^source:2:3-8: ERROR: .*prntf.*\n {2}prntf\("x"\);\n {2}~{5}\n/);
  assert.match(said, /source:3:8-13: ERROR: .*histo/);
});

test('a namespaced job may not follow kernel pointers', () => {
  const source = 'profile:hz:99 { @[curtask->pid] = count(); }';
  assert.match(sourceErrors(source, { parameters: [], tenancy: 'pods' }), /ERROR: /);
});
