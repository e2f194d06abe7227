// Finds the gadgets: each folder of bpf/gadgets (bundled: dist/gadgets) with a gadget.ts in it is one; there is no list.
// Neighbours: bpf/gadget.ts (the contract that is checked here), bpf/plan.ts, crds/ (a member per gadget), cli/.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { isTimed } from '../results/shape.ts';
import type { From, Gadget, Source } from './gadget.ts';
import { nearestName } from './nearest.ts';

/** A gadget's module breaks the contract; its path is in the message. For who writes gadgets, not for who uses them. */
export class GadgetInvalid extends Error {
  override name = 'GadgetInvalid';
}

/** No gadget has this name or alias. */
export class GadgetUnknown extends Error {
  override name = 'GadgetUnknown';
  readonly nearest: string | undefined;

  constructor(asked: string, known: readonly string[]) {
    const nearest = nearestName(asked, known);
    const hint = nearest === undefined ? '`sonde gadgets` lists them' : `did you mean ${nearest}?`;
    super(`no gadget is called ${JSON.stringify(asked.slice(0, 64))}: ${hint}`);
    this.nearest = nearest;
  }
}

/** Beside this file both in the checkout and bundled. */
const builtIn = join(import.meta.dirname, 'gadgets');

export interface RegistryOptions {
  /** The folder of the gadgets' folders. Default: the project's own. */
  folder?: string;
}

/** Every gadget, by name. @throws GadgetInvalid for the first module that breaks the contract. */
export async function loadGadgets(options: RegistryOptions = {}): Promise<Gadget[]> {
  const folder = options.folder ?? builtIn;
  const gadgets = await Promise.all(gadgetNames(folder).map((name) => importGadget(folder, name)));
  const taken = new Map(gadgets.map((gadget) => [gadget.name, gadget.name]));
  for (const { name, aliases } of gadgets) {
    for (const alias of aliases) {
      const other = taken.get(alias);
      if (other !== undefined)
        throw new GadgetInvalid(`${modulePath(folder, name)}: alias ${alias} is taken by ${other}`);
      taken.set(alias, name);
    }
  }
  return gadgets;
}

/**
 * One gadget by its name (imports no other), its camelCase name in YAML, or an alias.
 * @throws GadgetUnknown with the nearest name, GadgetInvalid
 */
export async function loadGadget(nameOrAlias: string, options: RegistryOptions = {}): Promise<Gadget> {
  const folder = options.folder ?? builtIn;
  const names = gadgetNames(folder);
  const kebab = nameOrAlias.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const name = names.find((known) => known === nameOrAlias || known === kebab);
  if (name !== undefined) return await importGadget(folder, name);
  const gadgets = await loadGadgets(options);
  const found = gadgets.find(({ aliases }) => aliases.includes(nameOrAlias));
  if (found) return found;
  throw new GadgetUnknown(nameOrAlias, [...names, ...gadgets.flatMap(({ aliases }) => aliases)]);
}

/** The folder's names that have a module, in order. */
export function gadgetNames(folder: string = builtIn): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(modulePath(folder, entry.name)))
    .map((entry) => entry.name)
    .sort();
}

function modulePath(folder: string, name: string): string {
  const source = join(folder, name, 'gadget.ts');
  return existsSync(source) ? source : join(folder, name, 'gadget.js');
}

async function importGadget(folder: string, name: string): Promise<Gadget> {
  const path = modulePath(folder, name);
  const module: { default?: unknown } = await import(pathToFileURL(path).href);
  const gadget = module.default as Gadget | undefined;
  const wrong = typeof gadget === 'object' ? [...faults(gadget, name)] : ['it has no default export'];
  if (gadget === undefined || wrong.length > 0)
    throw new GadgetInvalid(`${path} is no gadget: ${wrong.join('; ')}`);
  return gadget;
}

const kebabCase = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const camelCase = /^[a-z][a-zA-Z0-9]*$/;

function* faults(gadget: Gadget, folderName: string): Generator<string> {
  if (gadget.name !== folderName) yield `its name is ${gadget.name}, its folder's ${folderName}`;
  if (!kebabCase.test(folderName)) yield `its name is not kebab-case`;
  for (const alias of gadget.aliases) if (!kebabCase.test(alias)) yield `alias ${alias} is not kebab-case`;
  if (!gadget.summary) yield 'it has no summary';
  if (!gadget.description) yield 'it has no description';
  yield* parameterFaults(gadget);
  const defaults = gadget.parameters.safeParse({});
  if (!defaults.success) {
    yield `an empty object must be valid parameters: ${z.prettifyError(defaults.error)}`;
    return;
  }
  const source = gadget.source(defaults.data);
  for (const column of columnsOf(source)) yield* columnFaults(column);
  if (isTimed(source.shape) && source.shape.columns[0]?.name !== 'time')
    yield 'a shape of events or packets has a first column that is `time`';
  if (source.kind !== 'packets' && gadget.programs(defaults.data).length === 0)
    yield 'it attaches no program';
}

function* parameterFaults(gadget: Gadget): Generator<string> {
  for (const [name, field] of Object.entries(gadget.parameters.shape)) {
    if (!(field instanceof z.ZodType)) yield `parameter ${name} is no zod type`;
    else if (!field.description) yield `parameter ${name} has no description (.describe() comes last)`;
    else if (!field.safeParse(undefined).success) yield `parameter ${name} has no default`;
    if (!camelCase.test(name)) yield `parameter ${name} is not camelCase`;
  }
}

function columnsOf({ shape }: Source): From[] {
  switch (shape.kind) {
    case 'events':
    case 'packets':
      return shape.columns;
    case 'table':
      return [...shape.keys, ...shape.values];
    case 'histogram':
      return [...shape.keys, shape.value];
    case 'stacks':
      return [...shape.keys, ...shape.weights];
  }
}

function* columnFaults({ name, unit, description }: From): Generator<string> {
  if (!camelCase.test(name)) yield `column ${name} is not camelCase`;
  if (!description) yield `column ${name} has no description`;
  if (unit === undefined) return;
  const ending = unit.charAt(0).toUpperCase() + unit.slice(1);
  if (name !== unit && !name.endsWith(ending)) yield `column ${name} does not end with its unit, ${ending}`;
}
