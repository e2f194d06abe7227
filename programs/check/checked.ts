// What programs/check/check.ts gives: each concrete probe with the types of its expressions, each map with those of its keys and values.
// Neighbours: programs/lower/* reads nothing else of the source's meaning; programs/check/builtins.ts and functions.ts are the language's words.

import type { AttachPoint, Block, Expression, Probe, Statement } from '../ast.ts';
import type { ProbeAttach } from '../compiled.ts';
import type { Diagnostic } from '../source.ts';
import type { Layout, StackMode, Type } from '../types.ts';

export interface CheckOptions {
  /** pods: a namespaced job, which must learn nothing of others. node: ClusterTraceJob and `sonde run`. */
  tenancy: 'pods' | 'node';
  /** `sonde run -- command`: `cpid` has a value. */
  hasCommand: boolean;
  /** What the environment says over the config block, by the block's names (`max_strlen`). */
  settings?: ReadonlyMap<string, string>;
}

export interface Checked {
  /** In the order of the source. With an error among them, the rest is what could be understood, and is not to be lowered. */
  diagnostics: Diagnostic[];
  probes: CheckedProbe[];
  /** By the name in the source with its @. */
  maps: Map<string, CheckedMap>;
  /** Each struct that a type in `probes` or `maps` names, and those that they hold by value: for lowering, and for showing structs. */
  layouts: Map<string, Layout>;
  /** Names of values, by the enum's name: for each integer type with `enum`. */
  enums: Map<string, ReadonlyMap<bigint, string>>;
  config: Config;
}

/** What an expression is while compiling; bytes: of an address (pton). */
export type Constant = bigint | string | boolean | Uint8Array;

/** One program: a body whose types are the same for all the places it is attached to. */
export interface CheckedProbe {
  /** The action block; several probes may come from one. */
  source: Probe;
  provider: AttachPoint['provider'];
  /** Wildcards are expanded. More than one only where neither `probe` nor `func` is used and all types are equal. */
  attach: { attach: ProbeAttach /** What the builtin `probe` gives. */; name: string }[];
  context: ProbeContext;
  predicate: Expression | null;
  body: Block;
  /** Every expression that is to be lowered. Not: branches that a constant condition leaves out, names of modes (`perf` in `kstack(perf)`). */
  types: Map<Expression, Type>;
  /** Expressions whose value is known. A condition in it: only the branch taken has types. */
  constants: Map<Expression, Constant>;
  /** By each variable expression, `let` and `for`: names may mean different variables in different blocks. */
  variables: Map<Expression | Statement, CheckedVariable>;
}

/** A scratch variable after all its assignments: what is assigned is widened to its type. Compared by identity. */
export interface CheckedVariable {
  name: string;
  type: Type;
}

export interface ProbeContext {
  /**
   * What `args` is, as a struct by this layout's name. record: as it lies in the context (tracepoint, and iter's `ctx`). slots: parameters by BTF, one
   * u64 of the context each, offsets are 64 × index (fentry, fexit, rawtracepoint). registers: parameter i is argument register i (uprobe with DWARF).
   */
  args: { layout: Layout; from: 'record' | 'slots' | 'registers' } | null;
  /** `arg0` …: where from. usdt: as the ELF note describes each. */
  argN:
    | { from: 'registers'; count: number }
    | { from: 'slots'; types: Type[] }
    | { from: 'usdt'; arguments: string[] }
    | null;
  retval: Type | null;
  /** The registers of the interrupted code are in the context (`reg()`, `func` by address). */
  registers: boolean;
  /** Whose memory a pointer without a space is taken to be in. */
  space: 'kernel' | 'user';
  /** It runs on behalf of the task that `current` says; else on the tracer's (begin, end, interval, self). */
  task: boolean;
}

export type MapKind = 'hash' | 'lruHash' | 'percpuHash' | 'lruPercpuHash';

export interface CheckedMap {
  name: string;
  /** null: a scalar map. More than one key is a tuple. */
  key: Type | null;
  value: Type;
  entries: number;
  /** By `let @a = lruhash(10)`; null: the compiler chooses. */
  declared: MapKind | null;
  /** The program only aggregates into it, prints, clears or zeroes it: its key may have a hidden first part. */
  onlyAggregated: boolean;
}

export interface Config {
  license: string;
  stackMode: StackMode;
  maxCatBytes: number;
  maxMapKeys: number;
  maxProbes: number;
  maxBpfPrograms: number;
  maxStrlen: number;
  missingProbes: 'error' | 'warn' | 'ignore';
  printMapsOnExit: boolean;
  strTruncTrailer: string;
}
