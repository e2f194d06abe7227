// `sonde run` with a program of the user's: compile → scope → run; what it prints is bpftrace's output, on stdout. Neighbours:
// cli/program-arguments.ts, programs/compile.ts, agent/program-kernel.ts, agent/program-session.ts, cli/run.ts (gadgets).

import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Target } from '../agent/plan.ts';
import type { ResultsRequest } from '../agent/program-results.ts';
import type { ProgramEnd, ProgramSession } from '../agent/program-session.ts';
import type { Native } from '../native/api.ts';
import type { Compiled } from '../programs/compiled.ts';
import { renderDiagnostics } from '../programs/diagnostics.ts';
import { escapeTerminal } from '../results/escape.ts';
import type { RunArguments } from './arguments.ts';
import { type Command, prepareCommand } from './command.ts';
import { asCliError, CliError } from './errors.ts';
import { type ProgramJob, readFileText } from './job.ts';
import { requireMachine } from './machine.ts';
import { type Output, prepareOutput, shortPath } from './output.ts';
import { type ProgramArguments, parseProgramArguments } from './program-arguments.ts';
import { catchSignals, type Signals } from './signals.ts';
import { requireCgroup2, resolveTargets } from './targets.ts';

const say = (text: string): void => {
  process.stderr.write(text);
};

/** Runs one program to its end; gives the exit code: what exit() was given, 1 where it could not run. */
export async function runProgram(args: readonly string[]): Promise<number> {
  requireMachine();
  let given: ProgramArguments;
  let source: { name: string; text: string };
  try {
    given = parseProgramArguments(args);
    source = await readSource(given);
  } catch (error) {
    const { message, advice, exit } = asCliError(error);
    say(`ERROR: ${message}\n${advice === '' ? '' : `  ${advice}\n`}`);
    return exit;
  }
  return await runSource(given, source, 'program');
}

/** The same for a TraceJob with spec.trace.program: its result goes to a folder, as a gadget's does. */
export async function runProgramJob(job: ProgramJob, run: RunArguments): Promise<number> {
  for (const note of job.notes) say(`note: ${note}\n`);
  const { pids, cgroups, containers, command, json } = run;
  const given: ProgramArguments = {
    program: { text: job.source.text },
    parameters: { positional: job.parameters, named: new Map() },
    ...{ pids, cgroups, containers, command },
    ...(job.durationMs === undefined ? {} : { durationMs: job.durationMs }),
    output: run.output ?? null,
    ...{ quiet: false, warnings: true, dryRun: false, runtimeChecks: false },
    format: json ? 'json' : 'text',
  };
  return await runSource(given, job.source, job.name);
}

async function runSource(
  given: ProgramArguments,
  source: { name: string; text: string },
  name: string,
): Promise<number> {
  const modules = Promise.all([import('../agent/program-session.ts'), import('../native/index.ts')]);
  modules.catch(() => undefined);
  const wanted = { cgroups: given.cgroups, pids: given.pids, containers: given.containers };
  const targets = await resolveTargets(wanted, (message) => say(`note: ${message}\n`));
  const [{ startProgram }, { native }] = await modules;
  const paths = pathsOf(targets);
  const built = await compileProgram(native, given, source, paths);
  if (built === undefined) return 1;
  if (given.dryRun) return 0;
  const output =
    given.output === undefined ? undefined : prepareOutput(given.output ?? undefined, name, new Date());
  const signals = catchSignals();
  let command: Command | undefined;
  try {
    const printed =
      output === undefined ? undefined : openSync(join(output.folder, printedFile(given.format)), 'w');
    if (given.command.length > 0) {
      command = await prepareCommand(given.command, requireCgroup2());
      targets.push(command.target);
    }
    const session = await startProgram(
      {
        compiled: built.compiled,
        source,
        targets,
        paths,
        possibleCpus: built.possibleCpus,
        format: given.format,
        helperErrors: given.runtimeChecks,
        terminal: process.stdout.isTTY === true,
        write(text) {
          process.stdout.write(text);
          if (printed !== undefined) writeSync(printed, text);
        },
        say: given.warnings ? say : (text) => void (text.includes('WARNING: ') || say(text)),
        ...(output === undefined ? {} : { results: resultsRequest(output, name) }),
      },
      native,
    );
    tellAttached(session, given);
    const end = await untilEnd({ session, given, command, native, signals });
    session.close();
    if (printed !== undefined) closeSync(printed);
    if (output !== undefined) await publish(end, output);
    return end.code & 255;
  } catch (error) {
    return failed(error);
  } finally {
    await command?.cleanUp();
    output?.discard();
    signals.release();
  }
}

/** What the program printed, beside its results. */
function printedFile(format: 'text' | 'json'): string {
  return format === 'json' ? 'output.jsonl' : 'output.txt';
}

function resultsRequest({ spool }: Output, name: string): ResultsRequest {
  return { job: { name, namespace: null, uid: randomUUID() }, node: hostname(), spool };
}

/** Each result in a folder of its own, named after its map. What was recorded stays where it is when they can't be written. */
async function publish({ results }: ProgramEnd, output: Output): Promise<void> {
  const { writeResult } = await import('../results/publish.ts');
  try {
    for (const { name, meta, rows } of results) await writeResult({ meta, rows }, join(output.folder, name));
  } catch (error) {
    output.keepSpool();
    throw error;
  }
  say(`result: ${shortPath(output.folder)}\n`);
}

