// What every other kernel test stands on: the addon loads and finds in this kernel what the kernel's release says it has.

import assert from 'node:assert/strict';
import { release } from 'node:os';
import { test } from 'node:test';
import { native } from '../../native/index.ts';

test('the addon knows what this kernel has', (t) => {
  const features = native.features();
  t.diagnostic(`features: ${JSON.stringify(features)}`);
  assert.equal(features.btf, true);
  assert.equal(features.rawTracepointBtf, true);
  assert.equal(features.ringBuffer, true);
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const since = (wantedMajor: number, wantedMinor: number) =>
    major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  assert.equal(features.taskPtRegs, since(5, 15));
  assert.equal(features.uprobeMulti, since(6, 6));
  if (process.env.SONDE_GUEST === undefined) return;
  assert.equal(features.kprobe, true);
  assert.equal(features.fentry, true);
});
