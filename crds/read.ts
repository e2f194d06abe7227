// YAML text → jobs, or what is wrong with it by line and column. Pure. Neighbours: crds/trace-job.ts (the schema), crds/explain.ts (the sentences);
// callers: cli/run.ts, cli/validate.ts.

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
import type { z } from 'zod';
import { nearestName } from '../bpf/nearest.ts';
import { type Aliases, explain, formatPath, visible } from './explain.ts';
import {
  apiVersion,
  kinds,
  memberName,
  type TraceJob,
  type TraceMember,
  traceJobSchema,
} from './trace-job.ts';

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

export type Catalogue = readonly (TraceMember & { aliases?: readonly string[] })[];

/** More than any job needs; what is larger is a mistake or an attack. */
export const maxBytes = 1 << 20;

/** Reads all documents of a file. Never throws, whatever the text; empty documents (a trailing ---) are passed over. */
export function readTraceJobs(text: string, gadgets: Catalogue): ReadDocument[] {
  if (text.length > maxBytes)
    return refused(`longer than ${maxBytes} characters; a job is a few lines of YAML`);
  if (text.includes('\0')) return refused('not text: it holds a NUL byte; give a YAML file');
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  const documents = Array.isArray(parsed) ? (parsed as Document.Parsed[]) : [];
  const schema = traceJobSchema(gadgets);
  const aliases = aliasesOf(gadgets);
  const read: ReadDocument[] = [];
  for (const [index, document] of documents.entries()) {
    if (document.errors.length === 0 && isEmpty(document)) continue;
    read.push({ number: index + 1, ...readDocument(document, lines, schema, aliases) });
  }
  if (read.length === 0)
    return refused('holds no document; a job begins with "apiVersion: sonde.dev/v1alpha1"');
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

function readDocument(document: Document.Parsed, lines: LineCounter, schema: z.ZodType, aliases: Aliases) {
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
  const strange = notAJob(input);
  if (strange !== undefined) return { problems: [{ path: '', ...start, message: strange }] };
  const result = schema.safeParse(input);
  if (result.success) return { job: result.data as TraceJob, problems: [] };
  const problems = explain(schema, input, result.error.issues, aliases).map(({ path, key, message }) => {
    const whole = key === undefined ? path : [...path, key];
    return { path: formatPath(whole), ...place(offsetOf(document, path, key)), message };
  });
  return { problems: problems.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

/** Said at once, before its every field is called unknown. */
function notAJob(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return 'is not an object; a job begins with "apiVersion: sonde.dev/v1alpha1"';
  }
  const { apiVersion: given, kind } = input as Record<string, unknown>;
  if (typeof kind === 'string' && !(kinds as readonly string[]).includes(kind)) {
    const meant = nearestName(kind, kinds);
    return `kind: ${visible(kind)} is not a job; ${meant ? `did you mean ${meant}?` : `write one of ${kinds.join(', ')}`}`;
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
