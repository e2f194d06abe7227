// A program's kernel test in one call: compiled for this kernel, run by a session on a cgroup of the test's own, with commands inside, and what it printed.
// Neighbours: programs/compile.ts, agent/program-session.ts, test/support/trace.ts (the same for gadgets).

import { readFileSync } from 'node:fs';
import { objectPath } from '../../agent/objects.ts';
import { programKernel } from '../../agent/program-kernel.ts';
import type { PathContext } from '../../agent/program-paths.ts';
import { startProgram } from '../../agent/program-session.ts';
import { native } from '../../native/index.ts';
import { type Compilation, compile } from '../../programs/compile.ts';
import { renderDiagnostics } from '../../programs/diagnostics.ts';
import { Externs } from '../../programs/emit/externs.ts';
import type { Kernel } from '../../programs/kernel.ts';
import { type Argv, makeGroup } from './trace.ts';

export interface Printed {
  out: string;
  said: string;
  code: number;
  /** Events that had no room, all reasons together. */
  lost: bigint;
}

/** Made once: reading a kernel's types takes seconds where it is emulated. */
let here: { externs: Externs; kernel: Kernel } | undefined;

const paths: PathContext = { pids: [], cwd: process.cwd(), searchPath: ['/usr/bin', '/bin'] };

/** "0-3" of /sys: how many values a per-CPU map has. */
function possibleCpus(): number {
  const last = /(\d+)\s*$/.exec(readFileSync('/sys/devices/system/cpu/possible', 'utf8'))?.[1];
  return Number(last) + 1;
}

interface HereOptions {
  positional?: string[];
  runtimeChecks?: boolean;
}

/** Compiles for this kernel as `sonde run` does. */
export function compileHere(
  source: string,
  { positional = [], runtimeChecks = false }: HereOptions = {},
): Compilation {
  here ??= {
    externs: new Externs(readFileSync(objectPath('program'))),
    kernel: programKernel(native, paths),
  };
  return compile(source, here.kernel, {
    tenancy: 'node',
    hasCommand: false,
    name: 'stdin',
    parameters: { positional, named: new Map() },
    externs: here.externs,
    runtimeChecks,
  });
}

/** Runs a program until the commands inside have ended; without any, to its own end. */
export async function runProgram(
  source: string,
  inside: Argv[] = [],
  options: HereOptions = {},
): Promise<Printed> {
  const result = compileHere(source, options);
  if (!('compiled' in result)) throw new Error(renderDiagnostics(result.diagnostics, source));
  const group = makeGroup();
  const printed: Printed = { out: '', said: '', code: 0, lost: 0n };
  try {
    const session = await startProgram(
      {
        compiled: result.compiled,
        source: { name: 'stdin', text: source },
        targets: [
          { kind: 'cgroup', path: group.path, owner: { namespace: null, pod: null, container: 'test' } },
        ],
        paths,
        possibleCpus: possibleCpus(),
        format: 'text',
        write: (text) => {
          printed.out += text;
        },
        say: (text) => {
          printed.said += text;
        },
      },
      native,
    );
    try {
      for (const argv of inside)
        await native.spawnInCgroup(group.path, argv, { PATH: process.env.PATH ?? '' }, '/').exited;
      if (inside.length > 0) session.stop();
      // A program that never ends shall fail its test, not hang it.
      const late = setTimeout(() => session.stop(), 10_000);
      printed.code = (await session.finished).code;
      clearTimeout(late);
      for (const { value } of session.object.map('losses').entries()) printed.lost += BigInt(value as bigint);
    } finally {
      session.close();
    }
    return printed;
  } finally {
    await group.remove();
  }
}
