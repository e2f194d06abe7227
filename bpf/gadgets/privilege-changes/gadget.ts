// privilege-changes: who becomes another user, enters or leaves namespaces, traces others, loads BPF programs, uses keys. Programs: program.bpf.c.
// Test: gadget.test.ts.

import { z } from 'zod';
import { numberOf } from '../../../agent/names.ts';
import { atCalls, callColumns, callParameters, callVariables } from '../../calls.ts';
import { defineGadget, processColumns } from '../../gadget.ts';

/** Calls whose first argument says what to do, and the names of that (linux/bpf.h, linux/ptrace.h, linux/keyctl.h). */
const operations: Record<string, Record<number, string>> = {
  bpf: named('BPF_', [
    ...[
      'MAP_CREATE',
      'MAP_LOOKUP_ELEM',
      'MAP_UPDATE_ELEM',
      'MAP_DELETE_ELEM',
      'MAP_GET_NEXT_KEY',
      'PROG_LOAD',
    ],
    ...['OBJ_PIN', 'OBJ_GET', 'PROG_ATTACH', 'PROG_DETACH', 'PROG_TEST_RUN', 'PROG_GET_NEXT_ID'],
    ...['MAP_GET_NEXT_ID', 'PROG_GET_FD_BY_ID', 'MAP_GET_FD_BY_ID', 'OBJ_GET_INFO_BY_FD', 'PROG_QUERY'],
    ...['RAW_TRACEPOINT_OPEN', 'BTF_LOAD', 'BTF_GET_FD_BY_ID', 'TASK_FD_QUERY', 'MAP_LOOKUP_AND_DELETE_ELEM'],
    ...[
      'MAP_FREEZE',
      'BTF_GET_NEXT_ID',
      'MAP_LOOKUP_BATCH',
      'MAP_LOOKUP_AND_DELETE_BATCH',
      'MAP_UPDATE_BATCH',
    ],
    ...['MAP_DELETE_BATCH', 'LINK_CREATE', 'LINK_UPDATE', 'LINK_GET_FD_BY_ID', 'LINK_GET_NEXT_ID'],
    ...['ENABLE_STATS', 'ITER_CREATE', 'LINK_DETACH', 'PROG_BIND_MAP', 'TOKEN_CREATE'],
  ]),
  ptrace: {
    ...named('PTRACE_', ['TRACEME', 'PEEKTEXT', 'PEEKDATA', 'PEEKUSER', 'POKETEXT', 'POKEDATA', 'POKEUSER']),
    ...named('PTRACE_', ['CONT', 'KILL', 'SINGLESTEP'], 7),
    ...{ 16: 'PTRACE_ATTACH', 17: 'PTRACE_DETACH', 24: 'PTRACE_SYSCALL' },
    ...named(
      'PTRACE_',
      ['SETOPTIONS', 'GETEVENTMSG', 'GETSIGINFO', 'SETSIGINFO', 'GETREGSET', 'SETREGSET'],
      0x4200,
    ),
    ...named('PTRACE_', ['SEIZE', 'INTERRUPT', 'LISTEN', 'PEEKSIGINFO'], 0x4206),
  },
  keyctl: named('KEYCTL_', [
    ...[
      'GET_KEYRING_ID',
      'JOIN_SESSION_KEYRING',
      'UPDATE',
      'REVOKE',
      'CHOWN',
      'SETPERM',
      'DESCRIBE',
      'CLEAR',
    ],
    ...['LINK', 'UNLINK', 'SEARCH', 'READ', 'INSTANTIATE', 'NEGATE', 'SET_REQKEY_KEYRING', 'SET_TIMEOUT'],
    ...['ASSUME_AUTHORITY', 'GET_SECURITY', 'SESSION_TO_PARENT', 'REJECT', 'INSTANTIATE_IOV', 'INVALIDATE'],
    ...['GET_PERSISTENT', 'DH_COMPUTE', 'PKEY_QUERY', 'PKEY_ENCRYPT', 'PKEY_DECRYPT', 'PKEY_SIGN'],
    ...['PKEY_VERIFY', 'RESTRICT_KEYRING', 'MOVE', 'CAPABILITIES', 'WATCH_KEY'],
  ]),
};

function named(prefix: string, names: string[], first = 0): Record<number, string> {
  return Object.fromEntries(names.map((name, index) => [first + index, prefix + name]));
}

/** OPERATIONS of program.bpf.c. */
const operationsPerCall = 100_000;

const operationNames = Object.fromEntries(
  Object.values(operations).flatMap((names, call) =>
    Object.entries(names).map(([number, name]) => [call * operationsPerCall + Number(number) + 1, name]),
  ),
);

const calls = [
  ...[
    'setuid',
    'setgid',
    'setreuid',
    'setregid',
    'setresuid',
    'setresgid',
    'setfsuid',
    'setfsgid',
    'setgroups',
  ],
  ...['capset', 'setns', 'unshare', 'chroot', 'pivot_root', 'mount', 'ptrace', 'bpf'],
  ...['add_key', 'request_key', 'keyctl'],
];

export default defineGadget({
  name: 'privilege-changes',
  aliases: ['setuids'],
  area: 'security',
  summary:
    'Who changes what it may do: other users, namespaces, roots, capabilities, keys, tracing others, BPF.',
  description:
    `One record per call of ${calls.join(', ')}, taken when the call ends, with its first three arguments as numbers (setuid: the user; setns: the descriptor and the namespace's type; ` +
    'ptrace: the operation and the process). Not seen: a set-user-id program (process-exec shows those), prctl, user namespaces made by clone.',
  parameters: z.object({
    ...callParameters,
    calls: z
      .array(z.enum(calls as [string, ...string[]]))
      .max(calls.length)
      .default([])
      .describe('Only these calls. Empty: all'),
  }),
  sees: 'pod',
  subject: 'current',
  capabilities: ['BPF', 'PERFMON'],
  hitCost: { outsideNs: 150, insideNs: 600 },
  source: () => ({
    kind: 'ring',
    record: 'privilege_record',
    shape: {
      kind: 'events',
      columns: [
        { name: 'time', type: 'time', description: 'When the call ended' },
        ...processColumns,
        ...callColumns,
        {
          name: 'operation',
          type: 'integer',
          names: operationNames,
          when: 'operation',
          optional: true,
          description: 'What ptrace, bpf or keyctl was asked to do',
        },
        { name: 'argument1', type: 'integer', description: "The call's first argument" },
        { name: 'argument2', type: 'integer', description: 'The second' },
        { name: 'argument3', type: 'integer', description: 'The third' },
      ],
    },
  }),
  programs: (parameters) => [
    atCalls('privilege_exit', 'exit', parameters.calls.length > 0 ? parameters.calls : calls),
  ],
  knobs: (parameters, arch) => ({
    variables: {
      ...callVariables(parameters),
      operation_calls: Array.from({ length: 4 }, (_, index) =>
        BigInt(numberOf('syscall', Object.keys(operations)[index] ?? '', arch) ?? 0xffffffff),
      ),
    },
  }),
});
