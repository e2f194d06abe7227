// What `sonde run` is to do, from YAML or from the command line alone: a job's name, its plan, its limits. Neighbours: cli/arguments.ts, crds/read.ts, bpf/plan.ts.

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Budget, Redaction, TracePlan } from '../agent/plan.ts';
import type { Gadget } from '../bpf/gadget.ts';
import { planTrace } from '../bpf/plan.ts';
import { GadgetUnknown, loadGadget, loadGadgets } from '../bpf/registry.ts';
import { type Duration, milliseconds } from '../crds/duration.ts';
import { escapeTerminal } from '../results/escape.ts';
import { gadgetWord, parseRunArguments, type RunArguments, splitCommand } from './arguments.ts';
import { CliError } from './errors.ts';
import { parametersOf, readParameters } from './parameters.ts';

/** A job that traces with a program of the user's. */
export interface ProgramJob {
  name: string;
  source: { name: string; text: string };
  parameters: string[];
  durationMs?: number;
  notes: string[];
}

export interface Job {
  name: string;
  namespace: string | null;
  uid: string;
  plan: TracePlan;
  durationMs?: number;
  budget: Budget;
  redact: Redaction;
  /** What of the job does not apply on one machine, to be said. */
  notes: string[];
}

/** The whole command line of `run`, with the job that it asks for. Throws CliError. */
export async function readJob(
  args: readonly string[],
): Promise<{ run: RunArguments; job: Job } | { run: RunArguments; program: ProgramJob }> {
  const { own } = splitCommand(args);
  const { gadgetNames } = await import('../bpf/registry.ts');
  const names = new Set(gadgetNames());
  const word = gadgetWord(own, (name) => names.has(name));
  const gadget = word === undefined ? undefined : await findGadget(word);
  const run = parseRunArguments(
    args,
    gadget && word !== undefined ? { name: gadget.name, word, parameters: parametersOf(gadget) } : undefined,
  );
  if (run.file !== undefined) return { run, ...(await jobFromFile(run.file, run.duration)) };
  if (gadget === undefined) {
    throw new CliError('BadArguments', 'neither a gadget nor a file says what to trace with', {
      advice:
        'Write `sonde run cpu-profile -- COMMAND` or `sonde run -f job.yaml`; `sonde gadgets` lists the gadgets.',
    });
  }
  return { run, job: jobFromFlags(gadget, run) };
}

/** A gadget by its name or an alias. Throws CliError UnknownGadget. */
export async function findGadget(name: string): Promise<Gadget> {
  try {
    return await loadGadget(name);
  } catch (error) {
    if (!(error instanceof GadgetUnknown)) throw error;
    throw new CliError('UnknownGadget', escapeTerminal(error.message, 300), { cause: error });
  }
}

function jobFromFlags(gadget: Gadget, run: RunArguments): Job {
  return {
    name: gadget.name,
    namespace: null,
    uid: randomUUID(),
    plan: planTrace(gadget, readParameters(gadget, run.parameters)),
    ...(run.duration === undefined ? {} : { durationMs: milliseconds(run.duration) }),
    budget: {},
    redact: 'Secrets',
    notes: [],
  };
}

/** The modules for YAML are loaded here and not above: a start from flags does not wait for them. */
async function jobFromFile(
  file: string,
  override: Duration | undefined,
): Promise<{ job: Job } | { program: ProgramJob }> {
  const { askedMember, readTraceJobs } = await import('../crds/read.ts');
  const { memberName, tracedMember, tracedProgram } = await import('../crds/trace-job.ts');
  const { asNumber, asWhole } = await import('../crds/quantity.ts');
  const text = await readFileText(file);
  const asked = askedMember(text);
  const one = asked === undefined ? undefined : await loadGadget(asked).catch(() => undefined);
  let gadgets = one ? [one] : await loadGadgets();
  let documents = readTraceJobs(text, gadgets);
  if (one && documents.some(({ problems }) => problems.length > 0)) {
    // Wrong, or several: with the whole catalogue the explanation is better.
    gadgets = await loadGadgets();
    documents = readTraceJobs(text, gadgets);
  }
  const problems = documents.flatMap((document) => document.problems);
  if (problems.length > 0) throw new CliError('InvalidJob', problemLines(file, problems).join('\n'));
  const [first, ...others] = documents;
  if (others.length > 0) {
    const message = `${shownFile(file)} holds ${documents.length} jobs; \`sonde run\` takes one`;
    throw new CliError('InvalidJob', message, { advice: 'Put the one to run into a file of its own.' });
  }
  const spec = first?.job?.spec;
  const metadata = first?.job?.metadata;
  if (spec === undefined || metadata === undefined)
    throw new CliError('InvalidJob', `${shownFile(file)} holds no job`);
  if (spec.suspend) {
    throw new CliError('InvalidJob', `${shownFile(file)}: spec.suspend is true, so this job does not start`, {
      advice: 'Remove spec.suspend, or set it to false.',
    });
  }
  const duration = override ?? spec.duration;
  const common = {
    name: metadata.name,
    ...(duration === undefined ? {} : { durationMs: milliseconds(duration) }),
    notes:
      Object.keys(spec.target).length > 0
        ? ['spec.target selects pods in a cluster; on one machine the flags say what is traced']
        : [],
  };
  const program = tracedProgram(spec);
  if (program !== undefined) {
    const source = { name: file === '-' ? 'stdin' : file, text: program.source };
    return { program: { ...common, source, parameters: program.parameters } };
  }
  const { member, parameters } = tracedMember(spec);
  const gadget = gadgets.find(({ name }) => memberName(name) === member);
  if (gadget === undefined) throw new CliError('UnknownGadget', `no gadget ${member}`);
  const { cpu, memory, events, artifacts } = spec.budget;
  const job: Job = {
    ...common,
    namespace: metadata.namespace ?? null,
    uid: randomUUID(),
    plan: planTrace(gadget, parameters),
    budget: {
      ...(cpu === undefined ? {} : { cpu: asNumber(cpu) }),
      ...(memory === undefined ? {} : { memoryBytes: Number(asWhole(memory)) }),
      ...(events === undefined ? {} : { events: Number(asWhole(events)) }),
      ...(artifacts === undefined ? {} : { artifactBytes: Number(asWhole(artifacts)) }),
    },
    redact: spec.redact,
  };
  return { job };
}

/** `job.yaml:7:13: spec.duration: 60 is a number without a unit; write 60s for seconds`. */
export function problemLines(
  file: string,
  problems: readonly { path: string; line: number; column: number; message: string }[],
): string[] {
  return problems.map(
    ({ path, line, column, message }) =>
      `${shownFile(file)}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`,
  );
}

export function shownFile(file: string): string {
  return file === '-' ? '<stdin>' : escapeTerminal(file, 300);
}

/** A file's text; `-` is standard input. Throws CliError FileUnreadable. */
export async function readFileText(file: string): Promise<string> {
  try {
    return await readFile(file === '-' ? '/dev/stdin' : file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EACCES: 'no permission',
      EISDIR: 'it is a folder',
    };
    const why = reasons[code ?? ''] ?? (error instanceof Error ? error.message : String(error));
    throw new CliError('FileUnreadable', `can't read ${shownFile(file)}: ${why}`, { cause: error });
  }
}
