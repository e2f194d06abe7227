// Kernel functions by kprobe and by fentry: arguments, results, structs that are followed. Where the kernel has neither this skips: the host's has not,
// the guests of test/kernels have. Neighbour: language.kernel.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { native } from '../../native/index.ts';
import { runProgram } from '../support/program.ts';
import { workload } from '../support/workload.ts';

const kprobe = native.supports('kprobe/vfs_read');
const fentry = native.supports('fentry/vfs_read');

/** Reads a byte of /dev/zero 1,000 times. */
async function reads(): Promise<[string, ...string[]]> {
  return [await workload('reads'), '1000'];
}

test('kprobes count calls and their arguments, kretprobes results', { skip: kprobe ?? false }, async () => {
  const { out, said } = await runProgram(
    'kprobe:vfs_read /arg2 == 1/ { @calls = count(); @size = sum(arg2); @name[str(((struct file *)arg0)->f_path.dentry->d_name.name)] = count(); @ip[func] = count(); }' +
      ' kretprobe:vfs_read /retval == 1/ { @results = count(); }',
    [await reads()],
  );
  assert.equal(said, '');
  assert.deepEqual(
    out.split('\n').filter((line) => line !== ''),
    ['@calls: 1000', '@ip[vfs_read]: 1000', '@name[zero]: 1000', '@results: 1000', '@size: 1000'],
  );
});

test('fentry and fexit know arguments by name and follow structs', { skip: fentry ?? false }, async () => {
  const { out, said } = await runProgram(
    'fentry:vfs_read /args.count == 1/ { @calls = count(); @name[str(args.file->f_path.dentry->d_name.name)] = count(); }' +
      ' fexit:vfs_read /args.count == 1/ { @results = sum(retval); }',
    [await reads()],
  );
  assert.equal(said, '');
  assert.deepEqual(
    out.split('\n').filter((line) => line !== ''),
    ['@calls: 1000', '@name[zero]: 1000', '@results: 1000'],
  );
});

test('path() gives the path that a file was opened by', { skip: fentry ?? false }, async () => {
  const { out, said } = await runProgram('fentry:filp_close { @[path(args.filp->f_path)] = count(); }', [
    await reads(),
  ]);
  assert.equal(said, '');
  assert.match(out, /^@\[\/dev\/zero\]: 1$/m);
});
