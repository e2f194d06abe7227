// What programs/ asks of the node it compiles for, answered from BTF, tracefs, kallsyms and ELF files. Neighbours: programs/kernel.ts (the
// questions), native (KernelTypes), agent/tracepoint-format.ts, agent/program-paths.ts.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import type { KernelPrototype, KernelType, KernelTypes, Native } from '../native/api.ts';
import { NativeError } from '../native/errors.ts';
import type { FunctionPrototype, Kernel, Tracepoint, UsdtProbe } from '../programs/kernel.ts';
import type { Layout, Type } from '../programs/types.ts';
import { globTest, isPlain } from './globs.ts';
import { kernelSymbols } from './kernel-symbols.ts';
import { nameTable } from './names.ts';
import { arch } from './objects.ts';
import { filesOf, type PathContext } from './program-paths.ts';
import { readFormat } from './tracepoint-format.ts';

export interface ProgramKernel extends Kernel {
  /** Lets the kernel's types go: 10 MB. */
  close(): void;
}

export function programKernel(native: Native, paths: PathContext): ProgramKernel {
  let opened: KernelTypes | null | undefined;
  /** null: this kernel has no BTF. */
  const types = (): KernelTypes | null => {
    if (opened === undefined) opened = orNull(() => native.openKernelTypes());
    return opened;
  };
  const symbols = kernelSymbols();
  const events = tracefs();

  return {
    arch: arch === 'arm64' ? 'arm64' : 'x86',
    release: release(),
    cpus: possibleCpus(),
    layout: (name) => layoutOf(types(), name),
    typeOf(name) {
      const type = types()?.named(name);
      return type === undefined ? undefined : typeFrom(type);
    },
    enumerator: (name) => types()?.enumerator(name),
    enumValues(name) {
      // Not an enum of the kernel's, but numbers with names all the same.
      if (name === 'syscall') return nameTable('syscall', arch);
      const values = types()?.enumerators(name);
      return values && new Map(values.map((each) => [each.value, each.name]));
    },
    kernelFunction(name) {
      const [module, own] = splitModule(name);
      return withModule(native, module, types(), (from) => prototypeOf(name, from.function(own)));
    },
    kernelFunctions: (glob) => kernelFunctions(glob, types(), symbols, events),
    rawTracepoint: (name) => prototypeOf(name, types()?.tracepoint(name)),
    rawTracepoints: (glob) => types()?.tracepoints().filter(globTest(glob)) ?? [],
    tracepoints: (category, name) => (events === undefined ? [] : tracepoints(events, category, name)),
    iterator: (name) => layoutOf(types(), `struct bpf_iter__${name}`),
    iterators(glob) {
      const test = globTest(glob);
      const names =
        types()
          ?.functions()
          .flatMap((name) => iteratorName(name) ?? []) ?? [];
      return names.filter((name) => test(name) && types()?.layout(`struct bpf_iter__${name}`) !== undefined);
    },
    symbolAddress: (name) => symbols.address(name),
    userFunctions(path, glob) {
      const test = globTest(glob);
      const names = filesOf(path, paths).flatMap((file) =>
        (orNull(() => native.elfSymbols(file, isPlain(glob) ? glob : undefined)) ?? []).flatMap((symbol) =>
          symbol.function && test(symbol.name) ? [symbol.name] : [],
        ),
      );
      return [...new Set(names)];
    },
    // Neither arguments nor structs of user programs are read from DWARF.
    userFunction: () => undefined,
    userLayout: () => undefined,
    userSymbolAddress(path, name) {
      const [file] = filesOf(path, paths);
      const [symbol] = (file === undefined ? null : orNull(() => native.elfSymbols(file, name))) ?? [];
      return symbol && { address: symbol.address, size: symbol.size };
    },
    usdt: (path, provider, name) =>
      filesOf(path, paths).flatMap((file) => usdt(native, file, provider, name)),
    cgroupId: (path) => statSync(path, { bigint: true, throwIfNoEntry: false })?.ino,
    supports: (section) => native.supports(section),
    close() {
      opened?.close();
      opened = null;
    },
  };
}

/** null for what is not there, or is no ELF file. */
function orNull<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch (error) {
    if (error instanceof NativeError) return null;
    throw error;
  }
}

function splitModule(name: string): [module: string | undefined, own: string] {
  const at = name.indexOf(':');
  return at < 0 ? [undefined, name] : [name.slice(0, at), name.slice(at + 1)];
}

function withModule<T>(
  native: Native,
  module: string | undefined,
  kernel: KernelTypes | null,
  ask: (types: KernelTypes) => T | undefined,
): T | undefined {
  if (kernel === null) return undefined;
  if (module === undefined || module === 'vmlinux') return ask(kernel);
  const types = orNull(() => native.openKernelTypes(module));
  try {
    return types === null ? undefined : ask(types);
  } finally {
    types?.close();
  }
}

