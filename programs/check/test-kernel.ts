// A kernel made of tables, for tests of the checker and of what comes after it. Neighbours: programs/kernel.ts, check.test.ts.

import type { FunctionPrototype, Kernel, Tracepoint } from '../kernel.ts';
import type { Layout, Type } from '../types.ts';

export const u8: Type = { kind: 'integer', bits: 8, signed: false };
export const i8: Type = { kind: 'integer', bits: 8, signed: true };
export const u16: Type = { kind: 'integer', bits: 16, signed: false };
export const i32: Type = { kind: 'integer', bits: 32, signed: true };
export const u32: Type = { kind: 'integer', bits: 32, signed: false };
export const i64: Type = { kind: 'integer', bits: 64, signed: true };
export const u64: Type = { kind: 'integer', bits: 64, signed: false };

export function pointer(to: Type, space: 'kernel' | 'user' | 'none' = 'none'): Type {
  return { kind: 'pointer', to, space };
}

export function array(of: Type, length: number): Type {
  return { kind: 'array', of, length, space: 'none' };
}

export function struct(name: string): Type {
  return { kind: 'struct', name: `struct ${name}`, space: 'none' };
}

/** One after the other, aligned to their sizes: enough for a test. */
export function layout(name: string, members: Record<string, [Type, number]>, size: number): Layout {
  return {
    name,
    size,
    members: Object.entries(members).map(([member, [type, offset]]) => ({
      name: member,
      type,
      offsetBits: offset * 8,
    })),
  };
}

const layouts = [
  layout(
    'struct task_struct',
    {
      pid: [i32, 16],
      tgid: [i32, 20],
      comm: [array(i8, 16), 24],
      group_leader: [pointer(struct('task_struct')), 40],
      mm: [pointer(struct('mm_struct')), 48],
    },
    4096,
  ),
  layout('struct mm_struct', { total_vm: [u64, 8] }, 1024),
  layout('struct qstr', { name: [pointer(u8), 8] }, 16),
  layout('struct dentry', { d_name: [struct('qstr'), 32] }, 192),
  layout('struct path', { mnt: [pointer({ kind: 'none' }), 0], dentry: [pointer(struct('dentry')), 8] }, 16),
  layout('struct file', { f_mode: [u32, 4], f_path: [struct('path'), 16] }, 232),
  layout('struct sock', { sk_family: [u16, 16] }, 760),
  layout('struct sockaddr_in', { sin_family: [u16, 0], sin_port: [u16, 2], sin_addr: [u32, 4] }, 16),
];

const common = { common_type: [u16, 0], common_pid: [i32, 4] } as Record<string, [Type, number]>;

function tracepoint(category: string, name: string, members: Record<string, [Type, number]>): Tracepoint {
  return { category, name, layout: layout(name, { ...common, ...members }, 64) };
}

const tracepoints = [
  tracepoint('syscalls', 'sys_enter_openat', {
    dfd: [u64, 16],
    filename: [pointer(i8), 24],
    flags: [u64, 32],
    mode: [u64, 40],
  }),
  tracepoint('syscalls', 'sys_enter_read', { fd: [u64, 16], buf: [pointer(i8), 24], count: [u64, 32] }),
  tracepoint('syscalls', 'sys_enter_execve', {
    filename: [pointer(i8), 16],
    argv: [pointer(pointer(i8)), 24],
    envp: [pointer(pointer(i8)), 32],
  }),
  tracepoint('syscalls', 'sys_enter_connect', {
    fd: [u64, 16],
    uservaddr: [pointer({ kind: 'struct', name: 'struct sockaddr_in', space: 'none' }), 24],
  }),
  tracepoint('syscalls', 'sys_exit_read', { ret: [i64, 16] }),
  tracepoint('syscalls', 'sys_exit_openat', { ret: [i64, 16] }),
  tracepoint('sched', 'sched_switch', {
    prev_comm: [array(i8, 16), 8],
    prev_pid: [i32, 24],
    prev_state: [i64, 32],
    next_comm: [array(i8, 16), 40],
    next_pid: [i32, 56],
  }),
  tracepoint('sched', 'sched_process_exec', { pid: [i32, 12] }),
  tracepoint('net', 'netif_receive_skb', { skbaddr: [pointer({ kind: 'none' }), 8], len: [u32, 16] }),
];

