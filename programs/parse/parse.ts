// A program's text to its tree. Never throws: whatever the text is, there is a tree of what could be read, and what is wrong with the rest.
// Neighbours: programs/parse/{preamble,attach-points,statements}.ts read the parts; programs/expand.ts comes next; programs/diagnostics.ts shows.

import type { Probe, Program } from '../ast.ts';
import type { Diagnostic } from '../source.ts';
import { beginsProbe, parseAttachPoints } from './attach-points.ts';
import { parseBody } from './blocks.ts';
import { Cursor, problem, SyntaxProblem, TooManyProblems } from './cursor.ts';
import { checkConditions } from './directives.ts';
import { parseExpression } from './expressions.ts';
import { parseDeclaration, type Reading } from './preamble.ts';

/** Much more than any script has; a manifest could not carry it. */
const maximumSource = 128 * 1024;

export function parse(source: string): { program: Program; diagnostics: Diagnostic[] } {
  const cursor = new Cursor(source);
  const program: Program = {
    defines: [],
    structs: [],
    enums: [],
    config: [],
    maps: [],
    macros: [],
    imports: cursor.imports,
    probes: [],
  };
  if (source.length > maximumSource) {
    const message = `the program is longer than ${maximumSource / 1024} KiB`;
    return { program, diagnostics: [problem({ start: 0, end: 1 }, message)] };
  }
  try {
    parseProgram({ cursor, program, inProbes: false, directives: { conditions: [], headers: null } });
    if (program.probes.length === 0 && program.macros.length === 0 && cursor.diagnostics.length === 0)
      cursor.error({ start: source.length, end: source.length }, 'there is no probe in the program');
  } catch (caught) {
    if (!(caught instanceof TooManyProblems)) throw caught;
  }
  return { program, diagnostics: cursor.diagnostics };
}

function parseProgram(reading: Reading): void {
  const { cursor, program } = reading;
  if (cursor.source.startsWith('#!')) cursor.moveTo(lineEnd(cursor.source, 0));
  while (cursor.peek().kind !== 'end') {
    const before = cursor.at;
    try {
      if (!parseDeclaration(reading)) {
        cursor.limit(program.probes, 'probes');
        program.probes.push(parseProbe(cursor));
        reading.inProbes = true;
      }
    } catch (caught) {
      if (!(caught instanceof SyntaxProblem)) throw caught;
      cursor.report(caught.diagnostic);
      skipToNextProbe(cursor, before);
    }
  }
  checkConditions(cursor, reading.directives.conditions);
}

function parseProbe(cursor: Cursor): Probe {
  const { start } = cursor.peek();
  const attachPoints = parseAttachPoints(cursor);
  let predicate: Probe['predicate'] = null;
  if (cursor.accept('/')) {
    cursor.inPredicate = true;
    try {
      predicate = parseExpression(cursor);
    } finally {
      cursor.inPredicate = false;
    }
    if (!cursor.accept('/')) cursor.unexpected("'/' at the end of the predicate");
  }
  if (!cursor.is('{')) cursor.unexpected(predicate === null ? "'{' or a predicate" : "'{'");
  const body = parseBody(cursor);
  return { attachPoints, predicate, body, span: cursor.spanFrom(start) };
}

function lineEnd(source: string, from: number): number {
  const end = source.indexOf('\n', from);
  return end < 0 ? source.length : end;
}

/** Behind the block of the probe that can't be read, or before the next line that begins like one. */
function skipToNextProbe(cursor: Cursor, before: number): void {
  if (cursor.at === before && cursor.peek().kind !== 'end') cursor.take();
  let braces = 0;
  for (;;) {
    const token = cursor.peek();
    if (token.kind === 'end' || beginsProbe(cursor)) return;
    cursor.take();
    if (token.text === '{') braces++;
    if (token.text === '}' && --braces <= 0) return;
    if (token.text === ';' && braces === 0) return;
  }
}
