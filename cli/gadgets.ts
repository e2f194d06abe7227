// `sonde gadgets [NAME] [--json]`: the catalogue, from the gadgets' own declarations. Neighbours: bpf/registry.ts, cli/parameters.ts.

import { parseArgs } from 'node:util';
import type { Gadget } from '../bpf/gadget.ts';
import { loadGadgets } from '../bpf/registry.ts';
import { memberName } from '../crds/trace-job.ts';
import { type Column, isTimed, type Shape } from '../results/shape.ts';
import { CliError, type ExitCode } from './errors.ts';
import { parameterLines } from './help.ts';
import { findGadget } from './job.ts';
import { parametersOf } from './parameters.ts';

export async function gadgets(args: readonly string[]): Promise<ExitCode> {
  const { name, json } = readArguments(args);
  if (name === undefined) {
    const all = await loadGadgets();
    process.stdout.write(json ? `${JSON.stringify(all.map(asJson), null, 2)}\n` : listText(all));
    return 0;
  }
  const gadget = await findGadget(name);
  process.stdout.write(json ? `${JSON.stringify(asJson(gadget), null, 2)}\n` : gadgetText(gadget));
  return 0;
}

function readArguments(args: readonly string[]): { name?: string; json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean' } },
      allowPositionals: true,
    });
    const [name, extra] = positionals;
    if (extra !== undefined) throw new TypeError(`one gadget at a time: ${positionals.join(' ')}`);
    return { json: values.json === true, ...(name === undefined ? {} : { name }) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CliError('BadArguments', message, { advice: 'Usage: sonde gadgets [NAME] [--json]' });
  }
}

/** All of them, by area. */
export function listText(all: readonly Gadget[]): string {
  const width = Math.max(0, ...all.map(({ name }) => name.length));
  const areas = [...new Set(all.map(({ area }) => area))].sort();
  const blocks = areas.map((area) => {
    const rows = all
      .filter((gadget) => gadget.area === area)
      .map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
    return `${area}\n${rows.join('\n')}\n`;
  });
  return `${blocks.join('\n')}\n"sonde gadgets NAME" explains one; "sonde run NAME -- COMMAND" runs it.\n`;
}

/** One of them, whole. */
export function gadgetText(gadget: Gadget): string {
  const { name, aliases, summary, description, area, sees, capabilities } = gadget;
  const defaults = gadget.parameters.parse({});
  const { shape } = gadget.source(defaults);
  const parameters = parametersOf(gadget);
  const member = memberName(name);
  const lines = [
    `${name}: ${summary}`,
    '',
    ...wrap(description, 100),
    '',
    `In YAML        spec.trace.${member}`,
    `Also known as  ${aliases.join(', ') || '(nothing else)'}`,
    `Area           ${area}`,
    `Result         ${shape.kind}`,
    `Sees           ${sees === 'pod' ? 'only what is in scope' : 'the whole node'}`,
    `Needs          ${capabilities.map((capability) => `CAP_${capability}`).join(', ')}`,
    '',
    ...(parameters.length === 0 ? ['Parameters: none'] : ['Parameters:', ...parameterLines(parameters)]),
    '',
    'Columns:',
    ...columnLines(shape),
    '',
    'Examples:',
    `  sonde run ${name} -- COMMAND`,
    `  sonde run ${name} --pid 1234 --duration 10s`,
  ];
  return `${lines.join('\n')}\n`;
}

function columnsOf(shape: Shape): Column[] {
  if (isTimed(shape)) return shape.columns;
  if (shape.kind === 'table') return [...shape.keys, ...shape.values];
  if (shape.kind === 'histogram') return [...shape.keys, shape.value];
  return [...shape.keys, ...shape.weights];
}

function columnLines(shape: Shape): string[] {
  const columns = columnsOf(shape);
  const width = Math.max(0, ...columns.map(({ name }) => name.length));
  return columns.map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`);
}

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

/** What scripts and documentation get. */
export function asJson(gadget: Gadget) {
  const { name, aliases, area, summary, description, sees, subject, capabilities } = gadget;
  const { shape } = gadget.source(gadget.parameters.parse({}));
  return {
    ...{ name, member: memberName(name), aliases, area, summary, description, sees, subject, capabilities },
    parameters: parametersOf(gadget),
    result: shape.kind,
    columns: columnsOf(shape).map(({ name: column, type, unit, description: about }) => ({
      name: column,
      type,
      ...(unit === undefined ? {} : { unit }),
      description: about,
    })),
  };
}
