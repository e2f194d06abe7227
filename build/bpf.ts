// `npm run build`, third step: every bpf/gadgets/<name>/program.bpf.c becomes dist/bpf/<arch>/<name>.bpf.o by one rule, for both
// architectures; nothing here names a gadget. What compiled programs are linked with, bpf/program/runtime.bpf.c, is program.bpf.o by the same rule. Neighbours: build/native.ts has libbpf's headers, native/ opens what this makes.

import { globSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { nativeLibraries } from './native.ts';
import { command } from './step.ts';

const root = join(import.meta.dirname, '..');

/** Folder names under dist/bpf, and what bpf_tracing.h calls them. */
export const architectures = ['x86', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

/** The architecture of this machine's kernel, as dist/bpf names it. */
export function thisArchitecture(): Architecture {
  return process.arch === 'arm64' ? 'arm64' : 'x86';
}

/** Where a gadget's object lies once built. */
export function objectPath(gadget: string, architecture: Architecture = thisArchitecture()): string {
  return join(root, 'dist/bpf', architecture, `${gadget}.bpf.o`);
}

/** The libc's folder of <asm/types.h>, which Debian keeps by architecture; the types are the same for all. */
async function systemIncludes(): Promise<string[]> {
  const triplet = (await command(['cc', '-print-multiarch'])).trim();
  return triplet === '' ? [] : [`/usr/include/${triplet}`];
}

/** True when `target` is newer than every file that its .d file names, and was made by the same command. */
async function upToDate(target: string, recipe: string): Promise<boolean> {
  try {
    const made = (await stat(target)).mtimeMs;
    const record = await readFile(`${target}.d`, 'utf8');
    const end = record.indexOf('\n# ');
    if (end < 0 || record.slice(end + 3) !== recipe) return false;
    const inputs = record.slice(0, end).replace(/\\\n/g, ' ').split(/\s+/).slice(1).filter(Boolean);
    for (const input of inputs) if ((await stat(resolve(root, input))).mtimeMs >= made) return false;
    return true;
  } catch {
    return false; // never made, or an input has moved
  }
}

async function buildProgram(
  source: string,
  architecture: Architecture,
  includes: string[],
): Promise<boolean> {
  const name = basename(dirname(source));
  const target = objectPath(name, architecture);
  const fresh = `${target}.${process.pid}`;
  const compile: [string, ...string[]] = [
    'clang-19',
    ...['-O2', '-g', '-target', 'bpf', '-mcpu=v3', `-D__TARGET_ARCH_${architecture}`],
    ...['-Wall', '-Werror', '-Wno-address-of-packed-member'],
    ...['-Ibpf/include', ...includes.flatMap((folder) => ['-isystem', folder])],
    ...['-MD', '-MF', `${fresh}.d`, '-MT', 'object', '-c', source],
  ];
  const recipe = compile.join(' ').replaceAll(fresh, target);
  if (await upToDate(target, recipe)) return false;
  await mkdir(dirname(target), { recursive: true });
  try {
    await command([...compile, '-o', fresh], { cwd: root });
    await command(['llvm-strip-19', '-g', fresh]); // DWARF goes, BTF stays
    const inputs = (await readFile(`${fresh}.d`, 'utf8')).trimEnd();
    await writeFile(`${target}.d`, `${inputs}\n# ${recipe}`);
    await rename(fresh, target);
  } finally {
    await Promise.all([fresh, `${fresh}.d`].map((file) => rm(file, { force: true })));
  }
  return true;
}

/**
 * Builds what has changed; gives a note for the progress line. Two compilers at a time.
 * @throws CommandFailed with the compiler's words.
 */
export async function buildPrograms(): Promise<string> {
  const sources = globSync(['bpf/gadgets/*/program.bpf.c', 'bpf/program/runtime.bpf.c'], {
    cwd: root,
  }).sort();
  const { include, uapi } = await nativeLibraries();
  const includes = [include, uapi, ...(await systemIncludes())];
  let built = 0;
  const failures: unknown[] = [];
  const one = async (architecture: Architecture): Promise<void> => {
    for (const source of sources) {
      try {
        if (await buildProgram(source, architecture, includes)) built++;
      } catch (error) {
        failures.push(error); // the others are built all the same
      }
    }
  };
  await Promise.all(architectures.map(one));
  if (failures.length > 0) throw failures[0];
  const all = sources.length * architectures.length;
  return built === 0 ? `${all} up to date` : `${built} of ${all} built`;
}

if (import.meta.main) process.stderr.write(`${await buildPrograms()}\n`);
