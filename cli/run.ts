// `sonde run`: job and targets → session → result. The order is the one that loses nothing: folder, cgroup, probes, then the command.
// Neighbours: cli/job.ts (what to do), cli/targets.ts and cli/command.ts (to whom), agent/session.ts, results/publish.ts, cli/progress.ts (what is said).

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Target } from '../agent/plan.ts';
import type { Session, SessionResult } from '../agent/session.ts';
import { type Command, type Exit, prepareCommand } from './command.ts';
import { asCliError, CliError } from './errors.ts';
import { type Job, readJob } from './job.ts';
import { findTracefs, requireMachine } from './machine.ts';
import { type Output, prepareOutput, shortPath } from './output.ts';
import { attachedLines, type ProgressDisplay, type Style, startProgress } from './progress.ts';
import { catchSignals, type Signals } from './signals.ts';
import { requireCgroup2, resolveTargets } from './targets.ts';

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Runs one job, or a program of the user's, to its end; gives the exit code. Throws CliError. */
export async function run(args: readonly string[]): Promise<number> {
  const { namesProgram } = await import('./program-arguments.ts');
  if (namesProgram(args)) return await (await import('./program.ts')).runProgram(args);
  requireMachine();
  // The longest to load; read while the rest is being decided.
  const modules = Promise.all([import('../agent/session.ts'), import('../native/index.ts')]);
  modules.catch(() => undefined);
  const read = await readJob(args);
  if ('program' in read) return await (await import('./program.ts')).runProgramJob(read.program, read.run);
  const { run: given, job } = read;
  for (const note of job.notes) say(`note: ${note}`);
  const wanted = { cgroups: given.cgroups, pids: given.pids, containers: given.containers };
  const targets = await resolveTargets(wanted, (message) => say(`note: ${message}`));
  if (targets.length === 0 && given.command.length === 0) throw nothingToTrace(job);
  const output = prepareOutput(given.output, job.name, new Date());
  const signals = catchSignals();
  let command: Command | undefined;
  try {
    if (given.command.length > 0) {
      command = await prepareCommand(given.command, requireCgroup2());
      for (const group of command.swept) say(`note: removed ${group}, left behind by a run that was killed`);
      targets.push(command.target);
    }
    const [{ startSession }, { native }] = await modules;
    const session = await startSession({
      job: { name: job.name, namespace: job.namespace, uid: job.uid },
      node: hostname(),
      plan: job.plan,
      targets,
      ...(job.durationMs === undefined ? {} : { durationMs: job.durationMs }),
      budget: job.budget,
      redact: job.redact,
      spool: output.spool,
    });
    const { result, exit } = await trace({ session, job, targets, command, native, signals });
    const left = (await command?.cleanUp()) ?? 0;
    command = undefined;
    await publish(result, output, { json: given.json, ownsStdout: given.command.length > 0 });
    sayEnd(output, exit, left);
    return result.meta.ended === 'Failed' ? 1 : 0;
  } catch (error) {
    throw explained(error);
  } finally {
    await command?.cleanUp();
    output.discard();
    signals.release();
  }
}

interface Running {
  session: Session;
  job: Job;
  targets: readonly Target[];
  command: Command | undefined;
  native: Parameters<Command['start']>[0];
  signals: Signals;
}

