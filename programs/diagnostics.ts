// Shows what is said about a program the way bpftrace does: place, words, the line, tildes below it, a hint. Pure and without colours.
// Neighbours: programs/source.ts; cli/ and operator/ print it.

import type { Diagnostic, Span } from './source.ts';

/** From 1; the column in characters. */
export interface Place {
  line: number;
  column: number;
}

/** Of the line that is shown: a program may be one line. */
const widest = 400;
const mostLines = 10;

/** Errors first, then warnings, each in the order they were found. `name` is what the place begins with: stdin, or the file's. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  source: string,
  name = 'stdin',
): string {
  const starts = lineStarts(source);
  const ordered = [
    ...diagnostics.filter((each) => each.severity === 'error'),
    ...diagnostics.filter((each) => each.severity === 'warning'),
  ];
  return ordered.map((each) => renderOne(each, source, starts, name)).join('');
}

export function placeOf(source: string, offset: number): Place {
  return placeIn(lineStarts(source), source, offset);
}

function renderOne(diagnostic: Diagnostic, source: string, starts: number[], name: string): string {
  const { severity, message, hint } = diagnostic;
  const span = trimmed(diagnostic.span, source);
  const from = placeIn(starts, source, span.start);
  const to = placeIn(starts, source, span.end);
  const what = `${severity === 'error' ? 'ERROR' : 'WARNING'}: ${words(message)}\n`;
  const tail = hint === undefined ? '' : `HINT: ${words(hint)}\n`;
  const lines: string[] = [];
  if (from.line !== to.line) {
    const last = Math.min(to.line, from.line + mostLines - 1);
    for (let line = from.line; line <= last; line++)
      lines.push(widen(lineText(source, starts, line)).slice(0, widest));
    if (last < to.line) lines.push('…');
    return `${name}:${from.line}-${to.line}: ${what}${lines.map((each) => `${each}\n`).join('')}${tail}`;
  }
  const place = `${name}:${from.line}:${from.column}-${to.column}: `;
  const lineStart = starts[from.line - 1] ?? 0;
  const excerpt = excerptOf(
    lineText(source, starts, from.line),
    span.start - lineStart,
    span.end - lineStart,
  );
  return `${place}${what}${excerpt}${tail}`;
}

/** The line, or what of it is around the place, and the tildes below. */
function excerptOf(line: string, from: number, to: number): string {
  const first = line.length <= widest ? 0 : Math.max(0, Math.min(from - widest / 4, line.length - widest));
  const last = Math.min(line.length, first + widest);
  const text = widen(line.slice(first, last));
  if (text.trim() === '') return '';
  const before = characters(widen(line.slice(first, from)));
  const marked = characters(widen(line.slice(from, Math.min(to, last))));
  return `${text}\n${' '.repeat(before)}${'~'.repeat(Math.max(1, marked))}\n`;
}

/** Of two units each where they are outside the basic plane. */
function characters(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

/** A tab is four blanks; what would move a terminal's cursor is a question mark. */
function widen(text: string): string {
  return plain(text.replaceAll('\t', '    '));
}

/** Variables of macros are shown as they were written (programs/expand/expansion.ts). */
function words(text: string): string {
  return plain(text.replaceAll(/(\$[A-Za-z_]\w*)\?\d+/g, '$1'));
}

function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '?');
}

/** Within the source, and not over the end of its line when nothing but that is marked. */
function trimmed(span: Span, source: string): Span {
  const start = Math.max(0, Math.min(span.start, source.length));
  const end = Math.max(start, Math.min(span.end, source.length));
  const line = source.slice(start, end).trimEnd();
  return { start, end: line === '' ? start + Math.min(1, end - start) : start + line.length };
}

function lineStarts(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function lineText(source: string, starts: number[], line: number): string {
  const end = starts[line];
  return source.slice(starts[line - 1], end === undefined ? source.length : end - 1).replace(/\r$/, '');
}

function placeIn(starts: number[], source: string, offset: number): Place {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: characters(source.slice(starts[low] ?? 0, offset)) + 1 };
}
