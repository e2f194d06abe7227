// The types of the language. programs/check/* gives one to every expression; programs/lower/* lays them out in memory; results are declared by them.

/** Where a pointer's bytes are read from. */
export type Space = 'kernel' | 'user' | 'none';

export type StackMode = 'bpftrace' | 'perf' | 'raw';

export type Type =
  | { kind: 'none' }
  /** Only while checking: not known (yet, or for want of a kernel). Fits anything, and nothing is said of it. */
  | { kind: 'unknown' }
  | {
      kind: 'integer';
      bits: 8 | 16 | 32 | 64;
      signed: boolean /** Printed by its enumerator's name. */;
      enum?: string;
    }
  | { kind: 'boolean' }
  /** size: of its room, with the NUL. */
  | { kind: 'string'; size: number }
  | { kind: 'buffer'; size: number }
  /** To a struct by name (its layout is looked up when it is followed), an integer, another pointer; `none`: void *. */
  | { kind: 'pointer'; to: Type; space: Space }
  | { kind: 'struct'; name: string; space: Space }
  | { kind: 'array'; of: Type; length: number; space: Space }
  | { kind: 'tuple'; elements: Type[] }
  | { kind: 'record'; members: { name: string; type: Type }[] }
  /** An id into the object's `stacks` (bpf/include/stacks.bpf.h); 0: none. */
  | { kind: 'stack'; space: 'kernel' | 'user'; mode: StackMode; limit: number }
  /** An address that is named when it is shown. user: with the process it belongs to. */
  | { kind: 'symbol'; space: 'kernel' | 'user' }
  | { kind: 'ipAddress' }
  | { kind: 'macAddress' }
  | { kind: 'cgroupPath' }
  | { kind: 'username' }
  /** ns, shown by strftime's format. */
  | { kind: 'timestamp'; format: string; clock: 'boot' | 'monotonic' | 'tai' | 'swTai' }
  | Aggregate;

/** What a map holds when it is assigned by one of these calls. */
export type Aggregate =
  | { kind: 'count' }
  | { kind: 'sum' | 'min' | 'max' | 'avg' | 'stats'; signed: boolean }
  /** Buckets within each power of two: 2^bits. */
  | { kind: 'hist'; bits: number }
  | { kind: 'lhist'; min: bigint; max: bigint; step: bigint }
  | {
      kind: 'tseries';
      intervalNs: bigint;
      intervals: number;
      fold: 'none' | 'avg' | 'max' | 'min' | 'sum';
      signed: boolean;
    };

export function isAggregate(type: Type): type is Aggregate {
  return ['count', 'sum', 'min', 'max', 'avg', 'stats', 'hist', 'lhist', 'tseries'].includes(type.kind);
}

/** A struct's layout, from BTF, a tracepoint's format, or the program's own declaration. Offsets in bits for bit fields' sake. */
export interface Layout {
  name: string;
  /** Bytes. */
  size: number;
  members: {
    name: string;
    type: Type;
    offsetBits: number /** Of a bit field. */;
    bits?: number /** `__data_loc char[]` */;
    dataLoc?: true;
  }[];
}
