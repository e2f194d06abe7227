// What the compiler asks of the node it compiles for. programs/ is pure: agent/program-kernel.ts answers from BTF, tracefs and ELF files,
// tests answer from tables, and the operator, which has no such kernel, gives none.

import type { Layout, Type } from './types.ts';

export interface FunctionPrototype {
  name: string;
  parameters: { name: string; type: Type }[];
  returns: Type;
}

export interface Tracepoint {
  category: string;
  name: string;
  /** Its record from tracefs' format, the common fields first. */
  layout: Layout;
}

export interface UsdtProbe {
  provider: string;
  name: string;
  /** Arguments as in the ELF note: size (negative: signed) and how to read it, e.g. "8@%rdi". */
  arguments: string[];
}

/** Globs are those of the language: `*` and `?` and `[…]`. Lists are in the kernel's (the file's) order. */
export interface Kernel {
  arch: 'x86' | 'arm64';
  release: string;
  cpus: number;
  /** `struct x`, `union x`; typedefs by their own name. */
  layout(name: string): Layout | undefined;
  /** A typedef or base type by name (`pid_t`, `uint64_t`). */
  typeOf(name: string): Type | undefined;
  enumerator(name: string): { value: bigint; enum: string } | undefined;
  /** The names of an enum's values, for printing. */
  enumValues(name: string): ReadonlyMap<bigint, string> | undefined;
  /** A kernel function by BTF; the module it is in with it, where asked for by `module:function`. */
  kernelFunction(name: string): FunctionPrototype | undefined;
  kernelFunctions(glob: string): string[];
  rawTracepoint(name: string): FunctionPrototype | undefined;
  rawTracepoints(glob: string): string[];
  tracepoints(category: string, name: string): Tracepoint[];
  /** Iterators (`task`, `task_file`): the context's members. */
  iterator(name: string): Layout | undefined;
  iterators(glob: string): string[];
  symbolAddress(name: string): bigint | undefined;
  /** Functions of a user binary. `path` as in the script; the node resolves it inside the containers of the scope. */
  userFunctions(path: string, glob: string): string[];
  userFunction(path: string, name: string): FunctionPrototype | undefined;
  /** `struct x` by the binary's DWARF. */
  userLayout(path: string, name: string): Layout | undefined;
  userSymbolAddress(path: string, name: string): { address: bigint; size: number } | undefined;
  usdt(path: string, provider: string, name: string): UsdtProbe[];
  cgroupId(path: string): bigint | undefined;
  /** null: this kernel has the hook; else why not. The same as native's supports(). */
  supports(section: string): string | null;
}
