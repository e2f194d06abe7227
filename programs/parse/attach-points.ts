// Where a probe is attached: `uprobe:/bin/bash:readline+4`. These are read character by character, because neither slashes nor colons, stars or
// dots mean what they mean in expressions. Neighbours: programs/parse/parse.ts; programs/expand.ts puts parameters into them.

import type { AttachPoint } from '../ast.ts';
import { type Cursor, problem, suggestion } from './cursor.ts';
import { skipBlanks } from './lexer.ts';

type Provider = AttachPoint['provider'];

const shortNames: [Provider, string[]][] = [
  ['begin', ['BEGIN']],
  ['end', ['END']],
  ['test', []],
  ['bench', []],
  ['self', []],
  ['hardware', ['h']],
  ['interval', ['i']],
  ['iter', ['it']],
  ['fentry', ['f', 'kfunc']],
  ['fexit', ['fr', 'kretfunc']],
  ['kprobe', ['k']],
  ['kretprobe', ['kr']],
  ['profile', ['p']],
  ['rawtracepoint', ['rt']],
  ['software', ['s']],
  ['tracepoint', ['t']],
  ['uprobe', ['u']],
  ['uretprobe', ['ur']],
  ['usdt', ['U']],
  ['watchpoint', ['w']],
  ['asyncwatchpoint', ['aw']],
];

const providers = new Map<string, Provider>(
  shortNames.flatMap(([name, short]) => [name, ...short].map((each) => [each, name] as const)),
);

/** Which part is a file, where a slash is one: that after so many colons. */
const pathParts: Partial<Record<Provider, number>> = { uprobe: 1, uretprobe: 1, usdt: 1, iter: 2 };

const partCounts: Record<Provider, [fewest: number, most: number]> = {
  begin: [0, 0],
  end: [0, 0],
  test: [1, 1],
  bench: [1, 1],
  self: [2, 2],
  hardware: [1, 2],
  interval: [1, 2],
  iter: [1, 2],
  fentry: [1, 3],
  fexit: [1, 3],
  kprobe: [1, 2],
  kretprobe: [1, 2],
  profile: [1, 2],
  rawtracepoint: [1, 2],
  software: [1, 2],
  tracepoint: [1, 2],
  uprobe: [2, 3],
  uretprobe: [2, 3],
  usdt: [2, 3],
  watchpoint: [3, 3],
  asyncwatchpoint: [3, 3],
};

const probeStart = new RegExp(
  `(?:(?:${[...providers.keys()].filter((name) => name.length > 2).join('|')})(?::|[ \\t]*[{,/])|(?:BEGIN|END|begin|end)\\s*\\{)`,
  'y',
);

/** Whether a probe begins at the beginning of this line: then a block before it was not closed. */
export function beginsProbe(cursor: Cursor): boolean {
  const token = cursor.peek();
  if (token.kind !== 'identifier' || (token.start > 0 && cursor.source[token.start - 1] !== '\n'))
    return false;
  probeStart.lastIndex = token.start;
  return probeStart.test(cursor.source);
}

/** The list before a predicate or a block. Leaves the cursor behind it. */
export function parseAttachPoints(cursor: Cursor): AttachPoint[] {
  const found: AttachPoint[] = [];
  for (;;) {
    const { start } = cursor.peek();
    const end = attachPointEnd(cursor.source, start);
    if (end === start) {
      if (found.length > 0 && (cursor.is('{') || cursor.is('/'))) break;
      cursor.unexpected('a probe');
    }
    const { points, wrong } = readAttachPoint(cursor.source.slice(start, end), start, null);
    cursor.moveTo(end);
    cursor.end = end;
    for (const each of wrong) cursor.report(each);
    cursor.limit(found, 'places for one block');
    found.push(...points);
    if (!cursor.accept(',')) break;
  }
  return found;
}

/**
 * Reads the text of one attach point that begins at `start` of the source. With `parameters`, each `$1` outside of quotes is put in.
 * More than one where the provider is a pattern (`k*probe`).
 */
