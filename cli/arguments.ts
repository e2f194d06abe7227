// The command line of `sonde run` as data. Pure: no files are read, no gadget is loaded. Neighbours: cli/run.ts acts on it, cli/parameters.ts knows a gadget's flags.

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearestName } from '../bpf/nearest.ts';
import { type Duration, parseDuration } from '../crds/duration.ts';
import { escapeTerminal } from '../results/escape.ts';
import { CliError } from './errors.ts';
import type { GivenFlag, Parameter } from './parameters.ts';

export interface RunArguments {
  file?: string;
  duration?: Duration;
  cgroups: string[];
  pids: number[];
  containers: string[];
  output?: string;
  json: boolean;
  /** The gadget's own flags, in order. */
  parameters: GivenFlag[];
  /** Empty: none. */
  command: string[];
}

type OptionTypes = NonNullable<ParseArgsConfig['options']>;

const options: OptionTypes = {
  file: { type: 'string', short: 'f' },
  duration: { type: 'string', short: 'd' },
  cgroup: { type: 'string', multiple: true },
  pid: { type: 'string', multiple: true, short: 'p' },
  container: { type: 'string', multiple: true, short: 'c' },
  output: { type: 'string', short: 'o' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
};

/** Flags that kubectl's users will try here. */
const ofCluster = new Set([
  ...['-l', '--selector', '-n', '--namespace', '-A', '--all-namespaces', '--containers', '--max-pods'],
  ...['--nodes', '--store', '--dry-run', '--kubeconfig', '--context'],
]);

/** Flags of `run` itself; no gadget may call a parameter like one. */
export const ownFlags: ReadonlySet<string> = new Set(Object.keys(options));

/** Splits at the first `--`: what is before it is ours, what is behind it is the command. */
export function splitCommand(args: readonly string[]): { own: string[]; command: string[] | undefined } {
  const at = args.indexOf('--');
  if (at < 0) return { own: [...args], command: undefined };
  return { own: args.slice(0, at), command: args.slice(at + 1) };
}

/** The word that names the gadget: the first that is known, else the first that is no flag's value. Undefined with -f, or without any. */
export function gadgetWord(
  own: readonly string[],
  isGadget: (name: string) => boolean,
  types: OptionTypes = options,
): string | undefined {
  const { tokens } = parseArgs({
    args: [...own],
    options: types,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words = tokens.flatMap((token) => (token.kind === 'positional' ? [token] : []));
  const known = words.find((word) => isGadget(word.value));
  if (known) return known.value;
  const free = words.find((word) => {
    const before = own[word.index - 1];
    return before === undefined || !before.startsWith('--') || Object.hasOwn(types, before.slice(2));
  });
  return free?.value;
}

/** Everything but the gadget's name. `parameters`: the flags of the gadget, where one is named. Throws CliError BadArguments. */
export function parseRunArguments(
  args: readonly string[],
  gadget: { name: string; word: string; parameters: readonly Parameter[] } | undefined,
): RunArguments {
  const { own, command } = splitCommand(args);
  const types: OptionTypes = { ...options };
  for (const { flag, type } of gadget?.parameters ?? []) {
    types[flag] ??= { type: type === 'boolean' ? 'boolean' : 'string', multiple: true };
  }
  const given = readTokens(own, types, gadget?.word, 'sonde run');
  if (command !== undefined && (command[0] === undefined || command[0] === '')) {
    throw wrong('-- is followed by no command', 'Write the command and its arguments behind it: -- sleep 1');
  }
  const once = (flag: string) => {
    const values = given.filter(([name]) => name === flag);
    if (values.length > 1) throw wrong(`--${flag} is given ${values.length} times`, 'Give it once.');
    const value = values[0]?.[1];
    return typeof value === 'string' ? value : undefined;
  };
  const all = (flag: string) => given.flatMap(([name, value]) => (name === flag ? [String(value)] : []));
  const [file, duration, output] = [once('file'), once('duration'), once('output')];
  if (file !== undefined && gadget !== undefined) {
    throw wrong(
      `both -f ${escapeTerminal(file, 200)} and the gadget ${gadget.name} say what to trace`,
      'Give one of them.',
    );
  }
  if (output === '') throw wrong('--output is empty', 'Name a folder.');
  return {
    ...(file === undefined ? {} : { file }),
    ...(duration === undefined ? {} : { duration: readDuration(duration) }),
    cgroups: all('cgroup'),
    pids: all('pid').map(readPid),
    containers: all('container'),
    ...(output === undefined ? {} : { output }),
    json: given.some(([name]) => name === 'json'),
    parameters: given.filter(([name]) => !ownFlags.has(name)),
    command: command ?? [],
  };
}

/** The flags in order. `command`: for what to type. Throws CliError BadArguments. */
export function readTokens(
  own: string[],
  types: OptionTypes,
  gadgetWordGiven: string | undefined,
  command: 'sonde run' | 'kubectl sonde run',
): GivenFlag[] {
  const { tokens } = parseArgs({
    args: own,
    options: types,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given: GivenFlag[] = [];
  let gadgetSeen = false;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (!gadgetSeen && token.value === gadgetWordGiven) gadgetSeen = true;
      else throw strayWord(token.value, gadgetWordGiven, command);
    }
    if (token.kind !== 'option') continue;
    const negative = token.name.startsWith('no-') && types[token.name.slice(3)]?.type === 'boolean';
    const name = negative ? token.name.slice(3) : token.name;
    const type = Object.hasOwn(types, name) ? types[name]?.type : undefined;
    if (type === undefined) throw unknownFlag(token.rawName, Object.keys(types), gadgetWordGiven, command);
    if (type === 'boolean') {
      if (token.value !== undefined)
        throw wrong(`${token.rawName} takes no value`, `Write ${token.rawName} alone.`);
      given.push([name, !negative]);
    } else if (token.value === undefined || (!token.inlineValue && /^--?[a-z]/.test(token.value))) {
      throw wrong(`${token.rawName} needs a value`, 'Write it behind the flag, with a space or = between.');
    } else given.push([name, token.value]);
  }
  return given;
}

function unknownFlag(
  raw: string,
  known: readonly string[],
  gadget: string | undefined,
  command: string,
): CliError {
  const shown = escapeTerminal(raw, 80);
  if (command === 'sonde run' && ofCluster.has(raw)) {
    return wrong(
      `${shown} is about pods in a cluster; \`sonde run\` traces on this machine`,
      `Write \`kubectl sonde run\`; here, a command, --pid, --cgroup or --container says what is traced.`,
    );
  }
  const meant = nearestName(raw.replace(/^-+/, ''), known);
  const advice =
    gadget === undefined
      ? `\`${command} --help\` lists the flags; with -f the parameters of a gadget stand in the file, not here.`
      : `\`${command} ${gadget} --help\` lists the flags, those of ${gadget} too.`;
  return wrong(`unknown flag ${shown}${meant ? `; did you mean --${meant}?` : ''}`, advice);
}

function strayWord(word: string, gadget: string | undefined, command: string): CliError {
  const shown = escapeTerminal(word, 80);
  if (command === 'kubectl sonde run') return wrong(`what is "${shown}"?`, 'Pods are selected by -l.');
  if (gadget === undefined) return wrong(`what is "${shown}"?`, 'The command to trace stands behind --.');
  return wrong(
    `what is "${shown}"? ${gadget} is the gadget`,
    `If it is the command to trace, put -- in front of it: sonde run ${gadget} -- ${shown}`,
  );
}

/** The limits of spec.duration, and of the agent. */
function readDuration(text: string): Duration {
  const duration = parseDuration(text);
  const advice = 'Write a number with its unit: 500ms is too short, 10s, 1m30s and 24h will do.';
  if (/^0+$/.test(text)) throw wrong('--duration: 0 is outside the limits 1s…24h', advice);
  if ('wrong' in duration) throw wrong(`--duration: ${escapeTerminal(duration.wrong)}`, advice);
  const seconds = duration.nanoseconds / 1_000_000_000n;
  if (seconds < 1n || duration.nanoseconds > 86_400_000_000_000n) {
    throw wrong(`--duration: ${duration.text} is outside the limits 1s…24h`, advice);
  }
  return duration;
}

function readPid(text: string): number {
  const pid = /^[0-9]{1,10}$/.test(text) ? Number(text) : 0;
  if (pid > 0 && pid < 2 ** 22 + 1) return pid;
  throw wrong(`--pid: "${escapeTerminal(text, 40)}" is no process id`, 'Give a number, as `ps` shows it.');
}

function wrong(message: string, advice?: string): CliError {
  return new CliError('BadArguments', message, advice === undefined ? {} : { advice });
}
