// docs/kernels.md from the reports of guests.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileReport } from '../reporter.ts';
import type { GuestReport } from './guest.ts';
import { kernelTable } from './run.ts';

const file = (name: string, more: Partial<FileReport>): FileReport => ({
  file: name,
  passed: 0,
  failures: [],
  skips: [],
  diagnostics: [],
  output: '',
  milliseconds: 1,
  ...more,
});

const guest = (series: GuestReport['series'], hook: string, fentry: boolean): GuestReport => ({
  series,
  release: `${series}.0-cloud`,
  seconds: 90.4,
  bootSeconds: 4,
  features: { fentry, arch: 'x86' },
  hooks: [{ gadget: 'open-files', hooks: [hook] }],
  files: [
    file('bpf/gadgets/open-files/gadget.test.ts', { passed: 7 }),
    file('native/x.kernel.test.ts', {
      passed: 1,
      failures: [{ name: 'fails', text: 'why' }],
      skips: [{ name: 'skips', text: 'NotSupported: no such thing' }],
    }),
  ],
});

test('each kernel is a row with its counts; hooks, features and skips are listed by kernel', () => {
  const page = kernelTable(
    [guest('6.1', 'fexit/open', true), guest('5.10', 'kprobe/open', false)],
    'abc123',
    false,
  );
  assert.match(page, /at commit `abc123`\.\n/);
  assert.match(page, /\| 5\.10\.0-cloud \| 8 \| 1 \| 1 \| 90 \|\n\| 6\.1\.0-cloud/);
  assert.match(page, /\| fentry \| no \| yes \|/);
  assert.match(page, /\| open-files \| `kprobe\/open` \| `fexit\/open` \|/);
  assert.match(page, /- 5\.10: native\/x\.kernel\.test\.ts › skips: NotSupported: no such thing/);
  assert.match(kernelTable([], 'abc', true), /with changes not yet committed/);
});
