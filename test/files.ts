// Finds test files by what they need, and runs them, each in a process of its own with a limit. test/reporter.ts reads what they say.

import { join, relative } from 'node:path';
import { run } from 'node:test';
import { command } from '../build/step.ts';
import { collect, type FileReport } from './reporter.ts';

/** The checkout. */
export const root = join(import.meta.dirname, '..');

/** unit: no privilege; kernel: root and BPF, one part of the project; endToEnd: root and BPF, through the CLI; server: real servers of other people's
 *  protocols, on loopback; cluster: a real Kubernetes. */
export type TestKind = 'unit' | 'kernel' | 'endToEnd' | 'server' | 'cluster';

/** What kind of test a file's path says it is. */
export function kindOf(file: string): TestKind {
  if (/^bpf\/gadgets\/.*\/gadget\.test\.ts$/.test(file)) return 'kernel';
  if (file.endsWith('.server.test.ts')) return 'server';
  if (file.endsWith('.cluster.test.ts')) return 'cluster';
  if (!file.endsWith('.kernel.test.ts')) return 'unit';
  return /^(cli|examples|test|build)\//.test(file) ? 'endToEnd' : 'kernel';
}

/** All test files of the checkout by kind, relative to it; those not committed yet too. */
export async function findTests(): Promise<Record<TestKind, string[]>> {
  const listed = await command(
    ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', '*.test.ts'],
    {
      cwd: root,
    },
  );
  const files: Record<TestKind, string[]> = {
    unit: [],
    kernel: [],
    endToEnd: [],
    server: [],
    cluster: [],
  };
  for (const file of listed.split('\0').filter(Boolean).sort()) files[kindOf(file)].push(file);
  return files;
}

export interface RunOptions {
  /** Files at the same time. */
  concurrency: number;
  /** Each test, ms. */
  testLimit: number;
  /** Each file, ms; its process is ended then. */
  fileLimit: number;
  /** Called as each file ends. */
  onFile: (report: FileReport) => void;
  /** Files that have not started when this fires are reported as failed. */
  signal?: AbortSignal;
}

/** Runs the files and gives their reports in the order given. */
export async function runFiles(files: string[], options: RunOptions): Promise<FileReport[]> {
  const reports: FileReport[] = [];
  const waiting = files.entries();
  const worker = async () => {
    for (const [index, file] of waiting) {
      const report = options.signal?.aborted === true ? notRun(file) : await runFile(file, options);
      reports[index] = report;
      options.onFile(report);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  return reports;
}

async function runFile(file: string, options: RunOptions): Promise<FileReport> {
  const limits = [AbortSignal.timeout(options.fileLimit)];
  if (options.signal !== undefined) limits.push(options.signal);
  const path = join(root, file);
  const events = run({
    files: [path],
    cwd: root,
    timeout: options.testLimit,
    signal: AbortSignal.any(limits),
  });
  const report = await collect(events, path);
  return { ...report, file: relative(root, path) };
}

function notRun(file: string): FileReport {
  const failure = { name: 'the file', text: 'was not run: its part of the test run took longer than it may' };
  return { file, passed: 0, failures: [failure], skips: [], diagnostics: [], output: '', milliseconds: 0 };
}
