// YAML text → objects of the API, or what is wrong with it by line and column. Pure. Neighbours: crds/kinds.ts (the schemas), crds/explain.ts
// (the sentences); callers: cli/job.ts, cli/validate.ts.

import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
} from 'yaml';
import { z } from 'zod';
import { nearestName } from '../bpf/nearest.ts';
import { type Aliases, explain, formatPath, visible } from './explain.ts';
import { nameField } from './fields.ts';
import { type AnyKind, allKinds, kindDefinitions } from './kinds.ts';
import { apiVersion, kinds, memberName, type TraceJob, type TraceMember } from './trace-job.ts';

/** One thing wrong with a file. Lines and columns count from 1. */
export interface Problem {
  path: string;
  line: number;
  column: number;
  message: string;
}

/** One document of a file: a job, or why it is none. */
export interface ReadDocument {
  /** 1 for the file's first document. */
  number: number;
  job?: TraceJob;
  problems: Problem[];
}

/** One document of a file: an object of any kind of the API, or why it is none. */
export interface ReadManifest {
  number: number;
  object?: { kind: AnyKind; metadata: { name: string; namespace?: string }; spec: unknown };
  problems: Problem[];
}

export type Catalogue = readonly (TraceMember & { aliases?: readonly string[] })[];

/** More than any job needs; what is larger is a mistake or an attack. */
export const maxBytes = 1 << 20;

/** Reads all documents of a file of jobs. Never throws, whatever the text; empty documents (a trailing ---) are passed over. */
export function readTraceJobs(text: string, gadgets: Catalogue): ReadDocument[] {
  return readObjects(text, gadgets, kinds).map(({ object, ...rest }) =>
    object === undefined ? rest : { ...rest, job: object as TraceJob },
  );
}

/** The same for a file of objects of all kinds. */
export function readManifests(text: string, gadgets: Catalogue): ReadManifest[] {
  return readObjects(text, gadgets, allKinds);
}

function readObjects(text: string, gadgets: Catalogue, wanted: readonly AnyKind[]): ReadManifest[] {
  if (text.length > maxBytes)
    return refused(`longer than ${maxBytes} characters; an object is a few lines of YAML`);
  if (text.includes('\0')) return refused('not text: it holds a NUL byte; give a YAML file');
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  const documents = Array.isArray(parsed) ? (parsed as Document.Parsed[]) : [];
  const schemas = schemasOf(gadgets, wanted);
  const aliases = aliasesOf(gadgets);
  const read: ReadManifest[] = [];
  for (const [index, document] of documents.entries()) {
    if (document.errors.length === 0 && isEmpty(document)) continue;
    read.push({ number: index + 1, ...readDocument(document, lines, schemas, aliases) });
  }
  if (read.length === 0)
    return refused('holds no document; one begins with "apiVersion: sonde.dev/v1alpha1"');
  return read;
}

