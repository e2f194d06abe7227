// Turns zod's issues into sentences that say what to write instead. Neighbours: crds/trace-job.ts makes the schema, crds/read.ts adds line and column.

import { z } from 'zod';
import { nearestName } from '../bpf/nearest.ts';
import { escapeTerminal } from '../results/escape.ts';

/** What is wrong at one place of a value. `key`: the member that is wrong itself (its name), not what it holds. */
export interface Explained {
  path: PropertyKey[];
  key?: string;
  message: string;
}

/** What else `spec.trace` could have been called: other tools' names of gadgets → members. */
export type Aliases = ReadonlyMap<string, string>;

const exampleTrace = 'a gadget with its parameters, for example {cpuProfile: {}}';

/** One or more explanations per issue, in the issues' order. */
export function explain(
  schema: z.ZodType,
  input: unknown,
  issues: readonly z.core.$ZodIssue[],
  aliases: Aliases = new Map(),
): Explained[] {
  const unknownAt = new Set(
    issues.filter((issue) => issue.code === 'unrecognized_keys').map((issue) => formatPath(issue.path)),
  );
  return issues.flatMap((issue): Explained[] => {
    // A union whose only member is unknown has no member: the unknown one is what to say.
    if (issue.code === 'custom' && unknownAt.has(formatPath(issue.path))) return [];
    if (issue.code === 'unrecognized_keys') {
      const { path } = issue;
      return issue.keys.map((key) => ({
        path,
        key,
        message: unknownKey(schema, path, key, aliases),
      }));
    }
    return [{ path: issue.path, message: sentence(schema, issue, at(input, issue.path)) }];
  });
}

/** `spec.trace.cpuProfile`, `spec.target.containers[0]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += `${text === '' ? '' : '.'}${visible(String(part))}`;
  }
  return text;
}

/** A name from hostile input, safe for a terminal and bounded. */
export function visible(text: string): string {
  return escapeTerminal(text, 80);
}

function unknownKey(schema: z.ZodType, path: PropertyKey[], key: string, aliases: Aliases): string {
  const trace = formatPath(path) === 'spec.trace';
  const what = trace ? 'unknown gadget' : 'unknown field';
  const alias = trace ? aliases.get(key.toLowerCase()) : undefined;
  if (alias !== undefined) return `${what}; what others call ${visible(key)} is ${alias} here`;
  const known = members(schema, path);
  const meant = nearestName(key, known);
  if (meant !== undefined) return `${what}; did you mean ${meant}?`;
  if (known.length === 0) return `${what}; nothing can be set here`;
  return `${what}; known here: ${known.join(', ')}`;
}

function sentence(schema: z.ZodType, issue: z.core.$ZodIssue, given: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(schema, issue.path, issue.expected, given);
    case 'invalid_value': {
      const values = issue.values.map(String);
      if (given === undefined) return `is missing; write ${values.join(' or ')}`;
      const meant = typeof given === 'string' ? nearestName(given, values) : undefined;
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      return `${show(given)} is not one of ${values.join(', ')}${hint}`;
    }
    case 'too_small':
    case 'too_big':
      return outside(schema, issue, given);
    case 'invalid_format':
      return `${show(given)}: ${issue.message.startsWith('Invalid') ? `must match ${issue.pattern ?? issue.format}` : issue.message}`;
    case 'custom':
      return issue.message;
    default:
      return `${show(given)}: ${issue.message}`;
  }
}

function wrongType(schema: z.ZodType, path: PropertyKey[], expected: string, given: unknown): string {
  if (given === undefined && formatPath(path) === 'spec.trace') return `is missing; write ${exampleTrace}`;
  if (given === undefined) return `is missing; ${wanted(expected)}`;
  if (given === null && expected === 'object') {
    const empty = members(schema, path);
    return `is empty; write {} for the defaults${empty.length > 0 ? `, or set ${empty.slice(0, 5).join(', ')}` : ''}`;
  }
  const unit = typeof given === 'string' && /^[0-9.]+ *[a-zA-Zµ]+$/.test(given);
  if (unit && (expected === 'number' || expected === 'int')) {
    return `${show(given)} has a unit; this is a plain number: the field's name says its unit`;
  }
  return `${show(given)} is not ${article(expected)}; ${wanted(expected)}`;
}

