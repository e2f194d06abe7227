// What gadgets on system calls have in common: parameters, columns, the tracepoints of calls. Their programs include bpf/include/syscalls.bpf.h.

import { z } from 'zod';
import syscallsArm64 from '../agent/names/syscalls.arm64.json' with { type: 'json' };
import syscallsX86 from '../agent/names/syscalls.x86.json' with { type: 'json' };
import { numberOf } from '../agent/names.ts';
import type { From, ProgramUse } from './gadget.ts';

export const callParameters = {
  failedOnly: z.boolean().default(false).describe('Only calls that failed'),
  errno: z
    .string()
    .max(24)
    .refine((name) => name === '' || numberOf('errno', name, 'x86') !== undefined, {
      error: 'no such errno; ENOENT and EACCES are two',
    })
    .default('')
    .describe('Only calls that failed so: an errno by its name, such as ENOENT. Empty: all'),
  processName: z
    .string()
    .refine((name) => Buffer.byteLength(name) < 16, { error: 'a process name has at most 15 bytes' })
    .default('')
    .describe("Only this process name (comm, at most 15 bytes: the kernel's own limit). Empty: all"),
};

/** The values of the variables that bpf/include/syscalls.bpf.h declares. */
export function callVariables(parameters: { failedOnly: boolean; errno: string; processName: string }) {
  const { failedOnly, errno, processName } = parameters;
  return {
    failed_only: failedOnly,
    errno_only: errno === '' ? 0 : (numberOf('errno', errno, 'x86') ?? 0),
    by_process_name: processName !== '',
    process_name: processName,
  };
}

export const uidColumn = {
  name: 'uid',
  type: 'integer',
  description: 'The user, as the host sees it',
} as const satisfies From;

export const errnoColumn = {
  name: 'errno',
  type: 'integer',
  names: 'errno',
  when: 'errno',
  optional: true,
  description: 'Why it failed',
} as const satisfies From;

/** The columns of CALL_HEADER, the process aside. */
export const callColumns = [
  uidColumn,
  { name: 'syscall', type: 'integer', names: 'syscall', description: 'The call' },
  errnoColumn,
] as const satisfies readonly From[];

const known = {
  x86: new Set(Object.values(syscallsX86)),
  arm64: new Set(Object.values(syscallsArm64)),
};

/** Tracepoints are named after the kernel's functions, which for these calls have another name. */
const functions: Record<string, string> = {
  stat: 'newstat',
  lstat: 'newlstat',
  fstat: 'newfstat',
  umount2: 'umount',
  sendfile: 'sendfile64',
};

/** The program at the end (or the beginning) of each of these calls: on x86-64 and, without those it has not, on arm64. */
export function atCalls(program: string, when: 'enter' | 'exit', calls: readonly string[]): ProgramUse[][] {
  const uses = (arch: ReadonlySet<string>): ProgramUse[] =>
    calls
      .filter((call) => arch.has(call))
      .map((call) => ({
        program,
        attach: { kind: 'tracepoint', category: 'syscalls', name: `sys_${when}_${functions[call] ?? call}` },
      }));
  const both = [uses(known.x86), uses(known.arm64)];
  return both[0]?.length === both[1]?.length ? both.slice(0, 1) : both;
}
