import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planTrace } from './plan.ts';
import { loadGadget, loadGadgets } from './registry.ts';

test('a plan is plain data, and defaults are filled in', async () => {
  for (const gadget of await loadGadgets()) {
    const plan = planTrace(gadget, {});
    assert.deepEqual(plan, planTrace(gadget, undefined));
    assert.equal(plan.trace, gadget.name);
    assert.deepEqual(structuredClone(plan), plan);
    assert.deepEqual(Object.keys(plan.parameters), Object.keys(gadget.parameters.shape));
  }
});

test('numbers of system calls are those of the node that the plan is for', async () => {
  const gadget = await loadGadget('syscall-counts');
  const bits = (arch: 'x86' | 'arm64') =>
    planTrace(gadget, { syscalls: ['openat'] }, arch).variables.calls_wanted;
  assert.deepEqual(bits('x86'), [0n, 0n, 0n, 0n, 1n << 1n, 0n, 0n, 0n]);
  assert.deepEqual(bits('arm64'), [1n << 56n, 0n, 0n, 0n, 0n, 0n, 0n, 0n]);
});

test('parameters that do not fit are refused, each in a line of its own', async () => {
  const gadget = await loadGadget('open-files');
  const issues = (parameters: unknown): string[] => {
    try {
      planTrace(gadget, parameters);
    } catch (error) {
      if (error instanceof Error && 'issues' in error) return error.issues as string[];
    }
    return [];
  };
  assert.deepEqual(issues({ failedonly: true }), ['unknown field "failedonly": did you mean failedOnly?']);
  assert.match(issues({ colour: 'red' })[0] ?? '', /unknown field "colour": it has failedOnly, errno/);
  assert.match(issues({ errno: 'EFOO' })[0] ?? '', /^errno: no such errno/);
  assert.match(
    issues({ processName: 'sixteen bytes or more' })[0] ?? '',
    /^processName: .* at most 15 bytes/,
  );
  assert.match(issues({ pathPrefix: 'é'.repeat(33) })[0] ?? '', /^pathPrefix: at most 64 bytes/);
  assert.equal(issues({ failedOnly: 3, errno: 4 }).length, 2);
  assert.equal(issues([]).length, 1);
});
