// Takes out of the tree what needs no knowledge of types: macros, defines, parameters, and `pid()` for `pid`. Every node of the result is its own:
// what is used twice is there twice. Neighbours: programs/parse/parse.ts before it, programs/expand/*, programs/check/* after it.

import type { Probe, Program } from './ast.ts';
import { Exhausted, Expansion, type Scope } from './expand/expansion.ts';
import { expandExpression } from './expand/expressions.ts';
import { expandBlock } from './expand/statements.ts';
import type { Parameters } from './parameters.ts';
import { readAttachPoint } from './parse/attach-points.ts';
import type { Diagnostic } from './source.ts';

export function expand(
  program: Program,
  parameters: Parameters,
): { program: Program; diagnostics: Diagnostic[] } {
  const expansion = new Expansion(program, parameters);
  const probes: Probe[] = [];
  try {
    for (const probe of program.probes) probes.push(expandProbe(expansion, probe));
    // A parameter that the program doesn't ask for is a mistake.
    const unasked = [...parameters.named.keys()].filter((name) => !expansion.asked.has(name));
    if (unasked.length > 0)
      expansion.error(
        { start: 0, end: 0 },
        `Unexpected command line options: ${unasked.join(', ')}`,
        'the program asks for its options by getopt("name")',
      );
  } catch (caught) {
    if (!(caught instanceof Exhausted)) throw caught;
  }
  return { program: { ...program, defines: [], macros: [], probes }, diagnostics: expansion.diagnostics };
}

function expandProbe(expansion: Expansion, probe: Probe): Probe {
  const scope: Scope = { within: [], macro: null, at: null };
  const attachPoints = probe.attachPoints.flatMap((point) => {
    if (!/\$[0-9]/.test(point.text)) return [point];
    const { positional } = expansion.parameters;
    const { points, wrong } = readAttachPoint(point.text, point.span.start, positional);
    for (const each of wrong) expansion.report(each);
    return points;
  });
  return {
    attachPoints,
    predicate: probe.predicate === null ? null : expandExpression(expansion, probe.predicate, scope),
    body: expandBlock(expansion, probe.body, scope),
    span: probe.span,
  };
}
