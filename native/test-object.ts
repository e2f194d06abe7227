// Compiles the little BPF objects of native/testdata for the tests beside this file; no gadget, no vmlinux.h.

import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { nativeLibraries } from '../build/native.ts';
import { command } from '../build/step.ts';

const testdata = join(import.meta.dirname, 'testdata');

/** Path of the object made from native/testdata/<name>.bpf.c; compiled where it is older than its source. */
export async function testObject(name: string, arch: 'x86' | 'arm64' = 'x86'): Promise<string> {
  const source = join(testdata, `${name}.bpf.c`);
  const folder = join(import.meta.dirname, '../dist/native-test', arch);
  const object = join(folder, `${name}.bpf.o`);
  const time = (path: string) =>
    stat(path).then(
      (s) => s.mtimeMs,
      () => 0,
    );
  if ((await time(object)) > (await time(source))) return object;
  await mkdir(folder, { recursive: true });
  const { include, uapi } = await nativeLibraries();
  const fresh = `${object}.${process.pid}`;
  await command([
    ...(['clang-19', '-target', 'bpf', `-D__TARGET_ARCH_${arch}`, '-g', '-O2', '-mcpu=v3', '-Wall'] as const),
    ...[
      '-I',
      include,
      '-I',
      uapi,
      '-idirafter',
      `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`,
    ],
    ...['-c', source, '-o', fresh],
  ]);
  await rename(fresh, object);
  return object;
}
