// What the addon offers to the rest of Sonde: plain types, no code. native/index.ts loads the addon and exports it as this.
// The addon knows neither gadgets nor Kubernetes: it opens objects, loads programs, reads maps, drains rings, resolves symbols.

import type { ElfSymbol, KernelTypes, UsdtNote } from './lookups.ts';

export type {
  ElfSymbol,
  KernelLayout,
  KernelPrototype,
  KernelType,
  KernelTypes,
  UsdtNote,
} from './lookups.ts';

/** Why a native call failed. `NotSupported`: this kernel or machine can't; tests skip on it and alternatives are tried after it. */
export type NativeErrorCode =
  | 'NotSupported'
  | 'PermissionDenied'
  | 'VerifierRejected'
  | 'NotFound'
  | 'InvalidObject'
  | 'InvalidArgument'
  | 'Exhausted'
  | 'Closed'
  | 'SystemError';

/** Every error that the addon throws has this form (class NativeError in native/errors.ts). */
export interface NativeFailure {
  code: NativeErrorCode;
  /** One line: what was tried and why it failed. */
  message: string;
  /** The errno's name ("EPERM") where the kernel refused. */
  errno?: string;
  /** libbpf's and the verifier's full words, for `--verbose` and for the last line of the user's own source. */
  log?: string;
}

export interface ProgramInfo {
  name: string;
  /** The ELF section, e.g. "tp_btf/sched_switch". */
  section: string;
}

export interface MapInfo {
  name: string;
  type: string;
  keySize: number;
  valueSize: number;
  maxEntries: number;
}

/** How to attach one program; most programs say all of it in their section name, then `{ kind: 'auto' }` does. */
export type AttachOptions =
  | { kind: 'auto' }
  | { kind: 'tracepoint'; category: string; name: string }
  | { kind: 'rawTracepoint'; name: string }
  | { kind: 'kprobe'; function: string; return: boolean }
  /** One software or hardware clock for the whole machine: one event per CPU. */
  | {
      kind: 'perfEvent';
      event: 'cpuClock' | 'taskClock';
      frequencyHz: number;
      cgroupPath?: string;
      pid?: number;
    }
  /** One link for all offsets (`0x…`, in the file) or functions where the kernel has uprobe multi-attach; else one each. pid: only that process. */
  | { kind: 'uprobe'; binary: string; functions: string[]; return: boolean; pid?: number }
  | { kind: 'usdt'; binary: string; provider: string; probe: string; pid?: number };

/** What users' programs need besides; gadgets' plans have none of it. */
export type FurtherAttachOptions =
  /** offset: bytes into the function. */
  | { kind: 'kprobe'; function: string; return: false; offset: number }
  /** One link for all functions; the program was told so before it was loaded (attachMany). */
  | { kind: 'kprobes'; functions: string[]; return: boolean }
  /** One run for so many events (of clocks: ns), for the whole machine; oneCpu: on the first CPU alone. */
  | { kind: 'perfEvent'; event: PerfEvent; period: number; oneCpu?: boolean; pid?: number }
  /** mode: of r, w and x. pid: an address of that process; else one of the kernel's. */
  | { kind: 'watchpoint'; address: bigint; length: number; mode: string; pid?: number }
  /** offset: bytes into each function. */
  | { kind: 'uprobe'; binary: string; functions: string[]; return: false; offset: number; pid?: number };

export type PerfEvent =
  | 'cpuClock'
  | 'taskClock'
  | 'pageFaults'
  | 'contextSwitches'
  | 'cpuMigrations'
  | 'minorFaults'
  | 'majorFaults'
  | 'alignmentFaults'
  | 'emulationFaults'
  | 'dummy'
  | 'bpfOutput'
  | 'cpuCycles'
  | 'instructions'
  | 'cacheReferences'
  | 'cacheMisses'
  | 'branchInstructions'
  | 'branchMisses'
  | 'busCycles'
  | 'frontendStalls'
  | 'backendStalls'
  | 'refCycles';

export interface Link {
  /** Detaches; closing twice is harmless. */
  close(): void;
}

/** A BTF-described key or value: integers up to 32 bits as number, wider as bigint, char arrays as string, structs as objects. */
export type BtfValue =
  | number
  | bigint
  | boolean
  | string
  | Uint8Array
  | BtfValue[]
  | { [member: string]: BtfValue };