const functions: FunctionPrototype[] = [
  {
    name: 'vfs_read',
    parameters: [
      { name: 'file', type: pointer(struct('file')) },
      { name: 'buf', type: pointer(i8, 'user') },
      { name: 'count', type: u64 },
      { name: 'pos', type: pointer(i64) },
    ],
    returns: i64,
  },
  { name: 'vfs_open', parameters: [{ name: 'path', type: pointer(struct('path')) }], returns: i32 },
  { name: 'tcp_connect', parameters: [{ name: 'sk', type: pointer(struct('sock')) }], returns: i32 },
  {
    name: 'tcp_close',
    parameters: [{ name: 'sk', type: pointer(struct('sock')) }],
    returns: { kind: 'none' },
  },
];

const rawTracepoints: FunctionPrototype[] = [
  {
    name: 'sys_enter',
    parameters: [
      { name: 'regs', type: pointer(struct('pt_regs')) },
      { name: 'id', type: i64 },
    ],
    returns: { kind: 'none' },
  },
  {
    name: 'kfree_skb',
    parameters: [
      { name: 'skb', type: pointer(struct('sk_buff')) },
      { name: 'reason', type: { kind: 'integer', bits: 32, signed: false, enum: 'skb_drop_reason' } },
    ],
    returns: { kind: 'none' },
  },
];

const dropReasons = new Map([
  [2n, 'SKB_DROP_REASON_NOT_SPECIFIED'],
  [6n, 'SKB_DROP_REASON_SOCKET_FILTER'],
]);

const binaries: Record<string, FunctionPrototype[]> = {
  '/bin/app': [
    {
      name: 'handle',
      parameters: [
        { name: 'request', type: pointer(struct('request')) },
        { name: 'size', type: i32 },
      ],
      returns: i32,
    },
    { name: 'helper', parameters: [], returns: { kind: 'none' } },
  ],
};

function matches(glob: string): (name: string) => boolean {
  const pattern = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${pattern}$`);
  return (name) => expression.test(name);
}

/** `without`: sections that this kernel refuses, by their beginning. */
export function testKernel(without: Record<string, string> = {}): Kernel {
  return {
    arch: 'x86',
    release: '6.12.0-test',
    cpus: 2,
    layout: (name) => layouts.find((each) => each.name === name),
    typeOf: (name) => ({ pid_t: i32, size_t: u64 })[name] as Type | undefined,
    enumerator(name) {
      if (name.startsWith('BPF_FUNC_')) return { value: 1n, enum: 'bpf_func_id' };
      const found = [...dropReasons].find(([, each]) => each === name);
      return found === undefined ? undefined : { value: found[0], enum: 'skb_drop_reason' };
    },
    enumValues(name) {
      if (name === 'skb_drop_reason') return dropReasons;
      return name === 'syscall' ? new Map([[0n, 'read']]) : undefined;
    },
    kernelFunction: (name) => functions.find((each) => each.name === name),
    kernelFunctions: (glob) => functions.map(({ name }) => name).filter(matches(glob)),
    rawTracepoint: (name) => rawTracepoints.find((each) => each.name === name),
    rawTracepoints: (glob) => rawTracepoints.map(({ name }) => name).filter(matches(glob)),
    tracepoints: (category, name) =>
      tracepoints.filter((each) => matches(category)(each.category) && matches(name)(each.name)),
    iterator: (name) =>
      name === 'task'
        ? layout('bpf_iter__task', { task: [pointer(struct('task_struct')), 8] }, 16)
        : undefined,
    iterators: (glob) => ['task'].filter(matches(glob)),
    symbolAddress: (name) => (name === 'avenrun' ? 0xffff_ffff_8200_0000n : undefined),
    userFunctions: (path, glob) => (binaries[path] ?? []).map(({ name }) => name).filter(matches(glob)),
    userFunction: (path, name) => (binaries[path] ?? []).find((each) => each.name === name),
    userLayout: (path, name) =>
      path === '/bin/app' && name === 'struct request'
        ? layout(name, { id: [u64, 0], url: [pointer(i8), 8] }, 16)
        : undefined,
    userSymbolAddress: (path, name) =>
      path === '/bin/app'
        ? { counter: { address: 0x4010n, size: 4 }, handle: { address: 0x1000n, size: 64 } }[name]
        : undefined,
    usdt: (path, provider, name) =>
      [
        { provider: 'app', name: 'start', arguments: ['8@%rdi', '-4@%esi'] },
        { provider: 'app', name: 'stop', arguments: [] },
      ].filter((each) => path === '/bin/app' && matches(provider)(each.provider) && matches(name)(each.name)),
    cgroupId: (path) => (path === '/sys/fs/cgroup/unified/a' ? 77n : undefined),
    supports(section) {
      const refused = Object.entries(without).find(([prefix]) => section.startsWith(prefix));
      return refused?.[1] ?? null;
    },
  };
}
