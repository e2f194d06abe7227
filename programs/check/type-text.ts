// Types in words, as a program writes them: for diagnostics and typeinfo(). Pure. Neighbours: unify.ts, names.ts reads them back.

import { isAggregate, type Type } from '../types.ts';

export function typeText(type: Type): string {
  switch (type.kind) {
    case 'none':
      return 'void';
    case 'unknown':
      return 'a type that is not known';
    case 'integer':
      if (type.enum !== undefined) return `enum ${type.enum}`;
      return `${type.signed ? 'int' : 'uint'}${type.bits}`;
    case 'boolean':
      return 'bool';
    case 'string':
      return `string[${type.size}]`;
    case 'buffer':
      return `buffer[${type.size}]`;
    case 'pointer':
      return `${typeText(type.to)}${type.to.kind === 'pointer' ? '' : ' '}*`;
    case 'struct':
      return type.name;
    case 'array':
      return `${typeText(type.of)}[${type.length}]`;
    case 'tuple':
      return `(${type.elements.map(typeText).join(',')})`;
    case 'record':
      return `(${type.members.map(({ name, type }) => `${name} = ${typeText(type)}`).join(', ')})`;
    case 'stack':
      return `${type.space === 'kernel' ? 'kstack' : 'ustack'}_${type.mode}_${type.limit}`;
    case 'symbol':
      return type.space === 'kernel' ? 'ksym_t' : 'usym_t';
    case 'ipAddress':
      return 'inet';
    case 'macAddress':
      return 'macaddr_t';
    case 'cgroupPath':
      return 'cgroup_path_t';
    case 'username':
      return 'username';
    case 'timestamp':
      return 'timestamp';
    default:
      return `${type.kind}_t`;
  }
}

/** The group of a type: typeinfo()'s base_ty. */
export function baseText(type: Type): string {
  if (type.kind === 'integer') return 'int';
  if (type.kind === 'none') return 'void';
  if (isAggregate(type)) return `${type.kind}_t`;
  return type.kind;
}

/** `one`, `one or two`, `one, two or three`. */
export function anyOf(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