export interface BpfMap {
  readonly name: string;
  /** Decoded by BTF; per-CPU maps give the sum over CPUs of every integer (of every element in arrays and structs).
   *  Batched where the kernel has batch operations. With `drain`, the entries read are deleted by the same call. */
  entries(options?: { drain?: boolean }): { key: BtfValue; value: BtfValue }[];
  /** The same entries without decoding: keys and values end to end; for hot paths and many rows. Per-CPU values are summed as u64 words;
   *  with `perCpu` each entry has the value of every possible CPU instead, in order, each padded to 8 bytes. */
  bytes(options?: { drain?: boolean; perCpu?: boolean }): {
    count: number;
    keys: Uint8Array;
    values: Uint8Array;
  };
  get(key: BtfValue): BtfValue | undefined;
  /** Encodes by BTF. For per-CPU maps the value is written to all CPUs' slots. */
  set(key: BtfValue, value: BtfValue): void;
  delete(key: BtfValue): boolean;
}

export interface BpfObject {
  readonly programs: ProgramInfo[];
  readonly maps: MapInfo[];
  /** Sets a `const volatile` variable (before load) or a global in .bss/.data (any time; mapped memory, no system call). Checked by BTF: throws NotFound, InvalidArgument. */
  setVariable(name: string, value: BtfValue): void;
  getVariable(name: string): BtfValue;
  setMaxEntries(map: string, entries: number): void;
  /** Programs are not loaded unless switched on here: alternatives stay out of the kernel. */
  setAutoload(program: string, on: boolean): void;
  load(): void;
  attach(program: string, options?: AttachOptions | FurtherAttachOptions): Link;
  /** Runs a raw tracepoint's program once, here and now, without a hook; context: its arguments, at most 12. Gives what it returns.
   *  Throws NotSupported before Linux 5.10. */
  run(program: string, context?: BigUint64Array): number;
  /** Runs an iterator's program over all that it iterates. */
  iterate(program: string): void;
  /** Before load: a kprobe's program will be attached to many functions by one link. */
  attachMany(program: string): void;
  map(name: string): BpfMap;
  /** Bytes of kernel memory held by its maps and programs (fdinfo memlock). */
  memory(): number;
  /** Detaches everything and frees every file descriptor. Also on garbage collection. */
  close(): void;
}

/** A column of a batch of ring records, as the record's BTF says. */
export type BatchColumn =
  | {
      kind: 'unsigned' | 'signed';
      values:
        | BigUint64Array
        | BigInt64Array
        | Uint32Array
        | Int32Array
        | Uint16Array
        | Int16Array
        | Uint8Array
        | Int8Array;
    }
  /** Text of row i is bytes[offsets[i]..offsets[i+1]); not yet validated as UTF-8. From `char[]` members and `struct text` members. */
  | { kind: 'text'; offsets: Uint32Array; bytes: Uint8Array }
  /** Byte arrays of fixed width, such as addresses. */
  | { kind: 'bytes'; width: number; bytes: Uint8Array };

/** Rows in time order: the record's u64 member `time` is the key. */
export interface Batch {
  rows: number;
  columns: Record<string, BatchColumn>;
  /** Records of earlier batches may not be older than this one's, except those counted here (they sort before the last batch's end). */
  late: number;
}

export interface RingReaderOptions {
  ring: string;
  /** The BTF name of the record's struct. Members of nested structs become columns "outer_inner"; `struct text {u16 offset, length}` is text in the record's tail. */
  record: string;
  /** A second struct that completes an earlier record with the same `id` member (u64), e.g. an exit completing an exec. Rows are
   *  given out when complete, or at stop; members of the second struct are columns too, and `completed` (u8) says whether they are there.
   *  A record is told from its completion by the header's `kind` member: 0 and 1. */
  completion?: string;
  /** Called on the main thread with whole batches only; at most every flushMs, or at maxRows. */
  onBatch: (batch: Batch) => void;
  onError: (error: Error) => void;
  maxRows?: number;
  flushMs?: number;
}

export interface RingReader {
  /** Records taken from the ring so far, and the bytes that lie in it undrained now. Costs no system call. */
  counters(): { records: number; bytes: number; pending: number; cpuNanoseconds: number };
  /** Drains what is there, gives the last batches out, ends the thread. */
  stop(): Promise<void>;
}

