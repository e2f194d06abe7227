// What a word of the language is: the shape of the tables builtins.ts and functions.ts, from which programs/check/* judges calls and
// programs/programs-page.ts writes docs/programs.md.

import type { AttachPoint } from '../ast.ts';

export type Provider = AttachPoint['provider'];

/** sync: in the kernel, at once. async: later, by user space. compileTime: while compiling. */
export type Invocation = 'sync' | 'async' | 'compileTime';

export interface Word {
  name: string;
  /** A sentence. */
  description: string;
  invocation: Invocation;
  /** The providers it works in; absent: all. */
  providers?: readonly Provider[];
  /** Who may use it: pods: anyone. node: only ClusterTraceJob and `sonde run`, for the reason in `nodeReason`. */
  tenancy: 'pods' | 'node';
  nodeReason?: string;
  /** What it does otherwise than in bpftrace. */
  difference?: string;
  /** Never to be had in Sonde: the reason. */
  refused?: string;
}

/** A name without arguments: `pid`; `pid()` is the same. */
export interface Builtin extends Word {
  /** As documented: `uint32`, or a word for what depends on the probe. */
  type: string;
}

/** What stands in a parameter's place. key: of the map before it. variable: `$x`, that is written. word: a bare name (`perf`, `boot`). */
export type Accepts =
  | 'integer'
  | 'boolean'
  | 'string'
  | 'text' /** A string, an array of characters, or a pointer to them. */
  | 'pointer'
  | 'address' /** An integer or a pointer. */
  | 'bytes' /** A pointer, an array, a string or a buffer: something with an address or a size. */
  | 'map'
  | 'key'
  | 'variable'
  | 'stack'
  | 'format'
  | 'word'
  | 'any';

export interface Parameter {
  name: string;
  accepts: Accepts;
  /** As it is documented, where `accepts` is not precise enough. */
  type?: string;
  optional?: true;
  /** Must be known while compiling. */
  literal?: true;
  /** Any number of them, at the end. */
  rest?: true;
  /** The bare names allowed. */
  words?: readonly string[];
}

/** Called with arguments. One signature fits by number and kind of arguments. */
export interface Fn extends Word {
  signatures: readonly { parameters: readonly Parameter[]; returns: string }[];
  /** Only right of `@x =`. */
  aggregate?: true;
}

/** Providers whose probe runs for the task that is current, at a place of that task's own doing. */
export const kprobes = ['kprobe', 'kretprobe'] as const;
export const uprobes = ['uprobe', 'uretprobe'] as const;
