// The functions of the language: one entry each, for programs/check/call.ts, programs/lower/* and docs/programs.md. What a table can't say (formats
// against arguments, keys against maps) is in programs/check/calls/*. Neighbours: aggregates.ts (`count` …), builtins.ts, words.ts.

import { aggregateFunctions } from './aggregates.ts';
import { constantFunctions } from './functions-constant.ts';
import { outputFunctions } from './functions-output.ts';
import { stringFunctions } from './functions-text.ts';
import { type Fn, type Parameter, uprobes } from './words.ts';

const map: Parameter = { name: 'map', accepts: 'map' };
const key: Parameter = { name: 'key', accepts: 'key' };
const anything: Parameter = { name: 'expression', accepts: 'any' };
const task: Parameter = { name: 'task', accepts: 'pointer', type: 'struct task_struct *' };
const symbol: Parameter = { name: 'name', accepts: 'string', literal: true };
const clock: Parameter = {
  name: 'mode',
  accepts: 'word',
  optional: true,
  words: ['boot', 'monotonic', 'tai', 'sw_tai'],
};
const namespace: Parameter = { name: 'namespace', accepts: 'word', words: ['curr_ns', 'init'] };
const stackMode: Parameter = { name: 'mode', accepts: 'word', words: ['bpftrace', 'perf', 'raw'] };
const limit: Parameter = { name: 'limit', accepts: 'integer', literal: true, optional: true };
const kernelAddresses = "kernel addresses lead to everybody's data";

