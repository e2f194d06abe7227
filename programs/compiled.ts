// What a compiled program is: an object to load, where to attach what, and what its records and maps mean. Made by programs/compile.ts; run by
// agent/program-session.ts; shown by cli/ in bpftrace's words; turned into shapes by programs/declare.ts.

import type { IrMap } from './ir.ts';
import type { Layouts } from './layout.ts';
import type { Span } from './source.ts';
import type { Type } from './types.ts';

/** A value in memory: where in the record's tail (its payload), or in a map's key (the hidden container included), and what it is: programs/layout.ts.
 *  A record ends where its text ends: bytes of the last field beyond the payload are zeros. */
export interface Field {
  offset: number;
  type: Type;
}

/** What the program asks of user space, in order, by records in the ring (struct program_record of bpf/program/program.bpf.h; `what` is the index in
 *  outputs, `probe` that in Compiled.probes of the first which shares the program). exit's code is 0 where there is no field. */
export type Output =
  | { kind: 'printf' | 'errorf' | 'warnf' | 'cat'; format: string; arguments: Field[]; span: Span }
  /** print(value); a non-map value. */
  | { kind: 'print'; value: Field }
  | { kind: 'printMap'; map: string; top: number | null; divisor: number | null }
  /** print(@x[key]): the value as it is now in the map; the record holds the key. */
  | { kind: 'printMapEntry'; map: string; key: Field }
  | { kind: 'clear' | 'zero'; map: string }
  | { kind: 'time'; format: string }
  /** An array of strings, as many of them as the payload has. */
  | { kind: 'join'; separator: string; arguments: Field }
  | { kind: 'exit' /** record holds an int32 */; code: Field | null }
  /** A helper failed where the program did not look (a map is full, delete of no key): shown as a warning once per place. */
  | { kind: 'helperError'; helper: string; error: Field; span: Span };

export interface CompiledMap {
  /** As in the source, with its @. */
  name: string;
  map: IrMap;
  /** null: a scalar map (its key is one zero u64). More than one: a tuple of keys. */
  key: Field[] | null;
  value: Type;
  /** The key begins with a u64 scope id that the source does not see: rows tell whose they are. Only maps that the program itself never reads. */
  byContainer: boolean;
  /** Declared so (`let @a = …`), or by use. */
  perCpu: boolean;
}

/** begin, end and self are raw tracepoint programs without a hook: native's run() starts them. interval, profile, software, hardware and watchpoint
 *  are perf_event programs. usdt, uprobe and kprobe say nothing in their section. */
export type ProbeAttach =
  | { kind: 'begin' | 'end' }
  | { kind: 'self'; signal: string }
  | { kind: 'interval'; everyNs: bigint }
  | { kind: 'profile'; frequencyHz: number }
  | { kind: 'profileEvery'; everyNs: bigint }
  | { kind: 'software' | 'hardware'; event: string; count: bigint }
  | { kind: 'tracepoint'; category: string; name: string }
  | { kind: 'rawTracepoint'; name: string }
  | { kind: 'iter'; name: string; pin: string | null }
  | { kind: 'kprobe'; function: string; offset: number; return: boolean }
  | { kind: 'fentry'; function: string; return: boolean }
  | { kind: 'uprobe'; path: string; functions: string[]; offset: number; return: boolean }
  | { kind: 'usdt'; path: string; provider: string; name: string }
  | { kind: 'watchpoint'; address: bigint; length: number; mode: string };

export interface CompiledProbe {
  /** The C name of its program in the object. Several attach points may share a program where their code is the same. */
  program: string;
  attach: ProbeAttach;
  /** What the builtin `probe` gives. */
  name: string;
}

export interface Compiled {
  /** A relocatable ELF object that native links with the runtime (dist/bpf/<arch>/program.bpf.o). Its `scope_all` is the scope id of everything where a
   *  job has no targets, else 0; `program_started` is to be set to CLOCK_BOOTTIME when all is attached; `stack_owners` says whose a user stack is. */
  object: Uint8Array;
  probes: CompiledProbe[];
  maps: CompiledMap[];
  outputs: Output[];
  /** Of the structs that are shown, and the names of enums' values. */
  layouts: Layouts;
  enums: ReadonlyMap<string, ReadonlyMap<bigint, string>>;
  /** User stacks or symbols are shown: mappings must be watched from the start. */
  needsMappings: boolean;
  /** `config`: what the run looks at. */
  config: {
    stackMode: 'bpftrace' | 'perf' | 'raw';
    printMapsOnExit: boolean;
    maxCatBytes: number;
    missingProbes: 'error' | 'warn' | 'ignore';
    strTruncTrailer: string;
  };
}
