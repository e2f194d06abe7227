// `npm run demo`: builds what is missing, traces a sample workload for 10 s, prints the summary and where the report lies.
// With --picture it samples more often, leaves the kernel's frames out, so that the graph stays low, and makes it docs/flamegraph.svg, which README.md
// shows. Neighbours: build/main.ts, examples/workload.c, cli/.

import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './main.ts';
import { step } from './step.ts';
import { mountTracefs } from './tracefs.ts';
import { buildWorkload } from './workload.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'demo-result');
const pictureParameters = ['--stacks', 'User', '--frequency-hz', '499'];

/** The traced program's stdout goes nowhere: it says nothing, and so the progress line can be redrawn in place. */
async function trace(program: string, seconds: number, parameters: readonly string[]): Promise<number> {
  const child = spawn(
    join(root, 'dist/sonde.js'),
    ['run', 'cpu-profile', ...parameters, '--output', folder, '--', program, String(seconds)],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.on('error', reject).on('close', (code) => resolve(code ?? 1));
  return await promise;
}

async function demo(): Promise<void> {
  const { values } = parseArgs({ options: { picture: { type: 'boolean' }, seconds: { type: 'string' } } });
  await build();
  const program = await step('sample workload', buildWorkload);
  await step('tracefs, which tracepoints need', mountTracefs);
  await rm(folder, { recursive: true, force: true });
  const seconds = Number(values.seconds ?? 10);
  process.stderr.write(
    `\nsonde run cpu-profile -- ${relative(root, program)} ${seconds}    (JSON, sorting, hashing, for ${seconds} s)\n`,
  );
  const code = await trace(program, seconds, values.picture ? pictureParameters : []);
  if (code !== 0) {
    process.exitCode = code;
    return;
  }
  if (values.picture) {
    // Modules are shown with their paths: the repository's picture names no machine's folders.
    const picture = await readFile(join(folder, 'flamegraph.svg'), 'utf8');
    await writeFile(join(root, 'docs/flamegraph.svg'), picture.replaceAll(`${root}/`, ''));
  }
  process.stderr.write(`\nOpen it in a browser: ${join(folder, 'report.html')}\n`);
}

await demo();