/** How one column is written to JSON lines. */
/** One packet socket, on an interface of a network namespace. */
export interface PacketSource {
  /** The namespace's file, /proc/PID/ns/net, and its inode: the process may have gone elsewhere. */
  netns: string;
  inode: bigint;
  /** As tcpdump -i has it: eth0, lo, any. */
  device: string;
  filter: string;
  /** Bytes of each packet, its link header among them. */
  snapLength: number;
  /** Of the ring between the kernel and the thread. */
  bufferBytes: number;
  /** Stands in every row of it. */
  container: bigint;
}

export interface PacketReaderOptions {
  /** In time order over all sources. Columns: time (CLOCK_REALTIME, ns), container, original_bytes, link_type (LINKTYPE_ of pcap), device, packet. */
  onBatch: (batch: Batch) => void;
  /** A source's interface went away, with libpcap's words. */
  onGone: (container: bigint, why: string) => void;
  onError: (error: Error) => void;
  maxRows?: number;
  flushMs?: number;
  /** Only the last packets, as many as have so many bytes, and only at stop. 0: all, as they come. */
  keepBytes?: number;
}

export interface PacketReader {
  /** Opens a source: everything from here on that passes the filter is captured. Gives its link type. Throws NotFound (namespace, interface),
   *  InvalidArgument (filter), PermissionDenied (entering a namespace takes CAP_SYS_ADMIN). */
  add(source: PacketSource): number;
  /** Closes the source with this container, when what is on its way was read. */
  remove(container: bigint): void;
  /** Packets that the rings had no room for, by container. */
  dropped(): Map<bigint, bigint>;
  /** Reads what came until now, gives it out, closes every source; about a quarter of a second. */
  stop(): Promise<void>;
}

export type JsonField =
  /** list: a text column's parts, separated by NUL, as an array of strings. */
  | { name: string; column: string; as: 'integer' | 'text' | 'list' | 'ipAddress' | 'boolean' }
  /** The bytes of a text column, whatever they are. */
  | { name: string; column: string; as: 'base64' }
  /** RFC 3339 UTC with nanoseconds. `offset` is added to the column's u64 to make it ns since the Unix epoch (realtime - monotonic). */
  | { name: string; column: string; as: 'time'; offset: bigint }
  /** The column's integer picks a ready-made JSON value; `otherwise` for those not in the table (omitted when absent). */
  | { name: string; column: string; as: 'lookup'; values: Map<bigint, string>; otherwise?: 'integer' }
  /** The column's integer picks a ready-made JSON fragment of several members (`"pod":"a","container":"b"`), e.g. whose row it is. */
  | { column: string; as: 'members'; values: Map<bigint, string> }
  /** Written only when that other column is not 0 (a completion that has not come). */
  | { when: string; field: JsonField };

/** A process's address space as of a moment; see Mappings. */
export interface Frame {
  /** Demangled; "[unknown]" never: an address without a symbol has `module+0xoffset`, and without a module its address in hex. */
  name: string;
  kind: 'user' | 'kernel' | 'jit' | 'inlined';
  module?: string;
  file?: string;
  line?: number;
  /** Bytes into the function of the address that was looked up; of what was inlined there is none. Where openSymbolizer was asked for it. */
  offset?: number;
}

/** Remembers who mapped what when, from perf's side-band records (mmap2, fork, exec, exit), so that addresses can be resolved after a
 *  process has gone. Files are held open from the moment they are mapped. Started before the first sample. */
export interface Mappings {
  /** Reads /proc/PID/maps of a process that was there before, on the watch's own thread; `user` waits for it. Processes that fork
   *  or map something are read without being asked for. Throws NotFound. */
  addProcess(pid: number): void;
  /** Side-band records read and lost; files held open (at most 1,024); address spaces remembered, and the bytes of those that have
   *  ended (at most 16 MiB and an hour, oldest forgotten first); CPU time of the watch's thread. Costs no system call. */
  counters(): {
    records: number;
    lost: number;
    files: number;
    spaces: number;
    endedBytes: number;
    cpuNanoseconds: number;
  };
  /** Lets go of all files, events and the thread; symbolizers that use it reject with Closed from then on. */
  close(): void;
}

