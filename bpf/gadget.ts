// The contract of a gadget: bpf/gadgets/<name>/gadget.ts default-exports one of these beside program.bpf.c and gadget.test.ts.
// Read this first, then bpf/include/scope.bpf.h and the gadget nearest to yours. bpf/registry.ts finds the folder; nothing else needs an edit.

import type { z } from 'zod';
import type { AttachOptions } from '../native/api.ts';
import type {
  Column,
  EventsShape,
  HistogramShape,
  PacketsShape,
  StacksShape,
  TableShape,
} from '../results/shape.ts';

export type Area =
  | 'cpu'
  | 'memory'
  | 'disk'
  | 'files'
  | 'processes'
  | 'functions'
  | 'network'
  | 'packets'
  | 'security'
  | 'advice';

/** Whose cgroup the scope test looks at (bpf/include/scope.bpf.h has one test for each). */
export type Subject = 'current' | 'task' | 'sock' | 'netns' | 'bio';

export type Capability =
  | 'BPF'
  | 'PERFMON'
  | 'SYS_PTRACE'
  | 'NET_RAW'
  | 'NET_ADMIN'
  | 'CHECKPOINT_RESTORE'
  | 'SYS_ADMIN'
  | 'SYSLOG';

/** A program by its C name; without options its SEC() says where it goes. */
export interface ProgramUse {
  program: string;
  attach?: AttachOptions;
}

/** What must be attached together for one purpose, best way first: the agent takes the first whose hooks this kernel has. */
export type ProgramChoice = ProgramUse[][];

/** As BPF objects and the tables of names call a node's architecture. */
export type Arch = 'x86' | 'arm64';

export type KnobValue = number | bigint | boolean | string | bigint[];

/** A column and the member of the BTF-described key, value or record it comes from. Without `member`: the column's name in snake_case. */
export type From<C extends Column = Column> = C & {
  member?: string;
  /** The integer stands for a name: 'syscall' and 'errno' by the node's architecture, 'signal', or a table of the gadget's own. */
  names?: 'syscall' | 'errno' | 'signal' | Record<number, string>;
  /** A member of the record; where it is 0 this column is null (an errno where nothing failed). */
  when?: string;
  /** The member belongs to the completion record: null until that has come. */
  completion?: true;
};

/** The columns of `struct process` (bpf/include/events.bpf.h), for gadgets whose record or key has a member `process`. */
export const processColumns = [
  { name: 'process', member: 'process.name', type: 'text', description: "The process's name (comm)" },
  { name: 'pid', member: 'process.pid', type: 'integer', description: 'The process id, as the host sees it' },
  {
    name: 'containerPid',
    member: 'process.container_pid',
    type: 'integer',
    description: 'The process id, as its own container sees it',
  },
] as const satisfies readonly From[];

/** For stacks whose key tells the threads of a process apart (bpf/include/stacks.bpf.h). */
export const threadColumns = [
  { name: 'thread', type: 'integer', description: 'The thread id, as the host sees it' },
] as const satisfies readonly From[];

/** Where the rows come from, with the shape they make. The columns that say whose a row is (node, namespace, pod, container) are added by the
 *  agent from the standard member `container` (u64 scope id); all others are listed, `...processColumns` among them. An events shape's first
 *  column is `time`, from the header's CLOCK_MONOTONIC. */
export type Source =
  /** A ring of records (struct named by `record`, see bpf/include/events.bpf.h); `completion` see native/api.ts. */
  | { kind: 'ring'; record: string; completion?: string; shape: EventsShape & { columns: From[] } }
  /** A hash from a key struct to a struct of u64 values. `counts`: the value column that has one for each event. */
  | { kind: 'table'; map: string; counts: string; shape: TableShape & { keys: From[] } }
  /** A hash from a key struct to struct histogram {u64 buckets[N]; u64 total}. */
  | { kind: 'histogram'; map: string; shape: HistogramShape & { keys: From[] } }
  /** A hash from struct stack_key (bpf/include/stacks.bpf.h) to a struct of u64 weights. `counts` as above. */
  | {
      kind: 'stacks';
      map: string;
      counts: string;
      unended?: Unended;
      shape: StacksShape & { keys: From[] };
    }
  /** No program's: packet sockets in the network namespaces of the targets (agent/packets.ts). */
  | PacketSource;

export interface PacketSource {
  kind: 'packets';
  /** In tcpdump's language; empty: every packet. */
  filter: string;
  /** As tcpdump's -i: eth0, any. */
  device: string;
  snapLength: number;
  /** Only the last packets of a node, so many bytes of them; 0: all from the start on. */
  keepBytes: number;
  shape: PacketsShape & { columns: From[] };
}

/** What has begun and not ended when the job ends, counted until then: a hash to a struct of `time` (CLOCK_MONOTONIC; 0: nothing has begun) and `key`
 *  (struct stack_key). `duration`: the weight that gets the time since; `counts` gets 1. Times outside the limits are left out, ns. */
export interface Unended {
  map: string;
  duration: string;
  minimumNs: number;
  maximumNs: number;
}

/** ns of CPU that one run of a program takes, the way into it and back included, on average over a gadget's programs. outsideNs: the scope test fails
 *  and nothing more is done. Measured on x86-64, Linux 6.18 (BPF run-time statistics and the time added to a loop); the agent scales it by
 *  the machine's speed. */
export interface HitCost {
  outsideNs: number;
  insideNs: number;
}

export interface Gadget<P extends z.ZodObject = z.ZodObject> {
  /** Kebab-case, the folder's name; the CRD's member is its camelCase. */
  name: string;
  /** What the field calls it: BCC's, bpftrace's, Inspektor Gadget's names. */
  aliases: string[];
  area: Area;
  /** One sentence: the question it answers. */
  summary: string;
  /** What it costs, how it measures, what it can't see; a paragraph for the docs. */
  description: string;
  /** Every field has a description and a default; an empty object must be valid. */
  parameters: P;
  sees: 'pod' | 'node';
  subject: Subject;
  capabilities: Capability[];
  hitCost: HitCost;
  source(parameters: z.output<P>): Source;
  programs(parameters: z.output<P>): ProgramChoice[];
  /** Values of the object's `const volatile` variables, and of map sizes where they follow a parameter. */
  knobs(
    parameters: z.output<P>,
    /** The node's: numbers of system calls differ. */
    arch: Arch,
  ): {
    variables?: Record<string, KnobValue>;
    maxEntries?: Record<string, number>;
  };
}

/** Gives the parameters' type to the functions of the declaration. */
export function defineGadget<P extends z.ZodObject>(gadget: Gadget<P>): Gadget<P> {
  return gadget;
}
