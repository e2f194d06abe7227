// The parts that `npm test` is made of: each with a limit, its time printed, its checks and tests counted. test/run.ts lists them.

import { spawn } from 'node:child_process';
import type { KernelSeries } from './kernels/kernels.ts';
import type { FileReport } from './reporter.ts';

/** What a part gives: reports of test files, and of checks that are no tests (a linter, a build). */
export interface PartResult {
  reports?: FileReport[];
  checks?: { name: string; failure?: string }[];
}

export interface Part {
  name: string;
  /** Where its tests run; decides which skips are expected. */
  where: 'host' | KernelSeries;
  minutes: number;
  run: (signal: AbortSignal) => Promise<PartResult>;
}

export interface PartOutcome extends PartResult {
  part: Part;
  seconds: number;
}

/** Runs a part to its end or its limit; what it throws becomes a failed check. */
export async function runPart(part: Part): Promise<PartOutcome> {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  console.log(`\n▶ ${part.name}`);
  try {
    const result = await part.run(AbortSignal.timeout(part.minutes * 60_000));
    for (const check of result.checks ?? []) {
      if (check.failure !== undefined)
        console.log(`  ✗ ${check.name}\n${check.failure.replace(/^/gm, '    ')}`);
    }
    console.log(`  ${part.name}: ${seconds().toFixed(1)} s`);
    return { ...result, part, seconds: seconds() };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    console.log(`  ✗ ${part.name}: ${failure}\n  ${part.name}: ${seconds().toFixed(1)} s`);
    return { checks: [{ name: part.name, failure }], part, seconds: seconds() };
  }
}

/** Runs a command as one check, its output shown as it comes when `show`, else only if it fails. The command and what it started are ended at the signal. */
export async function check(
  name: string,
  argv: [string, ...string[]],
  options: { cwd: string; signal: AbortSignal; show?: boolean },
): Promise<{ name: string; failure?: string }> {
  const [file, ...args] = argv;
  const stdio = options.show === true ? 'inherit' : 'pipe';
  const child = spawn(file, args, { cwd: options.cwd, detached: true, stdio: ['ignore', stdio, stdio] });
  let output = '';
  const take = (text: string) => {
    output = (output + text).slice(-12_000);
  };
  child.stdout?.setEncoding('utf8').on('data', take);
  child.stderr?.setEncoding('utf8').on('data', take);
  const end = () => child.pid !== undefined && killGroup(child.pid);
  if (options.signal.aborted) end();
  options.signal.addEventListener('abort', end);
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  child.on('error', (error) => resolve(error.message));
  child.on('close', (code, signal) => resolve(code === 0 ? undefined : `ended with ${code ?? signal}`));
  const ended = await promise.finally(() => options.signal.removeEventListener('abort', end));
  if (ended === undefined) return { name };
  const why = options.signal.aborted ? 'took longer than its part may, and was ended' : ended;
  return { name, failure: `${argv.join(' ')}: ${why}\n${output}`.trimEnd() };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself in the meantime.
  }
}
