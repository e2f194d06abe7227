// The command line of `sonde run` with a program of the user's: -e 'PROGRAM', or a script. Pure. Flags are bpftrace's where it has them.
// Neighbours: cli/program.ts acts on it, cli/arguments.ts has the gadgets' side.

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { milliseconds, parseDuration } from '../crds/duration.ts';
import { escapeTerminal } from '../results/escape.ts';
import { splitCommand } from './arguments.ts';
import { CliError } from './errors.ts';

export interface ProgramArguments {
  /** -e's text, or a file. */
  program: { text: string } | { file: string };
  parameters: { positional: string[]; named: Map<string, string> };
  pids: number[];
  cgroups: string[];
  containers: string[];
  command: string[];
  durationMs?: number;
  /** Absent: no results are written. null: to a folder named after the job. */
  output?: string | null;
  quiet: boolean;
  warnings: boolean;
  dryRun: boolean;
  /** Helpers' errors are told. */
  runtimeChecks: boolean;
  format: 'text' | 'json';
}

type OptionTypes = NonNullable<ParseArgsConfig['options']>;

const options = {
  execute: { type: 'string', short: 'e' },
  pid: { type: 'string', short: 'p' },
  cgroup: { type: 'string' },
  container: { type: 'string' },
  command: { type: 'string', short: 'c' },
  duration: { type: 'string', short: 'd' },
  output: { type: 'string', short: 'o' },
  quiet: { type: 'boolean', short: 'q' },
  format: { type: 'string', short: 'f' },
  json: { type: 'boolean' },
  'no-warnings': { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  // Accepted from people's fingers: what they change is always so here.
  unsafe: { type: 'boolean' },
  verbose: { type: 'boolean', short: 'v' },
  'runtime-checks': { type: 'boolean', short: 'k' },
  'buffer-mode': { type: 'string', short: 'B' },
} as const satisfies OptionTypes;

/** Whether the arguments of `run` name a program: by -e, or by a script's name before any other word. */
export function namesProgram(args: readonly string[]): boolean {
  const { own } = splitCommand(args);
  const { tokens } = parse(own);
  const word = tokens.find((token) => token.kind === 'positional');
  if (tokens.some((token) => token.kind === 'option' && token.name === 'execute')) return true;
  return word?.kind === 'positional' && (word.value === '-' || word.value.endsWith('.bt'));
}

function parse(own: readonly string[]) {
  return parseArgs({ args: [...own], options, strict: false, allowPositionals: true, tokens: true });
}

/** Throws CliError BadArguments. */
export function parseProgramArguments(args: readonly string[]): ProgramArguments {
  const { own, command, rest } = partsOf(args);
  const { tokens } = parse(own);
  const words: string[] = [];
  const named = new Map<string, string>();
  const given: [name: keyof typeof options, value: string][] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, value } = token;
    if (!isOption(name)) {
      // What is none of ours is a parameter of the program: getopt() asks for it.
      if (!token.rawName.startsWith('--')) throw wrong(`unknown flag ${escapeTerminal(token.rawName, 80)}`);
      named.set(name, value ?? '');
    } else if (options[name].type === 'boolean') given.push([name, '']);
    else if (value === undefined) throw wrong(`${token.rawName} needs a value`);
    else given.push([name, value]);
  }
  for (const word of rest) {
    const [, name, value = ''] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) words.push(word);
    else named.set(name, value);
  }
  const all = (wanted: keyof typeof options) =>
    given.flatMap(([name, value]) => (name === wanted ? [value] : []));
  const once = (wanted: keyof typeof options): string | undefined => {
    const values = all(wanted);
    if (values.length > 1) throw wrong(`--${wanted} is given ${values.length} times`);
    return values[0];
  };
  const text = once('execute');
  const file = text === undefined ? words.shift() : undefined;
  if (text === undefined && file === undefined) throw wrong('neither -e nor a file says what to run');
  const duration = once('duration');
  const output = once('output');
  const words2 = once('command');
  if (words2 !== undefined && command !== undefined) throw wrong('both -c and -- name a command');
  return {
    program: text === undefined ? { file: file ?? '' } : { text },
    parameters: { positional: words, named },
    pids: all('pid').map(readPid),
    cgroups: all('cgroup'),
    containers: all('container'),
    command: command ?? (words2 === undefined ? [] : wordsOf(words2)),
    ...(duration === undefined ? {} : { durationMs: readDuration(duration) }),
    ...(output === undefined ? {} : { output }),
    quiet: all('quiet').length > 0,
    warnings: all('no-warnings').length === 0,
    dryRun: all('dry-run').length > 0,
    runtimeChecks: all('runtime-checks').length > 0,
    format: all('json').length > 0 ? 'json' : readFormat(once('format')),
  };
}

/** Behind -- is a command, or what only the program reads: that begins with a dash, as no command does. */
function partsOf(args: readonly string[]) {
  const { own, command } = splitCommand(args);
  return command?.[0]?.startsWith('-')
    ? { own, command: undefined, rest: command }
    : { own, command, rest: [] };
}

function isOption(name: string): name is keyof typeof options {
  return Object.hasOwn(options, name);
}

function readFormat(text: string | undefined): 'text' | 'json' {
  if (text === undefined || text === 'text') return 'text';
  if (text === 'json') return 'json';
  throw wrong(`Invalid output format "${escapeTerminal(text, 40)}"`, 'Valid formats: json, text.');
}

function readPid(text: string): number {
  const shown = escapeTerminal(text, 40);
  if (!/^[0-9]{1,10}$/.test(text))
    throw wrong(`Failed to parse pid: pid '${shown}' is not a valid decimal number`);
  const pid = Number(text);
  if (pid < 1 || pid > 4_194_304)
    throw wrong(`Failed to parse pid: pid '${shown}' out of valid pid range [1,4194304]`);
  return pid;
}

function readDuration(text: string): number {
  const duration = parseDuration(text);
  if ('wrong' in duration) throw wrong(`--duration: ${escapeTerminal(duration.wrong)}`);
  return milliseconds(duration);
}

/** A command as one text: words between blanks, quotes around what holds blanks. No shell. */
function wordsOf(command: string): string[] {
  const words = [...command.matchAll(/(?:"([^"]*)"|'([^']*)'|([^\s"']+))+/g)].map((match) =>
    match[0].replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ''),
  );
  if (words.length === 0) throw wrong('-c is followed by no command');
  return words;
}

function wrong(message: string, advice?: string): CliError {
  return new CliError('BadArguments', message, {
    advice:
      advice ?? 'Usage: sonde run -e PROGRAM [PARAMETERS…] [FLAGS] [-- COMMAND], or sonde run SCRIPT.bt …',
  });
}
