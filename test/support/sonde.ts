// Runs the bundled command line as a user would: dist/sonde.js in a folder of its own. Callers: cli/run.kernel.test.ts, examples/examples.kernel.test.ts.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
export const sondePath = join(root, 'dist/sonde.js');

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Started {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves when stderr has said this; rejects when the process ends before. */
  said(words: RegExp): Promise<RegExpExecArray>;
}

/** Starts it; `argv` is the whole command line, sonde's path included. */
export function start(argv: readonly string[], options: { cwd: string; input?: string }): Started {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { cwd: options.cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const { promise: ended, resolve, reject } = Promise.withResolvers<Ended>();
  child.on('error', reject).on('close', (code) => resolve({ code, stdout, stderr }));
  const said = async (words: RegExp): Promise<RegExpExecArray> => {
    const heard = Promise.withResolvers<RegExpExecArray>();
    const look = () => {
      const match = words.exec(stderr);
      if (match) heard.resolve(match);
    };
    listeners.add(look);
    look();
    ended.then(() => heard.reject(new Error(`it ended without saying ${words}:\n${stderr}`)), heard.reject);
    return await heard.promise;
  };
  return { child, ended, said };
}

/** A folder for one test's results, and sonde in it. */
export function workplace() {
  const folder = mkdtempSync(join(tmpdir(), 'sonde-e2e-'));
  return {
    folder,
    start: (args: readonly string[], input?: string) =>
      start([sondePath, ...args], { cwd: folder, ...(input === undefined ? {} : { input }) }),
    run: (args: readonly string[], input?: string) =>
      start([sondePath, ...args], { cwd: folder, ...(input === undefined ? {} : { input }) }).ended,
    /** A result's head, as documented in docs/result.md. */
    result: (name: string) => JSON.parse(readFileSync(join(folder, name, 'result.json'), 'utf8')),
    lines: (name: string) =>
      readFileSync(join(folder, name, 'events.jsonl'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
