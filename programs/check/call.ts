// Calls: which signature is meant, whether its arguments fit, what comes out. Neighbours: functions.ts (the table), call-results.ts (types of results),
// call-special.ts (what a table can't say), identifier.ts.

import type { Expression } from '../ast.ts';
import type { Span } from '../source.ts';
import type { Type } from '../types.ts';
import { fits, mustBe } from './arguments.ts';
import type { BuiltinName } from './builtins.ts';
import { builtins } from './builtins.ts';
import { resultOf } from './call-results.ts';
import { functions } from './functions.ts';
import { allowed, builtinType } from './identifier.ts';
import { type MapState, useKey, useKeyed, wholeMap } from './maps.ts';
import { failed, near, type Pass, report, valueType } from './pass.ts';
import { anyOf } from './type-text.ts';
import { unknown } from './unify.ts';
import type { Fn, Parameter } from './words.ts';

export interface Call {
  function: string;
  nameSpan: Span;
  arguments: Expression[];
  span: Span;
}

/** `expression`: the node that the type is of, which for `nsecs` without brackets is an identifier. */
export function inferCall(pass: Pass, expression: Expression, call: Call): Type {
  const fn = functions.get(call.function);
  if (call.arguments.length === 0) {
    const word = builtins.get(call.function);
    if (word !== undefined)
      return allowed(pass, word, 'builtin', call.nameSpan)
        ? builtinType(pass, expression, word.name as BuiltinName, call.span)
        : unknown;
  }
  if (fn === undefined) return unknownFunction(pass, call);
  if (fn.aggregate)
    return failed(
      pass,
      call.span,
      `${fn.name}() must be assigned directly to a map`,
      `write @x = ${fn.name}(${fn.signatures[0]?.parameters.map(({ name }) => name).join(', ')})`,
    );
  if (!allowed(pass, fn, 'function', call.nameSpan)) {
    // What is within is judged too, so that all is said in one run.
    for (const argument of call.arguments) if (argument.kind !== 'identifier') pass.typeOf(argument);
    return unknown;
  }
  const types = checkArguments(pass, fn, call);
  return types === null ? unknown : resultOf(pass, expression, call, types);
}

function unknownFunction(pass: Pass, { function: name, nameSpan, arguments: given }: Call): Type {
  for (const argument of given) pass.typeOf(argument);
  if (builtins.has(name)) return failed(pass, nameSpan, `${name} takes no arguments`);
  const similar = near(pass, name, () => [...functions.keys(), ...builtins.keys()]);
  return failed(
    pass,
    nameSpan,
    `unknown function '${name}'`,
    similar === undefined ? undefined : `did you mean '${similar}'?`,
  );
}

/** Types of the arguments, by place; null: they do not fit, which was said. */
export function checkArguments(pass: Pass, fn: Fn, call: Call): Type[] | null {
  const given = call.arguments;
  const byCount = fn.signatures.filter(({ parameters }) => countFits(parameters, given.length));
  const chosen = byCount.find(({ parameters }) => kindsFit(parameters, given)) ?? byCount[0];
  if (chosen === undefined) {
    for (const argument of given) if (argument.kind !== 'map') pass.typeOf(argument);
    report(pass, call.span, `${fn.name}() takes ${countText(fn)}, not ${given.length}`);
    return null;
  }
  const types: Type[] = [];
  let map: MapState | null = null;
  let good = true;
  for (const [index, argument] of given.entries()) {
    const parameter = chosen.parameters[Math.min(index, chosen.parameters.length - 1)];
    if (parameter === undefined) continue;
    if (parameter.accepts === 'map') {
      map = mapArgument(pass, fn, argument);
      good &&= map !== null;
      types.push(unknown);
    } else if (parameter.accepts === 'key') {
      if (map !== null) {
        useKeyed(pass, map, true, call.span);
        useKey(pass, map, argument);
        map.read = true;
      }
      types.push(unknown);
    } else {
      const type = plainArgument(pass, fn, parameter, argument);
      good &&= type !== null;
      types.push(type ?? unknown);
    }
  }
  return good ? types : null;
}

function mapArgument(pass: Pass, fn: Fn, argument: Expression): MapState | null {
  if (argument.kind !== 'map') {
    pass.typeOf(argument);
    report(pass, argument.span, `${fn.name}() is of a map, like @x`);
    return null;
  }
  if (argument.key !== null && fn.name !== 'delete') {
    report(
      pass,
      argument.span,
      `${fn.name}() is of a whole map, not of one key`,
      `write ${fn.name}(${argument.name}${fn.signatures[0]?.parameters[1]?.accepts === 'key' ? ', KEY' : ''})`,
    );
    return null;
  }
  return wholeMap(pass, argument);
}

function plainArgument(pass: Pass, fn: Fn, parameter: Parameter, argument: Expression): Type | null {
  if (parameter.accepts === 'word') {
    const words = parameter.words ?? [];
    if (argument.kind === 'identifier' && words.includes(argument.name)) return unknown;
    report(pass, argument.span, `the ${parameter.name} of ${fn.name}() is ${anyOf(words)}`);
    return null;
  }
  if (parameter.accepts === 'variable') {
    if (argument.kind === 'variable') return unknown;
    report(pass, argument.span, `${fn.name}() puts what it found into a variable, like $x`);
    return null;
  }
  const type = introspects(fn.name) ? pass.typeOf(argument) : valueType(pass, argument);
  if (!fits(parameter, type)) {
    report(pass, argument.span, mustBe(fn.name, parameter, type));
    return null;
  }
  if (parameter.literal && !pass.constants.has(argument) && type.kind !== 'unknown') {
    report(
      pass,
      argument.span,
      `the ${parameter.name} of ${fn.name}() must be known while compiling`,
      'write it as a literal',
    );
    return null;
  }
  return type;
}

/** They look at the type of anything. */
function introspects(name: string): boolean {
  return name.startsWith('is_') || name === 'assert_str';
}

function countFits(parameters: readonly Parameter[], count: number): boolean {
  const needed = parameters.filter(({ optional, rest }) => !optional && !rest).length;
  return count >= needed && (count <= parameters.length || parameters.at(-1)?.rest === true);
}

/** Whether maps and words stand where they must: that tells signatures apart before types are known. */
function kindsFit(parameters: readonly Parameter[], given: readonly Expression[]): boolean {
  return given.every((argument, index) => {
    const parameter = parameters[Math.min(index, parameters.length - 1)];
    if (parameter?.accepts === 'map') return argument.kind === 'map' && argument.key === null;
    if (parameter?.accepts === 'word')
      return argument.kind === 'identifier' && parameter.words?.includes(argument.name) === true;
    return true;
  });
}

function countText(fn: Fn): string {
  const counts = new Set<string>();
  for (const { parameters } of fn.signatures) {
    const needed = parameters.filter(({ optional, rest }) => !optional && !rest).length;
    if (parameters.at(-1)?.rest) counts.add(`at least ${needed}`);
    else for (let count = needed; count <= parameters.length; count++) counts.add(`${count}`);
  }
  const all = [...counts].sort();
  return all.length === 1 && all[0] === '0'
    ? 'no arguments'
    : `${anyOf(all)} argument${all.at(-1) === '1' ? '' : 's'}`;
}