/** Which gadget a text's first job asks for, without a schema; undefined where that can't be told. For loading that gadget alone. */
export function askedMember(text: string): string | undefined {
  if (text.length > maxBytes) return undefined;
  const match = /^ {2,}trace:\s*(?:#.*)?(?:\n\s*(?:#.*\n\s*)*|\{\s*)([A-Za-z][A-Za-z0-9]*)\s*:/m.exec(text);
  return match?.[1];
}

function isEmpty(document: Document.Parsed): boolean {
  const { contents } = document;
  return contents === null || (isScalar(contents) && contents.value === null);
}

type Schemas = ReadonlyMap<string, z.ZodType>;
const schemasByCatalogue = new WeakMap<Catalogue, Map<string, Schemas>>();

function schemasOf(gadgets: Catalogue, wanted: readonly AnyKind[]): Schemas {
  const known = schemasByCatalogue.get(gadgets) ?? new Map<string, Schemas>();
  schemasByCatalogue.set(gadgets, known);
  const key = wanted.join();
  const schemas = known.get(key) ?? makeSchemas(gadgets, wanted);
  known.set(key, schemas);
  return schemas;
}

/** What Kubernetes itself keeps (labels, status) passes. */
function makeSchemas(gadgets: Catalogue, wanted: readonly AnyKind[]): Schemas {
  const definitions = kindDefinitions(gadgets).filter(({ kind }) => wanted.includes(kind));
  return new Map(
    definitions.map(({ kind, spec }) => [
      kind,
      z.strictObject({
        apiVersion: z.literal(apiVersion),
        // Of no kind at all, the first one's schema says what is missing.
        kind: z.enum(wanted as [AnyKind, ...AnyKind[]]),
        metadata: z.looseObject({
          name: nameField(253, 'The name of the object.'),
          namespace: nameField(63, 'The namespace of the object.').optional(),
        }),
        spec,
        status: z.unknown().optional(),
      }),
    ]),
  );
}

function readDocument(document: Document.Parsed, lines: LineCounter, schemas: Schemas, aliases: Aliases) {
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      path: '',
      ...place(error.pos[0]),
      message: yamlSentence(error.code, error.message),
    }));
    return { problems };
  }
  let input: unknown;
  try {
    input = document.toJS();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problems: [{ path: '', line: 1, column: 1, message: `can't be read: ${visible(reason)}` }] };
  }
  const start = place(document.contents?.range[0] ?? 0);
  const wanted = [...schemas.keys()];
  const strange = notWanted(input, wanted);
  if (strange !== undefined) return { problems: [{ path: '', ...start, message: strange }] };
  const { kind = wanted[0] } = input as { kind?: string };
  const schema = schemas.get(String(kind)) ?? z.never();
  const result = schema.safeParse(input);
  if (result.success) return { object: result.data as NonNullable<ReadManifest['object']>, problems: [] };
  const problems = explain(schema, input, result.error.issues, aliases).map(({ path, key, message }) => {
    const whole = key === undefined ? path : [...path, key];
    return { path: formatPath(whole), ...place(offsetOf(document, path, key)), message };
  });
  return { problems: problems.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

/** Said at once, before its every field is called unknown. */
function notWanted(input: unknown, wanted: readonly string[]): string | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return 'is not an object; it begins with "apiVersion: sonde.dev/v1alpha1"';
  }
  const { apiVersion: given, kind } = input as Record<string, unknown>;
  if (kind !== undefined && !(typeof kind === 'string' && wanted.includes(kind))) {
    const shown = typeof kind === 'string' ? visible(kind) : 'what is given';
    const meant = typeof kind === 'string' ? nearestName(kind, wanted) : undefined;
    const advice = meant ? `did you mean ${meant}?` : `write one of ${wanted.join(', ')}`;
    return `kind: ${shown} is not ${wanted.length === kinds.length ? 'a job' : 'known here'}; ${advice}`;
  }
  if (typeof given === 'string' && given !== apiVersion) {
    return `apiVersion: ${visible(given)} is not known here; write ${apiVersion}`;
  }
  return undefined;
}

/** Where a value begins, or the key itself; the nearest thing above that exists where it doesn't. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[], key: string | undefined): number {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  const steps = key === undefined ? path : [...path, key];
  for (const [index, step] of steps.entries()) {
    const last = index === steps.length - 1;
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find(
        (item) => isScalar(item.key) && String(item.key.value) === String(step),
      );
      if (pair === undefined) return offset;
      if (isNode(pair.key) && pair.key.range) offset = pair.key.range[0];
      if (last && key !== undefined) return offset;
      node = isNode(pair.value) ? pair.value : undefined;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(step)];
      node = isNode(item) ? item : undefined;
    } else return offset;
    // A null value has no text of its own: its key is the better place.
    const empty = isScalar(node) && node.value === null;
    if (last && node?.range && !empty && isScalar(node)) offset = node.range[0];
  }
  return offset;
}

function yamlSentence(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'a tab indents this line; YAML wants spaces';
  if (code === 'DUPLICATE_KEY') return 'this field is given twice; keep one';
  return `not YAML: ${visible(message)}`;
}

function aliasesOf(gadgets: Catalogue): Aliases {
  const names = new Map<string, string>();
  for (const gadget of gadgets) {
    for (const name of [...(gadget.aliases ?? []), gadget.name]) {
      names.set(name.toLowerCase(), memberName(gadget.name));
    }
  }
  return names;
}

function refused(message: string): ReadDocument[] {
  return [{ number: 1, problems: [{ path: '', line: 1, column: 1, message }] }];
}
