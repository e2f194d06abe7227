// Shows what is said about a program the way bpftrace does: place, words, the line, tildes below it, a hint. Pure and without colours.
// Neighbours: programs/source.ts; cli/ and operator/ print it.

import type { Diagnostic, Span } from './source.ts';

/** From 1; the column in characters. */
export interface Place {
  line: number;
  column: number;
}

/** Of the line that is shown, as characters around what is marked: a program may be one line. */
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
  const what = `${severity === 'error' ? 'ERROR' : 'WARNING'}: ${plain(message)}\n`;
  const tail = hint === undefined ? '' : `HINT: ${plain(hint)}\n`;
  const lines: string[] = [];
  if (from.line !== to.line) {
    const last = Math.min(to.line, from.line + mostLines - 1);
    for (let line = from.line; line <= last; line++)
      lines.push(widen(lineText(source, starts, line)).slice(0, widest));
    if (last < to.line) lines.push('…');
    return `${name}:${from.line}-${to.line}: ${what}${lines.map((each) => `${each}\n`).join('')}${tail}`;
  }
  const place = `${name}:${from.line}:${from.column}-${to.column}: `;
  const excerpt = excerptOf(lineText(source, starts, from.line), from.column - 1, to.column - 1);
  return `${place}${what}${excerpt}${tail}`;
}

/** The line, and the tildes below. */
function excerptOf(line: string, from: number, to: number): string {
  const characters = Array.from(line);
  const first = characters.length <= widest ? 0 : Math.max(0, Math.min(from - widest / 4, to - widest));
  const shown = characters.slice(first, first + widest);
  const text = widen(shown.join(''));
  if (text.trim() === '') return '';
  const before = Array.from(widen(shown.slice(0, from - first).join(''))).length;
  const marked = Array.from(widen(shown.slice(from - first, to - first).join(''))).length;
  return `${text}\n${' '.repeat(before)}${'~'.repeat(Math.max(1, marked))}\n`;
}

/** A tab is four blanks; what would move a terminal's cursor is a question mark. */
function widen(text: string): string {
  return plain(text.replaceAll('\t', '    '));
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
  return { line: low + 1, column: Array.from(source.slice(starts[low] ?? 0, offset)).length + 1 };
}
