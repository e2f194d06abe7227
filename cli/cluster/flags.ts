// The flags of the cluster's subcommands, as kubectl has them. Pure. Neighbours: cli/arguments.ts (the same for one machine), cli/cluster/access.ts.

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearestName } from '../../bpf/nearest.ts';
import { escapeTerminal } from '../../results/escape.ts';
import { CliError } from '../errors.ts';
import type { AccessFlags } from './access.ts';

export type FlagTypes = NonNullable<ParseArgsConfig['options']>;

export const accessFlags: FlagTypes = {
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  namespace: { type: 'string', short: 'n' },
};

export const formats = ['json', 'yaml', 'name', 'wide'] as const;
export type Format = (typeof formats)[number];

export interface Flags {
  /** Of a flag given several times, the last counts, as kubectl has it. */
  text(flag: string): string | undefined;
  all(flag: string): string[];
  has(flag: string): boolean;
  words: string[];
}

/** Throws CliError BadArguments. */
export function readFlags(args: readonly string[], types: FlagTypes, command: string): Flags {
  const many: FlagTypes = Object.fromEntries(
    Object.entries(types).map(([name, type]) => [name, { ...type, multiple: true }]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options: many,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const type = Object.hasOwn(types, token.name) ? types[token.name]?.type : undefined;
    if (type === undefined) throw unknownFlag(token.rawName, Object.keys(types), command);
    if (type === 'string' && token.value === undefined)
      throw wrong(`${token.rawName} needs a value`, command);
    if (type === 'boolean' && token.value !== undefined)
      throw wrong(`${token.rawName} takes no value`, command);
    given.set(token.name, [...(given.get(token.name) ?? []), token.value ?? '']);
  }
  return {
    text: (flag) => given.get(flag)?.at(-1),
    all: (flag) => given.get(flag) ?? [],
    has: (flag) => given.has(flag),
    words,
  };
}

function unknownFlag(raw: string, known: readonly string[], command: string): CliError {
  const meant = nearestName(raw.replace(/^-+/, ''), known);
  const hint = meant === undefined || raw.length < 4 ? '' : `; did you mean --${meant}?`;
  return wrong(`unknown flag ${escapeTerminal(raw, 80)}${hint}`, command);
}

export function wrong(message: string, command: string): CliError {
  return new CliError('BadArguments', message, {
    advice: `\`kubectl sonde ${command} --help\` lists the flags.`,
  });
}

export function readAccess(flags: Flags): AccessFlags {
  const kubeconfig = flags.text('kubeconfig');
  const context = flags.text('context');
  const namespace = flags.text('namespace');
  return {
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    ...(namespace === undefined ? {} : { namespace: readNamespace(namespace, '--namespace') }),
  };
}

export function readNamespace(text: string, flag: string): string {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new CliError('BadArguments', `${flag}: "${escapeTerminal(text, 80)}" is no name of a namespace`, {
    advice: '`kubectl get namespaces` lists them.',
  });
}

/** -o: one of `allowed`. */
export function readFormat(
  text: string | undefined,
  allowed: readonly Format[],
  command: string,
): Format | undefined {
  if (text === undefined) return undefined;
  const format = allowed.find((each) => each === text);
  if (format !== undefined) return format;
  throw wrong(`-o ${escapeTerminal(text, 80)} is no format; write one of ${allowed.join(', ')}`, command);
}

/** --output is a folder where results are fetched, as for `sonde run`; -o a format, as for kubectl. */
export function readFolder(text: string | undefined): string | undefined {
  if (text === '') throw new CliError('BadArguments', '--output is empty', { advice: 'Name a folder.' });
  if (!formats.some((format) => format === text)) return text;
  throw new CliError(
    'BadArguments',
    `--output names the folder of the result; is "${text}" meant as a format?`,
    {
      advice: `Write -o ${text} for the format, or --output ./${text} for a folder of that name.`,
    },
  );
}

/** The one job that a command is about. */
export function oneName(words: readonly string[], command: string): string {
  const [name, ...others] = words;
  if (name === undefined) throw wrong(`${command} needs the name of a job`, command);
  if (others.length > 0) throw wrong(`one job at a time: ${escapeTerminal(words.join(' '), 200)}`, command);
  return name;
}