function outside(schema: z.ZodType, issue: z.core.$ZodIssue, given: unknown): string {
  const { minimum, maximum, exclusiveMinimum } = limitsAt(schema, issue.path);
  let range = `the limits ${minimum}…${maximum}`;
  if (exclusiveMinimum)
    range = `the limits: above ${minimum}${maximum === undefined ? '' : `, up to ${maximum}`}`;
  else if (maximum === undefined) range = `the limit: at least ${minimum}`;
  else if (minimum === undefined) range = `the limit: at most ${maximum}`;
  if (typeof given === 'string') return `${show(given)}: ${given.length} characters are outside ${range}`;
  if (Array.isArray(given)) return `${given.length} entries are outside ${range}`;
  return `${show(given)} is outside ${range}`;
}

/** Minimum and maximum of a number, or of a length, as the schema at a path says. */
export function limitsAt(schema: z.ZodType, path: readonly PropertyKey[]) {
  const found = schemaAt(schema, path);
  if (found === undefined) return {};
  const json = z.toJSONSchema(found, { io: 'input', unrepresentable: 'any' });
  return {
    minimum: json.minimum ?? json.exclusiveMinimum ?? json.minLength ?? json.minItems,
    exclusiveMinimum: json.exclusiveMinimum !== undefined,
    maximum: json.maximum ?? json.exclusiveMaximum ?? json.maxLength ?? json.maxItems,
  };
}

function members(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const found = schemaAt(schema, path);
  return found instanceof z.ZodObject ? Object.keys(found.shape) : [];
}

function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let here: z.ZodType | undefined = unwrap(schema);
  for (const part of path) {
    if (here instanceof z.ZodObject) here = own(here.shape, part);
    else if (here instanceof z.ZodArray) here = here.element as z.ZodType;
    else if (here instanceof z.ZodRecord) here = here.valueType as z.ZodType;
    else return undefined;
    if (here === undefined) return undefined;
    here = unwrap(here);
  }
  return here;
}

function own(shape: Record<string, unknown>, part: PropertyKey): z.ZodType | undefined {
  const name = String(part);
  return Object.hasOwn(shape, name) ? (shape[name] as z.ZodType) : undefined;
}

/** Through optional, default and pipes to what the input must be. */
function unwrap(schema: z.ZodType): z.ZodType {
  const wrapped = [z.ZodOptional, z.ZodDefault, z.ZodPrefault, z.ZodNullable];
  for (const kind of wrapped) if (schema instanceof kind) return unwrap(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodPipe) return unwrap(schema.in as z.ZodType);
  return schema;
}

function at(input: unknown, path: readonly PropertyKey[]): unknown {
  let here = input;
  for (const part of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, part)) return undefined;
    here = (here as Record<PropertyKey, unknown>)[part];
  }
  return here;
}

function show(value: unknown): string {
  if (typeof value === 'string') return visible(JSON.stringify(value));
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return visible(String(value));
}

function article(expected: string): string {
  const names: Record<string, string> = {
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'an object',
    record: 'an object',
  };
  return names[expected] ?? expected;
}

function wanted(expected: string): string {
  const examples: Record<string, string> = {
    string: 'write text, in quotes if it looks like a number',
    number: 'write a number without quotes or unit',
    int: 'write a whole number without quotes or unit',
    boolean: 'write true or false',
    array: 'write a list: [a, b]',
    object: 'write an object: {name: value}',
    record: 'write an object: {name: value}',
  };
  return examples[expected] ?? `write ${expected}`;
}