function layoutOf(types: KernelTypes | null, name: string): Layout | undefined {
  const found = types?.layout(name);
  if (found === undefined) return undefined;
  return {
    name: found.name,
    size: found.size,
    members: found.members.map(({ name: member, type, offset, bits }) => ({
      name: member,
      type: typeFrom(type),
      offsetBits: offset,
      ...(bits === undefined ? {} : { bits }),
    })),
  };
}

function prototypeOf(name: string, found: KernelPrototype | undefined): FunctionPrototype | undefined {
  if (found === undefined) return undefined;
  const parameters = found.parameters.map((each) => ({ name: each.name, type: typeFrom(each.type) }));
  return { name, parameters, returns: typeFrom(found.returns) };
}

/** Where its bytes are read from depends on the probe: the checker says it. */
export function typeFrom(type: KernelType): Type {
  switch (type.kind) {
    case 'boolean':
      return { kind: 'boolean' };
    case 'integer':
      return integerFrom(type);
    case 'pointer':
      return { kind: 'pointer', to: typeFrom(type.to), space: 'none' };
    case 'struct':
      return { kind: 'struct', name: type.name, space: 'none' };
    case 'array':
      if (type.of.kind === 'integer' && type.of.character) return { kind: 'string', size: type.length };
      return { kind: 'array', of: typeFrom(type.of), length: type.length, space: 'none' };
    default:
      return { kind: 'none' };
  }
}

function integerFrom(type: KernelType & { kind: 'integer' }): Type {
  const { bits, signed } = type;
  if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) return { kind: 'none' };
  return { kind: 'integer', bits, signed, ...(type.enum === undefined ? {} : { enum: type.enum }) };
}

function kernelFunctions(
  glob: string,
  types: KernelTypes | null,
  symbols: ReturnType<typeof kernelSymbols>,
  events: string | undefined,
): string[] {
  const [module, own] = splitModule(glob);
  if (module === undefined && isPlain(own)) {
    const known = types?.function(own) !== undefined || symbols.isFunction(own);
    return known ? [own] : [];
  }
  const test = globTest(own);
  const inModule = module === undefined ? undefined : globTest(module);
  const traceable = events === undefined ? undefined : traceableFunctions(events);
  if (traceable === undefined) return inModule === undefined ? (types?.functions().filter(test) ?? []) : [];
  return traceable.flatMap(([name, of]) => {
    if (!test(name)) return [];
    if (inModule === undefined) return [name];
    return inModule(of) ? [`${of}:${name}`] : [];
  });
}

/** What ftrace may hook, with the module it is in; undefined where the kernel does not say. */
function traceableFunctions(events: string): [name: string, module: string][] | undefined {
  let text: string;
  try {
    text = readFileSync(join(events, '../available_filter_functions'), 'utf8');
  } catch {
    return undefined;
  }
  return text.split('\n').flatMap((line): [string, string][] => {
    const [name = '', module] = line.split(/[ \t]+/);
    return name === '' ? [] : [[name, module?.replace(/[[\]]/g, '') ?? 'vmlinux']];
  });
}

function iteratorName(functionName: string): string | undefined {
  return functionName.startsWith('bpf_iter_') ? functionName.slice('bpf_iter_'.length) : undefined;
}

function tracefs(): string | undefined {
  return ['/sys/kernel/tracing/events', '/sys/kernel/debug/tracing/events'].find(
    (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
  );
}

function tracepoints(events: string, category: string, name: string): Tracepoint[] {
  const safe = (glob: string): boolean => glob !== '' && !glob.includes('/') && !glob.startsWith('.');
  if (!safe(category) || !safe(name)) return [];
  return namesIn(events, category).flatMap((group) =>
    namesIn(join(events, group), name).flatMap((event) => {
      try {
        const text = readFileSync(join(events, group, event, 'format'), 'utf8');
        return [{ category: group, name: event, layout: readFormat(group, event, text) }];
      } catch {
        // A file of the folder, or an event that has gone.
        return [];
      }
    }),
  );
}

function namesIn(folder: string, glob: string): string[] {
  if (isPlain(glob)) return [glob];
  try {
    return readdirSync(folder).sort().filter(globTest(glob));
  } catch {
    return [];
  }
}

/** Each probe once, however many places in the code it has. */
function usdt(native: Native, file: string, provider: string, name: string): UsdtProbe[] {
  const [ofProvider, ofName] = [globTest(provider), globTest(name)];
  const found = new Map<string, UsdtProbe>();
  for (const note of orNull(() => native.usdtNotes(file)) ?? []) {
    if (!ofProvider(note.provider) || !ofName(note.name)) continue;
    const key = `${note.provider}:${note.name}`;
    const list = note.arguments.split(' ').filter((each) => each !== '');
    if (!found.has(key)) found.set(key, { provider: note.provider, name: note.name, arguments: list });
  }
  return [...found.values()];
}

/** As the kernel numbers them: 0 to the last that there may be. */
function possibleCpus(): number {
  const text = readFileSync('/sys/devices/system/cpu/possible', 'utf8').trim();
  return Number(text.split(/[-,]/).at(-1) ?? 0) + 1;
}