/** From attached to detached. */
async function trace(running: Running): Promise<{ result: SessionResult; exit: Exit | undefined }> {
  const { session, job, command, signals } = running;
  const attachedAt = performance.now();
  const { durationMs } = job;
  const lines = attachedLines({
    trace: job.plan.trace,
    hooks: session.attached,
    scope: running.targets.map(({ owner }) => owner.container ?? 'a cgroup'),
    // Since the process began, not since this module was loaded.
    startupMs: attachedAt,
    ...(durationMs === undefined ? {} : { durationMs }),
  });
  for (const line of lines) say(line);
  let counted: { recorded: bigint; lost: bigint } | undefined;
  const display = showProgress(session, attachedAt, job, command !== undefined, () => counted);
  const end = (reason: 'Stopped' | 'Duration'): void => {
    session.stop(reason);
    command?.terminate();
  };
  signals.onFirst(() => {
    display.say('ending early; the result is being written (again: quit at once, without it)');
    end('Stopped');
  });
  signals.onSecond(() => command?.kill());
  const deadline = durationMs === undefined ? undefined : setTimeout(() => end('Duration'), durationMs);
  let exit: Exit | undefined;
  let failure: unknown;
  const commandEnded = command
    ?.start(running.native)
    .then((ended) => {
      exit = ended;
    })
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => session.stop('CommandExited'));
  try {
    const result = await session.finished;
    counted = result.meta.events;
    // The session may have ended by itself (a budget): the command is not traced any more, and ends with the job.
    command?.terminate();
    await commandEnded;
    if (failure !== undefined) throw failure;
    return { result, exit };
  } finally {
    clearTimeout(deadline);
    display.end();
  }
}

/** `counted`: what the result says, as soon as there is one; until then what goes through the kernel is an estimate. */
function showProgress(
  session: Session,
  since: number,
  job: Job,
  withCommand: boolean,
  counted: () => { recorded: bigint; lost: bigint } | undefined,
): ProgressDisplay {
  const { stderr, stdout } = process;
  // A command that writes to this terminal would be overwritten by a line that is redrawn in place.
  const shared = withCommand && stdout.isTTY === true && stderr.isTTY === true;
  const style: Style = stderr.isTTY !== true ? 'Plain' : shared ? 'Quiet' : 'Line';
  const screen = {
    write: (text: string) => void stderr.write(text),
    isTTY: stderr.isTTY === true,
    get columns() {
      return stderr.columns ?? 80;
    },
  };
  return startProgress(screen, style, () => {
    const { recorded, lost } = counted() ?? session.progress();
    return {
      progress: { ...session.progress(), recorded, lost },
      elapsedMs: performance.now() - since,
      ...(job.durationMs === undefined ? {} : { durationMs: job.durationMs }),
    };
  });
}

/** Writes the result's files and shows it. What was recorded stays where it is when they can't be written. */
async function publish(
  result: SessionResult,
  output: Output,
  show: { json: boolean; ownsStdout: boolean },
): Promise<void> {
  const { writeResult } = await import('../results/publish.ts');
  try {
    await writeResult(result, output.folder);
  } catch (error) {
    output.keepSpool();
    const { code, message } = asCliError(error);
    throw new CliError(code, `the result could not be written: ${message}`, {
      advice: `What was recorded is kept in ${output.spool}. Free space or choose another folder with --output, and run again.`,
      cause: error,
    });
  }
  if (show.json) process.stdout.write(readFileSync(join(output.folder, 'result.json')));
  const summary = readFileSync(join(output.folder, 'summary.txt'), 'utf8');
  if (show.json) return;
  (show.ownsStdout ? process.stderr : process.stdout).write(`\n${summary}`);
}

function sayEnd(output: Output, exit: Exit | undefined, left: number): void {
  if (exit?.signal) say(`the command was ended by ${exit.signal}`);
  else if (exit && exit.code !== 0) say(`the command ended with exit code ${exit.code}`);
  if (left > 0)
    say(`${left} ${left === 1 ? 'process' : 'processes'} that the command left running go on, untraced`);
  say(`result: ${shortPath(output.folder)} (open ${join(shortPath(output.folder), 'report.html')})`);
}

function nothingToTrace(job: Job): CliError {
  return new CliError('NothingToTrace', `nothing says whose doings ${job.plan.trace} is to trace`, {
    advice: 'Add a command (-- COMMAND ARGS…), or --cgroup PATH, --pid N, --container ID.',
  });
}

/** A missing tracefs is behind most missing tracepoints, and easily mended. */
function explained(error: unknown): CliError {
  const known = asCliError(error);
  if (known.code !== 'HookMissing' || findTracefs() !== undefined) return known;
  return new CliError('HookMissing', known.message, {
    advice:
      'tracefs is not mounted here, which tracepoints need: `mount -t tracefs tracefs /sys/kernel/tracing`, then run again.',
    cause: error,
  });
}
