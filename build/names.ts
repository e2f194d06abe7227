// `node build/names.ts`, run when a kernel has new calls: the tables in agent/names/ of system calls by architecture, errnos and signals, from the kernel's own headers
// (linux-libc-dev) and, for calls newer than the distribution's headers, from the list below. Neighbour: agent/names.ts reads them.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './step.ts';

const folder = join(import.meta.dirname, '../agent/names');

/** Newer than Debian 12's headers (6.1). Since 424 all architectures give a call the same number. */
const newerCalls: Record<string, number> = {
  cachestat: 451,
  fchmodat2: 452,
  map_shadow_stack: 453,
  futex_wake: 454,
  futex_wait: 455,
  futex_requeue: 456,
  statmount: 457,
  listmount: 458,
  lsm_get_self_attr: 459,
  lsm_set_self_attr: 460,
  lsm_list_modules: 461,
  mseal: 462,
  setxattrat: 463,
  getxattrat: 464,
  listxattrat: 465,
  removexattrat: 466,
  open_tree_attr: 467,
  file_getattr: 468,
  file_setattr: 469,
};
const newerX86Calls: Record<string, number> = { uretprobe: 335, uprobe: 336 };

/** What a call says to itself before it is restarted; never seen by its caller, but by who looks at its exit. */
const restarts: Record<string, number> = {
  ERESTARTSYS: 512,
  ERESTARTNOINTR: 513,
  ERESTARTNOHAND: 514,
  ERESTART_RESTARTBLOCK: 516,
};

/** What arm64's own header chooses from the common one. */
const arm64Defines = [
  '__ARCH_WANT_RENAMEAT',
  '__ARCH_WANT_NEW_STAT',
  '__ARCH_WANT_SET_GET_RLIMIT',
  '__ARCH_WANT_TIME32_SYSCALLS',
  '__ARCH_WANT_SYS_CLONE3',
  '__ARCH_WANT_MEMFD_SECRET',
];

/** Numbers of the macros that begin so; a macro that stands for another counts as a second name and is left out. */
async function macros(header: string, pattern: RegExp, defines: string[] = []): Promise<[string, number][]> {
  const options = defines.map((name) => `-D${name}`);
  const text = await command(['cc', '-E', '-dM', ...options, '-include', header, '-x', 'c', '/dev/null']);
  const values = new Map<string, string>();
  for (const [, name = '', value = ''] of text.matchAll(/^#define (\w+) (.+)$/gm)) values.set(name, value);
  const found: [string, number][] = [];
  for (const [name, value] of values) {
    const short = pattern.exec(name)?.[1];
    // Calls that 32-bit kernels name otherwise (mmap, mmap2) have their number in __NR3264_….
    const number = value.startsWith('__NR3264_') ? values.get(value) : value;
    if (short !== undefined && number !== undefined && /^\d+$/.test(number))
      found.push([short, Number(number)]);
  }
  return found;
}

async function write(file: string, names: Iterable<[string, number]>): Promise<void> {
  const byNumber = [...names].sort(([, a], [, b]) => a - b).map(([name, number]) => [String(number), name]);
  await writeFile(join(folder, file), `${JSON.stringify(Object.fromEntries(byNumber), null, 2)}\n`);
}

/** Writes all tables. Not part of `npm run generate`: needs Debian's compiler and kernel headers of an x86-64 machine. */
export async function generateNames(): Promise<string> {
  const call = /^__NR_(?!arch_specific|syscalls|compat)(\w+)$/;
  // The x86 header also defines the two marks of the x32 table, far above all numbers.
  const x86 = (await macros('asm/unistd_64.h', call)).filter(([, number]) => number < 1000);
  const arm64 = await macros('asm-generic/unistd.h', call, arm64Defines);
  await write('syscalls.x86.json', [...x86, ...Object.entries({ ...newerX86Calls, ...newerCalls })]);
  await write('syscalls.arm64.json', [...arm64, ...Object.entries(newerCalls)]);
  await write('errnos.json', [
    ...(await macros('asm-generic/errno.h', /^(E[A-Z0-9]+)$/)),
    ...Object.entries(restarts),
  ]);
  await write('signals.json', await macros('asm-generic/signal.h', /^(SIG(?!RTM|STKSZ|IOT)[A-Z0-9]+)$/));
  return 'agent/names';
}

if (import.meta.main) process.stderr.write(`${await generateNames()}\n`);
