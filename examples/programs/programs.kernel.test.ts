// Each program does what it says, on a workload that is known. Those whose events can't be made here are loaded and attached.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram } from '../../test/support/program.ts';

type Argv = [string, ...string[]];

const shell = (script: string): Argv => ['/bin/sh', '-c', script];
const python = (...lines: string[]): Argv => ['/usr/bin/python3', '-c', lines.join('\n')];
const openat = process.arch === 'arm64' ? 56 : 257;

const connection = python(
  'import socket',
  'listening = socket.socket()',
  'listening.bind(("127.0.0.1", 0))',
  'listening.listen()',
  'near = socket.create_connection(listening.getsockname())',
  'far = listening.accept()[0]',
  'near.close()',
  'far.close()',
);

const workloads: Record<string, { inside: Argv[]; finds: RegExp[] }> = {
  'allocations.bt': {
    inside: [python('x = bytearray(5_000_000)')],
    finds: [/@bytes\[python3\]:/, /@large\[python3, [\s\S]*\]: 50\d{5}\n/],
  },
  'disk-latency.bt': { inside: [shell('true')], finds: [] },
  'disk-sizes.bt': { inside: [shell('true')], finds: [] },
  'files-opened.bt': {
    inside: [shell('cat /etc/hostname /nope/nothing > /dev/null 2>&1; true')],
    finds: [/cat +0 \/etc\/hostname\n/, /cat +2 \/nope\/nothing\n/],
  },
  'files-removed.bt': {
    inside: [shell('file=$(mktemp); rm $file; rm -f /nope/nothing')],
    finds: [/rm +removed +\/tmp\/\S+\n/, /rm +failed +\/nope\/nothing\n/],
  },
  'name-lookups.bt': {
    inside: [shell('getent ahosts localhost > /dev/null; true')],
    finds: [/getent +\d+\.\d{3} localhost\n/, /@milliseconds:/],
  },
  // A wait ends when another task leaves the CPU, which is in the scope only by chance.
  'off-cpu-time.bt': { inside: [shell('sleep 0.05')], finds: [] },
  'on-cpu-stacks.bt': {
    inside: [python('import time', 'end = time.time() + 0.5', 'while time.time() < end: pass')],
    finds: [/@samples\[python3, /],
  },
  'out-of-memory.bt': { inside: [shell('true')], finds: [] },
  'page-faults.bt': { inside: [python('x = bytes(50_000_000)')], finds: [/@faults\[python3, /] },
  'programs-started.bt': {
    inside: [shell('/bin/ls / > /dev/null; true')],
    finds: [/\d\d:\d\d:\d\d\.\d{6} +\d+ +sh +\/bin\/ls \/\n/],
  },
  'python-collections.bt': {
    inside: [python('import gc', 'gc.collect()', 'gc.collect()')],
    finds: [/@microseconds\[2\]:/, /@collected: \d+/],
  },
  'read-latency.bt': {
    inside: [shell('dd if=/dev/zero of=/dev/null bs=777 count=50 status=none')],
    finds: [/@bytes\[dd\]: (38850|39\d{3}|4\d{4})\n/, /@microseconds\[dd\]:/],
  },
  'run-queue-wait.bt': {
    inside: [shell('for i in 1 2 3 4 5; do sleep 0.01; done')],
    finds: [/@microseconds:/],
  },
  'shell-commands.bt': {
    inside: [shell("printf 'true once\\nexit\\n' | script -qec '/bin/bash --norc -i' /dev/null > /dev/null")],
    finds: [/\d+ +true once\n/],
  },
  'signals-sent.bt': {
    inside: [shell('kill -0 $$; kill -9 999999999 2> /dev/null; true')],
    finds: [/sh +0 \d+ +sent\n/, /sh +9 999999999 refused\n/],
  },
  'syscalls-by-process.bt': { inside: [shell('sleep 1.3')], finds: [/@calls\[sleep, \d+\]: \d+\n/] },
  'syscalls-failed.bt': {
    inside: [shell('cat /nope/nothing 2> /dev/null; true')],
    finds: [new RegExp(`@failed\\[cat, ${openat}, 2\\]: 1\\n`)],
  },
  'tcp-connects.bt': {
    inside: [shell("/bin/bash -c 'exec 3<> /dev/tcp/127.0.0.1/9' 2> /dev/null; true"), connection],
    finds: [/bash +127\.0\.0\.1 +9 +\d+ given up\n/, /python3 +127\.0\.0\.1 +\d+ +\d+\n/],
  },
  'tcp-lifetimes.bt': { inside: [connection], finds: [/@milliseconds\[\d+\]:\n/] },
  'tcp-retransmits.bt': { inside: [shell('true')], finds: [] },
};

for (const file of globSync('*.bt', { cwd: import.meta.dirname }).sort()) {
  test(`${file} finds what it is asked for`, async () => {
    const { inside, finds } = workloads[file] ?? assert.fail(`${file} has no workload`);
    const { out, said, code } = await runProgram(
      readFileSync(join(import.meta.dirname, file), 'utf8'),
      inside,
    );
    assert.deepEqual({ said, code }, { said: '', code: 0 });
    for (const pattern of finds) assert.match(out, pattern);
  });
}
