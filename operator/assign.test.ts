// Jobs that the operator refuses, with the reason. Neighbour: assign.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignerOf } from './assign.ts';
import type { JobObject } from './cluster.ts';

const job = (trace: unknown): JobObject =>
  ({
    kind: 'TraceJob',
    metadata: { name: 'j', namespace: 'shop', uid: 'u' },
    spec: { trace },
  }) as unknown as JobObject;

const refusalOf = (trace: unknown) => {
  const assigned = assignerOf([])(job(trace));
  return 'refusal' in assigned ? assigned.refusal : undefined;
};

test("a program's errors are told at their place as soon as it is applied", () => {
  const refusal = refusalOf({ program: { source: 'begin {\n  prntf("x");\n}' } });
  assert.equal(refusal?.reason, 'InvalidSpec');
  assert.match(
    refusal?.message ?? '',
    /^spec\.trace\.program\.source:\nsource:2:3-8: ERROR: .*\n {2}prntf\("x"\);\n {2}~{5}/,
  );
});

test('a namespaced job may not follow kernel pointers', () => {
  const refusal = refusalOf({ program: { source: 'profile:hz:9 { @[curtask->pid] = count(); }' } });
  assert.equal(refusal?.reason, 'InvalidSpec');
});

test('a program that is right is refused too: agents do not run programs yet', () => {
  const refusal = refusalOf({ program: { source: 'profile:hz:9 { @[comm] = count(); }' } });
  assert.equal(refusal?.reason, 'UnknownGadget');
  assert.match(refusal?.message ?? '', /sonde run -f/);
});
