// What a script is given after it: `$1`, `$#`, getopt("name", default). Pure. Neighbour: programs/expand.ts, which puts these into the tree.

import type { Expression } from './ast.ts';
import { integerValue } from './parse/numbers.ts';
import type { Diagnostic, Span } from './source.ts';

export interface Parameters {
  /** `$1` is the first. */
  positional: readonly string[];
  /** `--name=value`; `--name` alone is ''. */
  named: ReadonlyMap<string, string>;
}

/** A number where it looks like one. Missing: 0. */
export function positionalValue({ positional }: Parameters, index: number, span: Span): Expression {
  const text = positional[index - 1];
  if (text === undefined) return { kind: 'integer', value: 0n, span };
  return numberOf(text, span) ?? { kind: 'string', value: text, span };
}

/** Within str(): the text, or what `+ n` leaves of it. Missing: empty. */
export function positionalText({ positional }: Parameters, of: Expression): string | undefined {
  if (of.kind === 'positional') return positional[of.index - 1] ?? '';
  if (of.kind !== 'binary' || of.operator !== '+') return undefined;
  const [parameter, offset] = of.left.kind === 'positional' ? [of.left, of.right] : [of.right, of.left];
  if (parameter.kind !== 'positional' || offset.kind !== 'integer') return undefined;
  return (positional[parameter.index - 1] ?? '').slice(Number(offset.value));
}

/** A literal, or what is wrong. `used` notes the names that the program asks for. */
export function namedValue(
  { named }: Parameters,
  used: Map<string, string>,
  options: Expression[],
  span: Span,
): Expression | Diagnostic {
  const wrong = (message: string, at: Span = span): Diagnostic => ({ severity: 'error', span: at, message });
  const [name, standard, description] = options;
  if (name === undefined) return wrong('getopt() needs the name of a parameter');
  if (options.length > 3) return wrong('getopt() takes a name, a default and a description');
  if (name.kind !== 'string') return wrong('the name of a parameter must be a string literal', name.span);
  if (description !== undefined && description.kind !== 'string')
    return wrong('the description of a parameter must be a string literal', description.span);
  const fallback = standard ?? ({ kind: 'boolean', value: false, span } satisfies Expression);
  const literal = literalText(fallback);
  if (literal === undefined)
    return wrong(
      'the default of a parameter must be a number, a string or a boolean, written out',
      fallback.span,
    );
  const before = used.get(name.value);
  if (before !== undefined && before !== literal)
    return wrong(`the parameter '${name.value}' has another default elsewhere: ${before}`);
  used.set(name.value, literal);
  const given = named.get(name.value);
  if (given === undefined) return { ...fallback, span };
  switch (fallback.kind) {
    case 'string':
      return { kind: 'string', value: given, span };
    case 'boolean':
      if (/^(?:1|true)?$/i.test(given)) return { kind: 'boolean', value: true, span };
      if (/^(?:0|false)$/i.test(given)) return { kind: 'boolean', value: false, span };
      return wrong(`the parameter '${name.value}' is true or false, not '${given}'`);
    default:
      return numberOf(given, span) ?? wrong(`the parameter '${name.value}' is a number, not '${given}'`);
  }
}

function literalText(literal: Expression): string | undefined {
  switch (literal.kind) {
    case 'integer':
    case 'boolean':
      return `${literal.value}`;
    case 'string':
      return JSON.stringify(literal.value);
    case 'unary':
      return literal.operator === '-' && literal.of.kind === 'integer' ? `-${literal.of.value}` : undefined;
    default:
      return undefined;
  }
}

function numberOf(text: string, span: Span): Expression | undefined {
  const result = integerValue(text.replace(/^-/, ''));
  if (!('value' in result)) return undefined;
  const literal: Expression = { kind: 'integer', value: result.value, span };
  return text.startsWith('-') ? { kind: 'unary', operator: '-', of: literal, span } : literal;
}
