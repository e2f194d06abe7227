import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameTable, numberOf } from './names.ts';

test('the same number is another call on another architecture', () => {
  assert.equal(nameTable('syscall', 'x86').get(257n), 'openat');
  assert.equal(nameTable('syscall', 'arm64').get(56n), 'openat');
  assert.equal(nameTable('syscall', 'arm64').get(222n), 'mmap');
  assert.equal(nameTable('syscall', 'x86').get(56n), 'clone');
});

test('calls newer than the headers are known by their number on both', () => {
  for (const arch of ['x86', 'arm64']) assert.equal(numberOf('syscall', 'file_setattr', arch), 469);
  assert.equal(numberOf('syscall', 'uretprobe', 'x86'), 335);
  assert.equal(numberOf('syscall', 'open', 'arm64'), undefined);
});

test('an errno and a signal have their first name, not their second', () => {
  assert.equal(nameTable('errno', 'x86').get(11n), 'EAGAIN');
  assert.equal(nameTable('errno', 'x86').get(512n), 'ERESTARTSYS');
  assert.equal(nameTable('signal', 'x86').get(6n), 'SIGABRT');
});

test('an architecture that is not known has no names of calls', () => {
  assert.equal(nameTable('syscall', 'riscv').size, 0);
});
