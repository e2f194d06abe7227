// Tracepoints' formats. Neighbour: agent/tracepoint-format.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFormat } from './tracepoint-format.ts';

const exec = `name: sched_process_exec
ID: 365
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:__data_loc char[] filename;	offset:8;	size:4;	signed:0;
	field:pid_t pid;	offset:12;	size:4;	signed:1;
	field:char comm[16];	offset:16;	size:16;	signed:0;
	field:u8 address[4];	offset:32;	size:4;	signed:0;

print fmt: "filename=%s pid=%d", __get_str(filename), REC->pid
`;

test('a record has its fields where the format says, common ones first; text elsewhere in it is an address', () => {
  const layout = readFormat('sched', 'sched_process_exec', exec);
  assert.equal(layout.size, 36);
  assert.deepEqual(
    layout.members.map(({ name, offsetBits, type, dataLoc }) => [
      name,
      offsetBits / 8,
      type.kind,
      dataLoc ?? false,
    ]),
    [
      ['common_type', 0, 'integer', false],
      ['common_pid', 4, 'integer', false],
      ['filename', 8, 'pointer', true],
      ['pid', 12, 'integer', false],
      ['comm', 16, 'string', false],
      ['address', 32, 'array', false],
    ],
  );
});

test("a call's int takes eight bytes and keeps its sign; a pointer knows what it points to", () => {
  const { members } = readFormat(
    'syscalls',
    'sys_enter_openat',
    '\tfield:int dfd;\toffset:16;\tsize:8;\tsigned:0;\n\tfield:const char * filename;\toffset:24;\tsize:8;\tsigned:0;\n' +
      '\tfield:umode_t mode;\toffset:40;\tsize:8;\tsigned:0;\n\tfield:struct stat * statbuf;\toffset:48;\tsize:8;\tsigned:0;',
  );
  assert.deepEqual(
    members.map(({ type }) => type),
    [
      { kind: 'integer', bits: 64, signed: true },
      { kind: 'pointer', to: { kind: 'integer', bits: 8, signed: true }, space: 'none' },
      { kind: 'integer', bits: 64, signed: false },
      { kind: 'pointer', to: { kind: 'struct', name: 'struct stat', space: 'none' }, space: 'none' },
    ],
  );
});
