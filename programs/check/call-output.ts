// Calls that ask something of user space, and those of whole maps. Neighbours: call-results.ts, format.ts.

import { isAggregate, type Type } from '../types.ts';
import type { Call } from './call.ts';
import { conversionsOf, misfit, parseFormat } from './format.ts';
import { assignMap, entryOf, stateOf, useKeyed } from './maps.ts';
import { condition, failed, type Pass, report } from './pass.ts';
import { boolean, none, unknown } from './unify.ts';
import { assignVariable, lookUp } from './variables.ts';

/** undefined: not one of these. */
export function outputResult(pass: Pass, call: Call, types: readonly Type[]): Type | undefined {
  switch (call.function) {
    case 'printf':
    case 'errorf':
    case 'warnf':
    case 'cat':
      formatted(pass, call, types);
      return none;
    case 'fail':
      formatted(pass, call, types);
      report(pass, call.span, failText(pass, call));
      return none;
    case 'print':
      return printed(pass, call, types);
    case 'assert': {
      const [holds] = call.arguments;
      if (holds !== undefined) condition(pass, holds);
      return none;
    }
    case 'exit':
    case 'time':
      return none;
    case 'clear':
    case 'zero':
      return none;
    default:
      return undefined;
  }
}

function formatted(pass: Pass, call: Call, types: readonly Type[]): void {
  const [first, ...rest] = call.arguments;
  const format = first === undefined ? undefined : pass.constants.get(first);
  if (typeof format !== 'string' || first === undefined) return;
  const parts = parseFormat(format);
  if ('wrong' in parts) {
    report(pass, first.span, parts.wrong, 'a percent sign is written %%');
    return;
  }
  const conversions = conversionsOf(parts);
  if (conversions.length !== rest.length) {
    report(
      pass,
      call.span,
      `the format of ${call.function}() shows ${plural(conversions.length, 'argument')}, and ${rest.length === 0 ? 'none' : rest.length} ${rest.length > 1 ? 'are' : 'is'} given`,
    );
    return;
  }
  for (const [index, conversion] of conversions.entries()) {
    const wrong = misfit(conversion, types[index + 1] ?? unknown);
    const argument = rest[index];
    if (wrong !== null && argument !== undefined) report(pass, argument.span, wrong);
  }
}

function plural(count: number, noun: string): string {
  return `${count === 0 ? 'no' : count} ${noun}${count === 1 ? '' : 's'}`;
}

/** All arguments are literals: what it would print is known. */
function failText(pass: Pass, call: Call): string {
  const [first, ...rest] = call.arguments.map((argument) => pass.constants.get(argument));
  const parts = typeof first === 'string' ? parseFormat(first) : [];
  if ('wrong' in parts) return 'fail()';
  let next = 0;
  return parts.map((part) => ('text' in part ? part.text : String(rest[next++] ?? ''))).join('');
}

function printed(pass: Pass, call: Call, types: readonly Type[]): Type {
  const [first, top] = call.arguments;
  if (first?.kind !== 'map') {
    const [type = unknown] = types;
    if (type.kind === 'none') return failed(pass, call.span, 'there is no value to print');
    return none;
  }
  const state = stateOf(pass.env.maps, first.name);
  if (first.key === null) {
    const ignored = ['hist', 'lhist', 'stats', 'tseries'].includes(state.value.kind) && top !== undefined;
    if (ignored && state.value.kind === 'stats' && pass.final)
      pass.env.report({
        severity: 'warning',
        span: call.span,
        message: 'top and div are not looked at where a map holds stats()',
      });
    return none;
  }
  return none;
}

/** undefined: not one of these. */
export function mapResult(pass: Pass, call: Call): Type | undefined {
  const [map, key, result] = call.arguments;
  if (map?.kind !== 'map') return undefined;
  const state = stateOf(pass.env.maps, map.name);
  switch (call.function) {
    case 'has_key':
      return boolean;
    case 'find': {
      const variable = result?.kind === 'variable' ? lookUp(pass, result.name) : undefined;
      if (result?.kind === 'variable' && variable === undefined)
        return failed(
          pass,
          result.span,
          `${result.name} has no value here`,
          `declare it before: let ${result.name};`,
        );
      if (variable !== undefined && result !== undefined) {
        pass.variables.set(result, variable);
        if (isAggregate(state.value))
          return failed(pass, call.span, `find() can not read what ${state.value.kind}() keeps`);
        assignVariable(pass, variable, state.value, result.span);
        pass.types.set(result, variable.type);
        // The value is put into the variable as it is: both have one type.
        if (pass.env.level > 0 && state.value.kind !== 'unknown' && state.assigned)
          assignMap(pass, state, variable.type, result.span);
      }
      return boolean;
    }
    case 'delete':
      state.read = true;
      if (map.key !== null) {
        if (key !== undefined)
          return failed(pass, call.span, 'the key is written twice', `write delete(${map.name}, KEY)`);
        entryOf(pass, map);
      } else if (key === undefined) useKeyed(pass, state, false, call.span);
      return boolean;
    default:
      return undefined;
  }
}
