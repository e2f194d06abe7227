// One line of progress for each step of a build or a test run: what it is doing, then how long it took.
// On a terminal the line is rewritten while the step runs; on a pipe it is printed once at the start and once at the end.

import { spawn } from 'node:child_process';

const terminal = process.stderr.isTTY === true;

/** Runs one step under a name. What it returns in a string is said behind the name ("up to date"). */
export async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  process.stderr.write(terminal ? `· ${name}` : `· ${name}\n`);
  const timer = terminal
    ? setInterval(() => process.stderr.write(`\r\x1b[K· ${name} ${seconds()}`), 500)
    : undefined;
  try {
    const result = await run();
    const note = typeof result === 'string' ? ` (${result})` : '';
    process.stderr.write(`${terminal ? '\r\x1b[K' : ''}✓ ${name}${note} ${seconds()}\n`);
    return result;
  } catch (error) {
    process.stderr.write(`${terminal ? '\r\x1b[K' : ''}✗ ${name} ${seconds()}\n`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** A command that failed: its last words are in the message. */
export class CommandFailed extends Error {
  override name = 'CommandFailed';
}

/** Runs a command quietly and gives its stdout; on failure throws CommandFailed with the end of its output. */
export async function command(
  argv: [string, ...string[]],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const [file, ...args] = argv;
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let all = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    all = (all + text).slice(-8000);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    all = (all + text).slice(-8000);
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject).on('close', resolve);
  const code = await promise;
  if (code !== 0) throw new CommandFailed(`${argv.join(' ')} ended with ${code}:\n${all}`);
  return out;
}
