// Runs one command of a scenario: its stdin, what it said, and a limit.

import { spawn } from 'node:child_process';

export interface Outcome {
  /** null: ended by its limit. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export async function run(
  [file, ...args]: [string, ...string[]],
  options: { stdin?: string; env?: Record<string, string>; limit?: number } = {},
): Promise<Outcome> {
  const child = spawn(file, args, {
    env: { ...process.env, ...options.env },
    stdio: 'pipe',
    timeout: options.limit ?? 60_000,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command that ends without reading its stdin is judged by its exit code.
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject).on('close', resolve);
  return { code: await promise, stdout, stderr };
}
