// A gadget's parameters as flags: what they are called, what they take, and their values checked. From the gadget's own schema.
// Callers: cli/arguments.ts, cli/gadgets.ts, cli/help.ts.

import { z } from 'zod';
import type { Gadget } from '../bpf/gadget.ts';
import { explain } from '../crds/explain.ts';
import { CliError } from './errors.ts';

export interface Parameter {
  /** camelCase, as in YAML. */
  name: string;
  /** kebab-case, without dashes in front. */
  flag: string;
  type: 'number' | 'boolean' | 'text' | 'list';
  /** What a list holds, where it is numbers. */
  items?: 'number';
  description: string;
  /** As JSON would write it; absent: none. */
  default?: string;
  /** What it may be, in words: `1…999`, `user|kernel|both`. */
  allowed?: string;
}

interface FieldJson {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  items?: FieldJson;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  exclusiveMaximum?: number;
}

/** The parameters in the order in which the gadget declares them. */
export function parametersOf(gadget: Pick<Gadget, 'parameters'>): Parameter[] {
  const json = z.toJSONSchema(gadget.parameters, { io: 'input', unrepresentable: 'any' });
  const fields = (json.properties ?? {}) as Record<string, FieldJson>;
  return Object.entries(fields).map(([name, field]) => {
    const allowed = allowedIn(field);
    return {
      name,
      flag: flagName(name),
      type: typeOf(field),
      ...(field.items && typeOf(field.items) === 'number' ? { items: 'number' as const } : {}),
      description: field.description ?? '',
      ...(field.default === undefined ? {} : { default: JSON.stringify(field.default) }),
      ...(allowed === undefined ? {} : { allowed }),
    };
  });
}

/** `frequencyHz` → `frequency-hz`. */
export function flagName(parameter: string): string {
  return parameter.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function typeOf(field: FieldJson): Parameter['type'] {
  if (field.type === 'integer' || field.type === 'number') return 'number';
  if (field.type === 'boolean') return 'boolean';
  return field.type === 'array' ? 'list' : 'text';
}

function allowedIn(field: FieldJson): string | undefined {
  const values = field.enum ?? field.items?.enum;
  if (values) return values.join('|');
  const { exclusiveMinimum: above, exclusiveMaximum: below } = field;
  const least = above === undefined ? field.minimum : `>${above}`;
  const most = below === undefined ? field.maximum : `<${below}`;
  // z.int() means "exact in JavaScript"; that is no limit to tell.
  const from = least === Number.MIN_SAFE_INTEGER || least === undefined ? '' : least;
  const to = most === Number.MAX_SAFE_INTEGER || most === undefined ? '' : most;
  return from === '' && to === '' ? undefined : `${from}…${to}`;
}

/** A flag and what was given with it: text, or true and false for switches. Flags of lists may come several times. */
export type GivenFlag = readonly [flag: string, value: string | boolean];

/** The parameters that flags give, defaults filled in. Throws CliError BadArguments with the flag, what is wrong and what to write. */
export function readParameters(
  gadget: Pick<Gadget, 'name' | 'parameters'>,
  given: readonly GivenFlag[],
): Record<string, unknown> {
  const byFlag = new Map(parametersOf(gadget).map((parameter) => [parameter.flag, parameter]));
  const input: Record<string, unknown> = {};
  for (const [flag, value] of given) {
    const parameter = byFlag.get(flag);
    if (parameter === undefined) continue;
    const { name } = parameter;
    if (parameter.type === 'list') {
      const before = Array.isArray(input[name]) ? input[name] : [];
      const added = String(value).split(',');
      input[name] = [...before, ...(parameter.items === 'number' ? added.map(asNumber) : added)];
    } else input[name] = parameter.type === 'number' ? asNumber(value) : value;
  }
  const schema = gadget.parameters.strict();
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const sentences = explain(schema, input, result.error.issues).map(({ path, message }) => {
    const [name] = path;
    return name === undefined ? message : `--${flagName(String(name))}: ${message}`;
  });
  throw new CliError('BadArguments', sentences.join('\n'), {
    advice: `\`sonde gadgets ${gadget.name}\` explains its parameters.`,
  });
}

/** What is no number stays text, so that the schema's error can show it. */
function asNumber(value: string | boolean): unknown {
  if (typeof value === 'string' && /^-?[0-9]+(\.[0-9]+)?$/.test(value)) return Number(value);
  return value;
}
