// Workloads with known numbers: small C programs in test/workloads, built when first asked for into dist/workloads by the hash of their source.
// Linked statically: they make no call of their own at start that a count would show, and run in a guest, which has no compiler (test/kernels/root.ts).

import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from '../../build/step.ts';

const sources = join(import.meta.dirname, '../workloads');
const built = join(import.meta.dirname, '../../dist/workloads');

/** Frame pointers in every function: stacks are walked by them. */
const flags = [...['-O2', '-g', '-static', '-Wall', '-Wextra', '-Werror'], '-fno-omit-frame-pointer'];

/** The path of the program built from test/workloads/<name>.c. */
export async function workload(name: string): Promise<string> {
  const source = join(sources, `${name}.c`);
  const hash = createHash('sha256')
    .update(await readFile(source))
    .update(flags.join(' '))
    .digest('hex')
    .slice(0, 12);
  const folder = join(built, hash);
  const program = join(folder, name);
  if (existsSync(program)) return program;
  await mkdir(folder, { recursive: true });
  const fresh = `${program}.${process.pid}`;
  await command(['cc', ...flags, '-o', fresh, source, '-lpthread']);
  await rename(fresh, program);
  return program;
}

/** Builds all of them, for a guest that is about to get dist/. */
export async function buildWorkloads(): Promise<void> {
  const files = await readdir(sources);
  for (const file of files) if (file.endsWith('.c')) await workload(file.slice(0, -2));
}

/** A workload's count for this machine: emulated guests say by SONDE_TEST_SCALE (0.05) that they want less of it.
 *  A multiple of `step`, so that parts of it stay whole. */
export function scaled(count: number, step = 1): number {
  const scale = Number(process.env.SONDE_TEST_SCALE ?? '1');
  return Math.max(step, Math.round((count * scale) / step) * step);
}

/** A command that writes to a real disk, with a folder of the test's own there as its last argument, not in /tmp, which may be memory. Not beside another one where sizes
 *  count: the disk's queue merges requests of two processes for neighbouring places. remove() takes the folder away. */
export function onDisk(argv: string[]) {
  const folder = mkdtempSync('/var/tmp/sonde-disk-');
  const [file = '', ...args] = argv;
  const command: [string, ...string[]] = [file, ...args, folder];
  return { command, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