export interface Symbolizer {
  /** Names by /proc/kallsyms, for one stack as `user` takes it. The first call reads kallsyms (about 50 ms). Throws NotSupported where the kernel hides its addresses. */
  kernel(addresses: BigUint64Array): Frame[][];
  /** Each address gives one frame, or several where functions were inlined (innermost first). `time`: CLOCK_MONOTONIC ns at which the stack was seen;
   *  it picks the right process and exec where a pid was used twice. The addresses are one stack as the kernel gives it, innermost
   *  first: from the second on they are return addresses, and the call before them is looked up. An address that is itself where
   *  something happened goes in a call of its own. In "module+0xoffset" the offset is the file's. Runs on a worker thread.
   *  Rejects with Closed when the mappings are closed. */
  user(pid: number, time: bigint, addresses: BigUint64Array): Promise<Frame[][]>;
  close(): void;
}

export interface SpawnedCommand {
  pid: number;
  /** Resolves when it has ended. */
  exited: Promise<{ code: number | null; signal: string | null }>;
}

export interface Native {
  /** Parses an object file; touches no kernel interface, needs no privilege. */
  openObject(path: string): BpfObject;
  /** Joins object files (paths or bytes) with libbpf's linker and opens the result. What the parts declare extern must be in an
   *  earlier one. Throws as openObject does; InvalidObject has the linker's words. */
  openLinked(parts: (string | Uint8Array)[]): BpfObject;
  /** Throws NotSupported where the kernel has no BTF, NotFound for a module that is not loaded. */
  openKernelTypes(module?: string): KernelTypes;
  /** Functions and objects of an ELF file by its symbol tables, each name once; at most a million. name: only that one. */
  elfSymbols(path: string, name?: string): ElfSymbol[];
  usdtNotes(path: string): UsdtNote[];
  readRing(object: BpfObject, options: RingReaderOptions): RingReader;
  /** Starts a thread that reads packet sockets, none at first. Throws NotSupported where there is no libpcap. */
  readPackets(options: PacketReaderOptions): PacketReader;
  /** Compiles a filter of tcpdump's language for a link type, for its errors alone. Throws InvalidArgument with libpcap's words. */
  checkPacketFilter(filter: string, linkType: number, snapLength: number): void;
  /** JSON lines of a batch, in row order, on a worker thread. Text that is not UTF-8 has each bad byte as U+FFFD and the member `<name>_bytes` beside it (base64). */
  encodeJsonLines(batch: Batch, fields: JsonField[]): Promise<Uint8Array>;
  openMappings(): Mappings;
  openSymbolizer(mappings?: Mappings, options?: { offsets?: boolean }): Symbolizer;
  /** Starts a command directly inside a cgroup2 group (clone3 with CLONE_INTO_CGROUP), with this process's stdin, stdout and stderr. */
  spawnInCgroup(cgroupPath: string, argv: string[], env: Record<string, string>, cwd: string): SpawnedCommand;
  /** CLOCK_MONOTONIC and CLOCK_REALTIME read together, ns. */
  clocks(): { monotonic: bigint; realtime: bigint };
  /** This process's CPU time over all threads, ns. */
  cpuTime(): bigint;
  /** ns that one lookup in a hash takes in a BPF program on this machine, measured once (about a millisecond); 0 where it can't be measured. */
  lookupTime(): number;
  /** Begins, on a thread, what the first object needs of the kernel: its types are read and its features probed. Who asks for them meanwhile waits for
   *  what is left of it. For a process that has something else to do first; the types stay in memory (10 MB) until an object is loaded. */
  warmUp(): void;
  /** What this kernel has; each probed once, nothing left loaded. */
  features(): {
    btf: boolean;
    fentry: boolean;
    kprobe: boolean;
    rawTracepointBtf: boolean;
    ringBuffer: boolean;
    uprobeMulti: boolean;
    cgroupStorage: boolean;
    taskPtRegs: boolean;
    arch: string;
  };
  /** null: this kernel has the hook that an ELF section name asks for ("tp_btf/sched_switch", "fentry/vfs_open", "tracepoint/sock/…"). Else why not, in words. */
  supports(section: string): string | null;
  /** Programs, maps and links that this process holds now, for leak tests. */
  held(): { programs: number; maps: number; links: number; fds: number };
}