export function readAttachPoint(
  written: string,
  start: number,
  parameters: readonly string[] | null,
): { points: AttachPoint[]; wrong: ReturnType<typeof problem>[] } {
  const span = { start, end: start + written.length };
  const text = parameters === null ? written : withParameters(written, parameters);
  const parts = splitParts(text);
  const dollar =
    /\$(?![1-9])[^:]{0,20}/.exec(text.replaceAll(/"(?:[^"\\]|\\[\s\S])*"?|\\[\s\S]/g, '')) ?? undefined;
  if (dollar !== undefined && parameters === null) {
    const message = `'${dollar[0]}' is no parameter; where it is part of a name, the name must be quoted`;
    return { points: [], wrong: [problem(span, message)] };
  }
  const rest = parts.slice(1);
  // `name=kprobe:f`: the name means nothing yet.
  const name = (parts[0] ?? '').replace(/^[A-Za-z_][A-Za-z0-9_]*=/, '');
  const provider = providers.get(name);
  if (provider !== undefined) return { points: [{ provider, parts: rest, text, span }], wrong: [] };
  if (/^[a-z*?]*[*?][a-z*?]*$/.test(name) && name.length < 24 && rest.length > 0) {
    const points = shortNames
      .filter(([each]) => matchesWildcard(name, each) && fits(each, rest))
      .map(([each]) => ({ provider: each, parts: [...rest], text: [each, ...rest].join(':'), span }));
    if (points.length > 0) return { points, wrong: [] };
  }
  // `$1:hz:99`: what it is the parameter will say, when programs/expand.ts reads this again.
  if (parameters === null && /\$[1-9]/.test(name))
    return { points: [{ provider: 'begin', parts: rest, text, span }], wrong: [] };
  const nameSpan = { start, end: start + Math.max(1, (parts[0] ?? '').length) };
  return {
    points: [],
    wrong: [
      problem(
        nameSpan,
        `Invalid probe type: ${printable(name)}`,
        suggestion(
          name,
          shortNames.map(([each]) => each),
        ),
      ),
    ],
  };
}

/** Whether a provider found by a pattern can mean these parts. */
function fits(provider: Provider, parts: string[]): boolean {
  const [fewest, most] = partCounts[provider];
  const isPath = parts[0]?.includes('/') ?? false;
  return parts.length >= fewest && parts.length <= most && (!isPath || pathParts[provider] === 1);
}

function matchesWildcard(pattern: string, name: string): boolean {
  const pieces = pattern.split(/[*]+/);
  let at = 0;
  for (const [index, piece] of pieces.entries()) {
    const found = name.indexOf(piece, at);
    if (found < 0 || (index === 0 && found > 0)) return false;
    at = found + piece.length;
  }
  return pattern.endsWith('*') || name.endsWith(pieces.at(-1) ?? '');
}

function printable(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** Parted at colons, without quotes and with backslashes taken for what they protect. */
function splitParts(text: string): string[] {
  const parts = [''];
  const add = (piece: string) => {
    parts[parts.length - 1] += piece;
  };
  let quoted = false;
  for (const [piece] of text.matchAll(/\\[\s\S]|[\s\S]/g)) {
    if (piece === '"') quoted = !quoted;
    else if (piece === ':' && !quoted) parts.push('');
    else add(piece.length > 1 ? piece.slice(1) : piece);
  }
  return parts;
}

function withParameters(text: string, parameters: readonly string[]): string {
  return text.replaceAll(
    /"(?:[^"\\]|\\[\s\S])*"?|\\[\s\S]|\$([0-9]+)/g,
    (whole, index: string | undefined) =>
      index === undefined ? whole : (parameters[Number(index) - 1] ?? ''),
  );
}

/** The place behind the attach point that begins at `start`; the same place where none does. */
function attachPointEnd(source: string, start: number): number {
  let colons = 0;
  let provider: string | undefined;
  let at = start;
  while (at < source.length) {
    const character = source.charAt(at);
    if (character === '{' || character === ',' || character === '}' || /\s/.test(character)) break;
    if (character === '"') {
      const close = quoteEnd(source, at);
      if (close === undefined) return at === start ? start : at + 1;
      at = close;
      continue;
    }
    if (character === '/') {
      const known = providers.get(provider ?? '');
      // A pattern, or a word that means nothing: most likely it was to be one with a path.
      const inPath = known === undefined ? colons === 1 : pathParts[known] === colons;
      if (!inPath && !slashInName(source, at, colons, provider)) break;
    }
    if (character === ':') {
      provider ??= source.slice(start, at).replace(/^.*=/, '');
      colons++;
    }
    at += character === '\\' ? 2 : 1;
  }
  return Math.min(at, source.length);
}

function quoteEnd(source: string, open: number): number | undefined {
  for (let at = open + 1; at < source.length && source[at] !== '\n'; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === '"') return at + 1;
  }
  return undefined;
}

/** Whether a slash in a function's name (as Go has it) is part of it: only in user programs, and only if no predicate can begin there. */
function slashInName(source: string, slash: number, colons: number, provider: string | undefined): boolean {
  const isUser = /^(u|ur|U|uprobe|uretprobe|usdt)$/.test(provider ?? '');
  if (!isUser || colons < 2 || /[/*]/.test(source.charAt(slash + 1))) return false;
  let end = slash + 1;
  while (end < source.length && !/[\s{,]/.test(source.charAt(end))) end++;
  const next = source.charAt(skipBlanks(source, end));
  if (source[end - 1] === '/' && next === '{') return false;
  return next === '{' || next === ',' || next === '/';
}
