// Compiles examples/workload.c to dist/workload: what the demo and the examples' tests trace. Neighbours: build/demo.ts, examples/examples.kernel.test.ts.

import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './step.ts';

const root = join(import.meta.dirname, '..');
const source = join(root, 'examples/workload.c');

/** The program's path; compiled where it is missing or older than its source. Frame pointers and last calls stay, so that stacks are whole. */
export async function buildWorkload(): Promise<string> {
  const program = join(root, 'dist/workload');
  const made = await stat(program).catch(() => undefined);
  if (made && made.mtimeMs > (await stat(source)).mtimeMs) return program;
  await mkdir(join(root, 'dist'), { recursive: true });
  const draft = `${program}.${process.pid}`;
  // clang, because GCC 12 leaves frame pointers out of leaf functions whatever it is told.
  await command([
    'clang-19',
    '-O1',
    '-g',
    '-fno-omit-frame-pointer',
    '-mno-omit-leaf-frame-pointer',
    '-fno-optimize-sibling-calls',
    '-o',
    draft,
    source,
  ]);
  await rename(draft, program);
  return program;
}
