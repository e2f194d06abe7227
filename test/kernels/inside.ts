// Runs inside the guest, as init.sh's only child: the test files it was told, then their reports as one line of JSON on the second serial port.
// test/kernels/guest.ts reads it on the other side.

import { readFile, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { native } from '../../native/index.ts';
import { runFiles } from '../files.ts';
import { describe, type FileReport } from '../reporter.ts';
import { type GadgetHooks, hooksOfGadgets } from './hooks.ts';

/** What the host asks for. */
export interface GuestTask {
  files: string[];
  env: Record<string, string>;
  /** ms for one test, for one file. */
  testLimit: number;
  fileLimit: number;
}

/** What the guest answers. */
export interface GuestAnswer {
  release: string;
  /** Seconds from the kernel's start to the first test. */
  bootSeconds: number;
  /** What native.features() says there. */
  features: Record<string, unknown>;
  hooks: GadgetHooks[];
  files: FileReport[];
}

if (import.meta.main) {
  const task: GuestTask = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
  Object.assign(process.env, task.env);
  const bootSeconds = Number.parseFloat(await readFile('/proc/uptime', 'utf8'));
  const features = { ...native.features() };
  console.log(`kernel ${release()}, first test after ${bootSeconds} s`);
  const onFile = (report: FileReport) => console.log(describe(report));
  const files = await runFiles(task.files, { ...task, concurrency: 1, onFile });
  const hooks = await hooksOfGadgets();
  const answer: GuestAnswer = { release: release(), bootSeconds, features, hooks, files };
  await writeFile('/dev/ttyS1', `${JSON.stringify(answer)}\n`);
  // Whatever a test left running would keep this process, and with it the guest.
  process.exit(0);
}
