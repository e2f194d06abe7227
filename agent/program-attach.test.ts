// How probes are attached, by what their attach points say. Neighbour: program-attach.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompiledProbe, ProbeAttach } from '../programs/compiled.ts';
import { AgentError } from './errors.ts';
import { attachSteps } from './program-attach.ts';

const paths = { pids: [], searchPath: [] };
const probe = (attach: ProbeAttach, program = 'p'): CompiledProbe => ({ program, attach, name: attach.kind });
const optionsOf = (attach: ProbeAttach) =>
  attachSteps([probe(attach)], { kprobeMulti: false }, paths)[0]?.options;

test('clocks: an interval runs on one CPU, a profile on all', () => {
  assert.deepEqual(optionsOf({ kind: 'interval', everyNs: 5_000_000n }), {
    kind: 'perfEvent',
    event: 'cpuClock',
    period: 5_000_000,
    oneCpu: true,
  });
  assert.deepEqual(optionsOf({ kind: 'profile', frequencyHz: 99 }), {
    kind: 'perfEvent',
    event: 'cpuClock',
    frequencyHz: 99,
  });
  assert.deepEqual(optionsOf({ kind: 'software', event: 'page-faults', count: 100n }), {
    kind: 'perfEvent',
    event: 'pageFaults',
    period: 100,
  });
});

test('functions of one program are one link where the kernel can; those at an offset are not', () => {
  const kprobes = ['vfs_read', 'vfs_write'].map((name) =>
    probe({ kind: 'kprobe', function: name, offset: 0, return: true }),
  );
  const many = attachSteps(kprobes, { kprobeMulti: true }, paths);
  assert.deepEqual(
    many.map(({ options, places }) => [options, places]),
    [[{ kind: 'kprobes', functions: ['vfs_read', 'vfs_write'], return: true }, 2]],
  );
  assert.equal(attachSteps(kprobes, { kprobeMulti: false }, paths).length, 2);
  assert.deepEqual(optionsOf({ kind: 'kprobe', function: 'nf:nf_hook', offset: 4, return: false }), {
    kind: 'kprobe',
    function: 'nf_hook',
    return: false,
    offset: 4,
  });
});

test('what runs by hand is not attached', () => {
  const byHand: ProbeAttach[] = [
    { kind: 'begin' },
    { kind: 'end' },
    { kind: 'self', signal: 'SIGUSR1' },
    { kind: 'iter', name: 'task', pin: null },
  ];
  assert.deepEqual(
    attachSteps(
      byHand.map((attach) => probe(attach)),
      { kprobeMulti: true },
      paths,
    ),
    [],
  );
});

test('a file that is not there is said by its name', () => {
  const attach: ProbeAttach = {
    kind: 'uprobe',
    path: '/no/such',
    functions: ['f'],
    offset: 0,
    return: false,
  };
  assert.throws(
    () => optionsOf(attach),
    (error) =>
      error instanceof AgentError && error.reason === 'HookMissing' && /\/no\/such/.test(error.message),
  );
});
