// Names of types as programs write them → types. Neighbours: layouts.ts has the structs, cast.ts and statements.ts ask.

import type { EnumDeclaration, Program, TypeName } from '../ast.ts';
import type { Kernel } from '../kernel.ts';
import type { Type } from '../types.ts';
import { type Layouts, makeLayouts } from './layouts.ts';
import type { Suggest } from './suggest.ts';
import { int64, integer, none, uint64, unknown } from './unify.ts';

type Words = { message: string; hint?: string };

export interface Names {
  layouts: Layouts;
  /** `typeof(…)` is the caller's. path: of the binary probed, whose structs are known too. */
  resolve(name: TypeName, path: string | null): Type | Words;
  enumerator(name: string): { value: bigint; type: Type } | undefined;
  enumValues(name: string): ReadonlyMap<bigint, string> | undefined;
  /** Whether a name of that sort may exist in a kernel that is not there. */
  open: boolean;
}

const integers: Record<string, Type> = {
  char: integer(8, true),
  bool: { kind: 'boolean' },
  void: none,
  ...Object.fromEntries(
    ([8, 16, 32, 64] as const).flatMap((bits) => [
      [`int${bits}`, integer(bits, true)],
      [`uint${bits}`, integer(bits)],
    ]),
  ),
};

/** Types that only the language has. */
const own: Record<string, Type> = {
  inet: { kind: 'ipAddress' },
  macaddr_t: { kind: 'macAddress' },
  cgroup_path_t: { kind: 'cgroupPath' },
  username: { kind: 'username' },
  ksym_t: { kind: 'symbol', space: 'kernel' },
  usym_t: { kind: 'symbol', space: 'user' },
  kstack_t: { kind: 'stack', space: 'kernel', mode: 'bpftrace', limit: 127 },
  ustack_t: { kind: 'stack', space: 'user', mode: 'bpftrace', limit: 127 },
  timestamp: { kind: 'timestamp', format: '', clock: 'boot' },
};

export function makeNames(
  program: Program,
  kernel: Kernel | null,
  maxStrlen: number,
  suggest: Suggest,
): Names {
  const enums = new Map(program.enums.map((each) => [each.name, valuesOf(each)]));
  const enumerators = new Map(
    program.enums.flatMap((each) =>
      each.members.map(({ name, value }) => [name, { value, enum: each.name }]),
    ),
  );
  /** Asked again in each pass. */
  const bases = new Map<string, Type | Words>();
  const layouts = makeLayouts(program, kernel, (name) => {
    const type = resolve(name, null);
    return 'message' in type ? unknown : type;
  });

  function base(name: TypeName, path: string | null): Type | Words {
    if (name.tag === 'enum') return enumType(name.name);
    if (name.tag !== null) return struct(`${name.tag} ${name.name}`, path, name.pointers > 0);
    const plain = integers[name.name] ?? own[name.name];
    if (plain !== undefined) return plain;
    if (name.name === 'string' || name.name === 'buffer') return { kind: name.name, size: maxStrlen };
    const declared = program.structs.find((each) => each.name === name.name);
    if (declared !== undefined)
      return {
        kind: 'struct',
        name: `${declared.union ? 'union' : 'struct'} ${declared.name}`,
        space: 'none',
      };
    if (enums.has(name.name)) return enumType(name.name);
    if (kernel === null) return unknown;
    const typedef = kernel.typeOf(name.name);
    if (typedef !== undefined) return typedef;
    return unknownType(suggest, name.name, Object.keys(integers));
  }

  function struct(name: string, path: string | null, pointedAt: boolean): Type | Words {
    const type: Type = { kind: 'struct', name, space: 'none' };
    if (layouts.of(name) !== undefined) return type;
    const userName = path === null ? undefined : layouts.nameIn(path, name);
    if (userName !== undefined) return { ...type, name: userName };
    // Nothing can be said of it without a kernel, but it can be pointed at.
    if (kernel === null) return pointedAt ? type : unknown;
    return unknownType(
      suggest,
      name,
      program.structs.map((each) => `${each.union ? 'union' : 'struct'} ${each.name}`),
    );
  }

  function enumType(name: string): Type | Words {
    const values = enums.get(name) ?? kernel?.enumValues(name);
    if (values === undefined) return kernel === null ? unknown : { message: `unknown enum '${name}'` };
    const signed = [...values.keys()].some((value) => value < 0n);
    return { ...integer(64, signed), enum: name };
  }

  function resolve(name: TypeName, path: string | null): Type | Words {
    const key = `${name.tag} ${name.name} ${name.pointers > 0} ${path}`;
    const found = bases.get(key) ?? base(name, path);
    bases.set(key, found);
    if ('message' in found) return found;
    let type: Type = found;
    for (let depth = 0; depth < name.pointers; depth++) type = { kind: 'pointer', to: type, space: 'none' };
    const lengths = [...name.array];
    if ((type.kind === 'string' || type.kind === 'buffer') && lengths.length > 0)
      type = { kind: type.kind, size: lengths.shift() ?? maxStrlen };
    for (const length of lengths.reverse()) type = { kind: 'array', of: type, length, space: 'none' };
    return type;
  }

  return {
    layouts,
    resolve,
    enumValues: (name) => enums.get(name) ?? kernel?.enumValues(name),
    enumerator(name) {
      const found = enumerators.get(name) ?? kernel?.enumerator(name);
      if (found === undefined) return undefined;
      const type = found.value < 0n ? int64 : uint64;
      return { value: found.value, type: found.enum === '' ? type : { ...type, enum: found.enum } };
    },
    open: kernel === null,
  };
}

function valuesOf({ members }: EnumDeclaration): Map<bigint, string> {
  const values = new Map<bigint, string>();
  for (const { name, value } of members) if (!values.has(value)) values.set(value, name);
  return values;
}

function unknownType(suggest: Suggest, name: string, known: readonly string[]): Words {
  const near = suggest(name, () => known);
  return {
    message: `unknown type '${name}'`,
    ...(near === undefined ? {} : { hint: `did you mean '${near}'?` }),
  };
}
