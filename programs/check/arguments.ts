// Whether a value fits a parameter, and what is said if not. Pure. Neighbours: call.ts, words.ts (Accepts).

import type { Type } from '../types.ts';
import { typeText } from './type-text.ts';
import type { Parameter } from './words.ts';

export function fits({ accepts, type: documented }: Parameter, type: Type): boolean {
  if (type.kind === 'unknown') return true;
  const isNumber = type.kind === 'integer' || type.kind === 'boolean';
  switch (accepts) {
    case 'integer':
    case 'boolean':
      return isNumber;
    case 'string':
    case 'format':
      return type.kind === 'string';
    case 'text':
      return (
        type.kind === 'string' ||
        (type.kind === 'array' && isByte(type.of)) ||
        (type.kind === 'pointer' && isByte(type.to))
      );
    case 'pointer':
      return (
        type.kind === 'pointer' || isNumber || (documented?.includes('[]') === true && type.kind === 'array')
      );
    case 'address':
      return type.kind === 'pointer' || isNumber;
    case 'bytes':
      return (
        isNumber ||
        type.kind === 'pointer' ||
        type.kind === 'array' ||
        type.kind === 'string' ||
        type.kind === 'buffer'
      );
    case 'stack':
      return type.kind === 'stack';
    default:
      return type.kind !== 'none';
  }
}

function isByte(type: Type): boolean {
  return (type.kind === 'integer' && type.bits === 8) || type.kind === 'none';
}

const words: Partial<Record<Parameter['accepts'], string>> = {
  integer: 'an integer',
  boolean: 'true or false',
  string: 'a string',
  format: 'a string',
  text: 'text',
  pointer: 'a pointer',
  address: 'an address',
  bytes: 'an address, an array or a string',
  stack: 'a map or a stack',
};

export function mustBe(name: string, parameter: Parameter, type: Type): string {
  return `the ${parameter.name} of ${name}() is ${parameter.type ?? words[parameter.accepts] ?? 'a value'}, not ${typeText(type)}`;
}
