// What `sonde doctor` says of kernels, limits and capabilities that this machine does not have.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernelVersion, lockedMemory, text } from './doctor.ts';
import { asCliError, CliError, errorKinds } from './errors.ts';
import { capabilitiesIn, may } from './machine.ts';

test('kernels are too old, old, or fine', () => {
  assert.equal(kernelVersion('4.19.0-26-amd64').state, 'missing');
  assert.equal(kernelVersion('5.10.0-33-cloud-amd64').state, 'warn');
  assert.equal(kernelVersion('6.1.0').state, 'ok');
  assert.equal(kernelVersion('nonsense').state, 'missing');
});

test('locked memory matters before 5.11 only', () => {
  const limits =
    'Limit  Soft Limit  Hard Limit  Units\nMax locked memory         65536                65536                bytes\n';
  assert.equal(lockedMemory('5.10.0', limits).state, 'warn');
  assert.equal(lockedMemory('5.10.0', limits.replace('65536', 'unlimited')).state, 'ok');
  assert.equal(lockedMemory('6.1.0', limits).state, 'ok');
});

test('capabilities are read from the mask; SYS_ADMIN stands for BPF and PERFMON', () => {
  assert.deepEqual([...capabilitiesIn('CapEff:\t000000c000000000\n')], ['PERFMON', 'BPF']);
  const admin = capabilitiesIn('CapEff:\t0000000000200000\n');
  assert.ok(may(admin, 'BPF') && may(admin, 'PERFMON') && !may(admin, 'SYS_PTRACE'));
  assert.equal(capabilitiesIn('').size, 0);
});

test('advice stands below its line', () => {
  const findings = [{ about: 'BTF', state: 'missing' as const, message: 'none', advice: 'get some' }];
  assert.equal(
    text(findings, true),
    'missing  BTF  none\n              → get some\n\n`sonde run` can not work here; see what is missing.\n',
  );
});

test('every error that agent, results and addon throw has an exit code', () => {
  const named = (name: string, members: object) => Object.assign(new Error('x'), { name, ...members });
  assert.equal(asCliError(named('AgentError', { reason: 'HookMissing' })).exit, 3);
  assert.equal(asCliError(named('AgentError', { reason: 'TargetMissing' })).exit, 2);
  assert.equal(asCliError(named('ResultError', { code: 'DiskFull' })).exit, 1);
  assert.equal(asCliError(named('NativeError', { code: 'PermissionDenied' })).exit, 3);
  assert.equal(asCliError(Object.assign(new Error('x'), { code: 'ENOSPC' })).code, 'DiskFull');
  assert.equal(asCliError('thrown text').code, 'Unexpected');
  assert.equal(asCliError(named('AgentError', { reason: 'constructor' })).code, 'Unexpected');
  for (const [code, { exit, advice }] of Object.entries(errorKinds)) {
    assert.ok([1, 2, 3].includes(exit) && advice.endsWith('.'), code);
    assert.ok(new CliError(code as keyof typeof errorKinds, 'x').exit === exit);
  }
});