async function readSource({ program }: ProgramArguments): Promise<{ name: string; text: string }> {
  if ('text' in program) return { name: 'stdin', text: program.text };
  if (program.file === '-') return { name: 'stdin', text: await readFileText('-') };
  if (!existsSync(program.file))
    throw new CliError(
      'FileUnreadable',
      `failed to open file '${escapeTerminal(program.file, 200)}': No such file or directory`,
    );
  return { name: program.file, text: await readFileText(program.file) };
}

/** A script's paths are those of what is traced: of the processes that were named, else this process's own. */
function pathsOf(targets: readonly Target[]) {
  const pids = targets.flatMap((target) => (target.kind === 'process' ? [target.pid] : []));
  return { pids, cwd: process.cwd(), searchPath: (process.env.PATH ?? '').split(':') };
}

/** Undefined: it was said what is wrong. */
async function compileProgram(
  native: Native,
  given: ProgramArguments,
  source: { name: string; text: string },
  paths: ReturnType<typeof pathsOf>,
): Promise<{ compiled: Compiled; possibleCpus: number } | undefined> {
  const { compile } = await import('../programs/compile.ts');
  const { Externs } = await import('../programs/emit/externs.ts');
  const { objectPath } = await import('../agent/objects.ts');
  const { programKernel } = await import('../agent/program-kernel.ts');
  const kernel = programKernel(native, paths);
  try {
    const result = compile(source.text, kernel, {
      name: source.name,
      parameters: given.parameters,
      tenancy: 'node',
      hasCommand: given.command.length > 0,
      settings: environmentSettings(process.env),
      runtimeChecks: given.runtimeChecks,
      externs: new Externs(readFileSync(objectPath('program'))),
    });
    const diagnostics = 'compiled' in result ? result.warnings : result.diagnostics;
    const shown = given.warnings ? diagnostics : diagnostics.filter(({ severity }) => severity === 'error');
    say(renderDiagnostics(shown, source.text, source.name));
    return 'compiled' in result ? { compiled: result.compiled, possibleCpus: kernel.cpus } : undefined;
  } catch (error) {
    failed(error);
    return undefined;
  } finally {
    kernel.close();
  }
}

/** BPFTRACE_MAX_STRLEN=200 says over the config block, as there. */
export function environmentSettings(environment: NodeJS.ProcessEnv): Map<string, string> {
  const settings = new Map<string, string>();
  for (const [name, value] of Object.entries(environment))
    if (name.startsWith('BPFTRACE_') && value !== undefined)
      settings.set(name.slice('BPFTRACE_'.length).toLowerCase(), value);
  return settings;
}

function tellAttached({ attached }: ProgramSession, { quiet, format }: ProgramArguments): void {
  if (quiet) return;
  if (format === 'json')
    process.stdout.write(
      `{"type": "attached_probes", "count": ${attached}, "data": {"probes": ${attached}}}\n`,
    );
  else say(`Attached ${attached} ${attached === 1 ? 'probe' : 'probes'}\n`);
}

interface Running {
  session: ProgramSession;
  given: ProgramArguments;
  command: Command | undefined;
  native: Native;
  signals: Signals;
}

async function untilEnd({ session, given, command, native, signals }: Running): Promise<ProgramEnd> {
  const { durationMs } = given;
  const own = session.signals.map((name): [NodeJS.Signals, () => void] => [
    name as NodeJS.Signals,
    () => session.signalled(name),
  ]);
  for (const [name, caught] of own) process.on(name, caught);
  signals.onFirst(() => session.stop());
  // Nobody reads any more (`sonde run -e … | head`).
  const deaf = (): void => session.stop();
  process.stdout.on('error', deaf);
  signals.onSecond(() => command?.kill());
  const deadline =
    durationMs === undefined ? undefined : setTimeout(() => session.stop('Duration'), durationMs);
  let failure: unknown;
  const ended = command
    ?.start(native)
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => session.stop('CommandExited'));
  if (session.endsByItself && command === undefined) session.stop();
  try {
    const end = await session.finished;
    // The program may have ended by itself: its command ends with it.
    command?.terminate();
    await ended;
    if (failure !== undefined) throw failure;
    return end;
  } finally {
    clearTimeout(deadline);
    for (const [name, caught] of own) process.off(name, caught);
    process.stdout.off('error', deaf);
  }
}

/** In bpftrace's words and with its exit code. */
function failed(error: unknown): number {
  if (error instanceof CliError) throw error;
  const { message, code } = asCliError(error);
  say(`ERROR: ${escapeTerminal(message, 4000)}\n`);
  if (code === 'ProgramRejected' || code === 'Unexpected') say(verifierLog(error));
  return 1;
}

/** The verifier's words, for `SONDE_DEBUG`. */
function verifierLog(error: unknown): string {
  if (!process.env.SONDE_DEBUG) return '';
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('log' in at && typeof at.log === 'string') return `${at.log}\n`;
    if (!(at.cause instanceof Error)) return `${at.stack}\n`;
  }
  return '';
}
