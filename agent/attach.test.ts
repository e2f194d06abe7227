import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgramChoice } from '../bpf/gadget.ts';
import type { AttachOptions } from '../native/api.ts';
import { NativeError } from '../native/errors.ts';
import { asAgentError, choosePrograms } from './attach.ts';
import { AgentError } from './errors.ts';

const sections = new Map([
  ['by_fentry', 'fentry/do_sys_openat2'],
  ['by_btf', 'tp_btf/sys_exit'],
  ['by_probe', 'kprobe/do_sys_openat2'],
]);
const choice: ProgramChoice = [
  [{ program: 'by_fentry' }],
  [{ program: 'by_btf' }],
  [{ program: 'by_probe' }],
];

test('the first alternative whose hooks the kernel has is taken', () => {
  const supports = (section: string) => (section.startsWith('fentry') ? 'no trampolines here' : null);
  assert.deepEqual(choosePrograms({ trace: 'open-files', programs: [choice] }, sections, supports), [
    { program: 'by_btf' },
  ]);
});

test('without any hook the error says why for each of them', () => {
  assert.throws(
    () => choosePrograms({ trace: 'open-files', programs: [choice] }, sections, () => 'missing'),
    (error) =>
      error instanceof AgentError &&
      error.reason === 'HookMissing' &&
      /fentry\/do_sys_openat2: missing; tp_btf\/sys_exit: missing; kprobe/.test(error.message),
  );
});

test('a program that the object lacks is a matter of versions, not of the kernel', () => {
  const newer: ProgramChoice = [[{ program: 'by_fentry' }], [{ program: 'of_another_version' }]];
  assert.throws(
    () => choosePrograms({ trace: 'open-files', programs: [newer] }, sections, () => 'missing'),
    (error) =>
      error instanceof AgentError &&
      error.reason === 'ObjectMissing' &&
      /of_another_version: it is of another version/.test(error.message),
  );
});

test('an alternative that attaches by options asks for their hook where one can tell, and not for its section', () => {
  const trace = 't';
  const asked: string[] = [];
  const supports = (hook: string) => {
    asked.push(hook);
    return 'missing';
  };
  const chosen = (attach: AttachOptions) =>
    choosePrograms({ trace, programs: [[[{ program: 'by_probe', attach }]]] }, sections, supports);
  assert.throws(() => chosen({ kind: 'tracepoint', category: 'a', name: 'b' }), /tracepoint\/a\/b: missing/);
  assert.deepEqual(asked, ['tracepoint/a/b']);
  assert.equal(chosen({ kind: 'perfEvent', event: 'cpuClock', frequencyHz: 99 }).length, 1);
  assert.equal(asked.length, 1);
});

for (const [code, reason] of [
  ['NotSupported', 'HookMissing'],
  ['PermissionDenied', 'NotPermitted'],
  ['VerifierRejected', 'ProgramRejected'],
  ['NotFound', 'ObjectMissing'],
  ['SystemError', 'Internal'],
] as const)
  test(`${code} of the addon is ${reason} of the agent`, () => {
    const error = asAgentError(new NativeError({ code, message: 'said so' }), 'open-files');
    assert.equal(error.reason, reason);
    assert.match(error.message, /said so/);
  });

test('a full disk is SpoolFailed', () => {
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  assert.equal(asAgentError(error, 'open-files').reason, 'SpoolFailed');
});
