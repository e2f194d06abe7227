// Whom a program sees, and what it says of what it could not keep. Neighbours: test/support/program.ts, bpf/program/program.bpf.h.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { runProgram } from '../support/program.ts';
import { workload } from '../support/workload.ts';

test('a neighbour that does the same all the while is not seen', async () => {
  const calls = await workload('calls');
  const neighbour = spawn('sh', ['-c', `while :; do ${calls} 1 10000 0 0 0 0; done`], { stdio: 'ignore' });
  try {
    const { out, lost } = await runProgram(
      'tracepoint:syscalls:sys_enter_getppid { @ = count(); @by[comm] = count(); }',
      [[calls, '1', '5000', '0', '0', '0', '0']],
    );
    assert.equal(lost, 0n);
    assert.deepEqual(
      out.split('\n').filter((line) => line !== ''),
      ['@: 5000', '@by[calls]: 5000'],
    );
  } finally {
    neighbour.kill('SIGKILL');
    await once(neighbour, 'exit');
  }
});

test('what a full map does not take is counted, plain and aggregated', async () => {
  const calls = await workload('calls');
  const source = `config = { max_map_keys = 2 }
    tracepoint:syscalls:sys_enter_getppid { @n++; @plain[@n] = 1; }
    tracepoint:syscalls:sys_enter_write /args.fd == 999/ { @m++; @counted[@m] = count(); }`;
  const { out, lost } = await runProgram(source, [[calls, '1', '10', '7', '0', '0', '0']]);
  assert.equal(lost, 13n);
  assert.deepEqual(
    out.split('\n').filter((line) => /^@[nm]/.test(line)),
    ['@m: 7', '@n: 10'],
  );
});

test('a read that fails gives zeros, and is told where that is asked for', async () => {
  const source = 'begin { $p = (uint64 *)8; @ = *uptr($p); exit(); }';
  const quiet = await runProgram(source);
  assert.equal(quiet.said, '');
  assert.match(quiet.out, /^@: 0$/m);
  const told = await runProgram(source, [], { runtimeChecks: true });
  assert.match(told.said, /^stdin:1:\d+-\d+: WARNING: Failed to probe_read_user: Bad address \(-14\)$/m);
});