const others = [
  {
    name: 'bswap',
    signatures: [{ parameters: [{ name: 'n', accepts: 'integer' }], returns: 'unsigned, as wide as n' }],
    description: 'The bytes of an integer in the other order.',
    invocation: 'sync',
    tenancy: 'pods',
  },
  {
    name: 'cgroup_path',
    signatures: [
      {
        parameters: [
          { name: 'cgroupid', accepts: 'integer' },
          { name: 'filter', accepts: 'string', literal: true, optional: true },
        ],
        returns: 'cgroup_path_t',
      },
    ],
    description: 'The path of a cgroup by its id; only to be shown.',
    invocation: 'async',
    tenancy: 'node',
    nodeReason: "it would tell of other pods' cgroups",
  },
  {
    name: 'comm',
    signatures: [
      { parameters: [], returns: 'string[16]' },
      { parameters: [{ name: 'pid', accepts: 'integer' }], returns: 'string[16]' },
    ],
    description: 'The name of the current thread.',
    invocation: 'sync',
    tenancy: 'pods',
    difference:
      '`comm(pid)` is refused: a program can look up no other process by its id on the kernels that Sonde supports.',
  },
  {
    name: 'delete',
    signatures: [
      { parameters: [map, key], returns: 'bool' },
      { parameters: [map], returns: 'bool' },
    ],
    description: 'Deletes a key; false where there was none. Of a map without keys: its value.',
    invocation: 'sync',
    tenancy: 'pods',
  },
  {
    name: 'find',
    signatures: [{ parameters: [map, key, { name: 'result', accepts: 'variable' }], returns: 'bool' }],
    description: 'Whether a key is in the map; the variable then has its value.',
    invocation: 'sync',
    tenancy: 'pods',
  },
  {
    name: 'has_key',
    signatures: [{ parameters: [map, key], returns: 'bool' }],
    description: 'Whether a key is in the map.',
    invocation: 'sync',
    tenancy: 'pods',
  },
  {
    name: 'kptr',
    signatures: [{ parameters: [{ name: 'pointer', accepts: 'address' }], returns: 'the same pointer' }],
    description: 'Says that a pointer is one of the kernel.',
    invocation: 'sync',
    tenancy: 'node',
    nodeReason: kernelAddresses,
  },
  {
    name: 'uptr',
    signatures: [{ parameters: [{ name: 'pointer', accepts: 'address' }], returns: 'the same pointer' }],
    description: "Says that a pointer is one of the process's.",
    invocation: 'sync',
    tenancy: 'pods',
  },
  ...(['kstack', 'ustack'] as const).map(
    (name): Fn => ({
      name,
      signatures: [
        { parameters: [stackMode, limit], returns: `${name}_t` },
        { parameters: [limit], returns: `${name}_t` },
      ],
      description:
        name === 'kstack'
          ? 'The stack in the kernel.'
          : 'The stack in the process; its symbols are found also when the process has gone.',
      invocation: 'sync',
      tenancy: 'pods',
      difference:
        name === 'kstack'
          ? 'At most 127 frames. A namespaced job has it without addresses: in the mode `bpftrace` only.'
          : 'At most 127 frames.',
    }),
  ),
  {
    name: 'ksym',
    signatures: [{ parameters: [{ name: 'address', accepts: 'address' }], returns: 'ksym_t' }],
    description: 'The kernel function that an address is in; only to be shown.',
    invocation: 'async',
    tenancy: 'pods',
  },
  {
    name: 'usym',
    signatures: [{ parameters: [{ name: 'address', accepts: 'address' }], returns: 'usym_t' }],
    description: "The current process's function that an address is in; only to be shown.",
    invocation: 'async',
    tenancy: 'pods',
  },
  {
    name: 'len',
    signatures: [
      { parameters: [map], returns: 'int64' },
      { parameters: [{ name: 'stack', accepts: 'stack' }], returns: 'int64' },
    ],
    description: 'The number of keys of a map, or of frames of a stack.',
    invocation: 'sync',
    tenancy: 'pods',
    difference: 'Of a map from Linux 5.13 on.',
  },
  {
    name: 'macaddr',
    signatures: [{ parameters: [{ name: 'mac', accepts: 'bytes', type: 'char[6]' }], returns: 'macaddr_t' }],
    description: 'Six bytes, to be shown as a MAC address.',
    invocation: 'sync',
    tenancy: 'pods',
  },
  {
    name: 'nsecs',
    signatures: [{ parameters: [clock], returns: 'uint64' }],
    description: 'Nanoseconds of a clock: boot (the default), monotonic, tai.',
    invocation: 'sync',
    tenancy: 'pods',
    difference: '`sw_tai` is not supported; `tai` needs Linux 6.1.',
  },
  {
    name: 'ntop',
    signatures: [
      {
        parameters: [{ name: 'address', accepts: 'any', type: 'int, char[4] or char[16]' }],
        returns: 'inet',
      },
      {
        parameters: [
          { name: 'family', accepts: 'integer' },
          { name: 'address', accepts: 'any', type: 'int, char[4] or char[16]' },
        ],
        returns: 'inet',
      },
    ],
    description: 'An IPv4 or IPv6 address, to be shown.',
    invocation: 'sync',
    tenancy: 'pods',
  },
  {
    name: 'override',
    signatures: [{ parameters: [{ name: 'result', accepts: 'integer' }], returns: 'void' }],
    description: 'Returns from the function traced without running it.',
    invocation: 'sync',
    tenancy: 'node',
    refused: 'Sonde observes and changes nothing of what it traces',
  },
  {
    name: 'pcomm',
    signatures: [
      { parameters: [], returns: 'string[16]' },
      { parameters: [task], returns: 'string[16]' },
    ],
    description: "The name of the current process (its first thread's), or of a task's.",
    invocation: 'sync',
    tenancy: 'pods',
    difference: 'With a task: not in a namespaced job.',
  },
  {
    name: 'percpu_kaddr',
    signatures: [
      {
        parameters: [symbol, { name: 'cpu', accepts: 'integer', optional: true }],
        returns: 'uint64 *',
      },
    ],
    description: 'The address of a per-processor kernel symbol.',
    invocation: 'sync',
    tenancy: 'node',
    nodeReason: kernelAddresses,
  },
  ...(['pid', 'tid'] as const).map(
    (name): Fn => ({
      name,
      signatures: [{ parameters: [{ ...namespace, optional: true }], returns: 'uint32' }],
      description: `The id of the current ${name === 'pid' ? 'process' : 'thread'}, in the agent's namespace (curr_ns) or the first (init).`,
      invocation: 'sync',
      tenancy: 'pods',
    }),
  ),
  {
    name: 'ppid',
    signatures: [
      { parameters: [], returns: 'uint32' },
      { parameters: [task], returns: 'uint32' },
    ],
    description: "The id of the parent of the current process, or of a task's.",
    invocation: 'sync',
    tenancy: 'pods',
    difference: 'With a task: not in a namespaced job.',
  },
  {
    name: 'reg',
    signatures: [{ parameters: [{ name: 'register', accepts: 'string', literal: true }], returns: 'uint64' }],
    description: 'A register, as it was where the probe is.',
    invocation: 'sync',
    providers: [
      'kprobe',
      'kretprobe',
      ...uprobes,
      'usdt',
      'profile',
      'software',
      'hardware',
      'watchpoint',
      'asyncwatchpoint',
    ],
    tenancy: 'pods',
    difference: 'In a namespaced job: in uprobe, uretprobe and usdt only.',
  },
  ...(['signal', 'signal_thread'] as const).map(
    (name): Fn => ({
      name,
      signatures: [{ parameters: [{ name: 'signal', accepts: 'any' }], returns: 'void' }],
      description: `Sends a signal to the current ${name === 'signal' ? 'process' : 'thread'}.`,
      invocation: 'sync',
      tenancy: 'node',
      refused: 'Sonde observes and changes nothing of what it traces',
    }),
  ),
  {
    name: 'skboutput',
    signatures: [{ parameters: [{ ...anything, rest: true }], returns: 'uint32' }],
    description: 'Writes a packet to a file.',
    invocation: 'sync',
    tenancy: 'node',
    refused: 'the gadget packet-capture writes packets, with whose they are',
  },
  {
    name: 'socket_cookie',
    signatures: [
      { parameters: [{ name: 'sock', accepts: 'pointer', type: 'struct sock *' }], returns: 'uint64' },
    ],
    description: "A number of the socket's own for as long as it lives.",
    invocation: 'sync',
    providers: ['fentry', 'fexit'],
    tenancy: 'node',
    nodeReason: 'it takes a kernel pointer',
  },
  {
    name: 'uaddr',
    signatures: [{ parameters: [symbol], returns: 'pointer to an unsigned integer of its size' }],
    description: "The address of a symbol of the probe's binary.",
    invocation: 'sync',
    providers: ['uprobe'],
    tenancy: 'pods',
    difference: 'In uprobe only.',
  },
  {
    name: 'unwatch',
    signatures: [{ parameters: [{ name: 'address', accepts: 'address' }], returns: 'void' }],
    description: 'Removes a watchpoint.',
    invocation: 'async',
    tenancy: 'node',
    refused: 'watchpoints are not supported',
  },
] as const satisfies readonly Fn[];

/** By name: whatever may be called. */
export const functions: ReadonlyMap<string, Fn> = new Map(
  [...others, ...constantFunctions, ...stringFunctions, ...outputFunctions, ...aggregateFunctions].map(
    (entry) => [entry.name, entry],
  ),
);
