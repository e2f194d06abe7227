// Programs for the tests of mappings and symbols: compiled when asked for, they print "name address" lines and the tests ask who lies there.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Frame, Symbolizer } from './api.ts';
import { native } from './index.ts';

const running = new Set<ChildProcess>();

/** A folder for a test file's programs; removed after its tests, with what still runs. */
export function programFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sonde-symbols-'));
  after(() => {
    for (const child of running) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

const compilers: Record<string, string> = { c: 'gcc', cc: 'g++', rs: 'rustc' };

/** Compiles a source to `folder/name` with the language's compiler; gives the program's path. */
export function compile(
  folder: string,
  name: string,
  language: 'c' | 'cc' | 'rs',
  source: string,
  flags: string[],
): string {
  const file = join(folder, `${name}.${language}`);
  const path = join(folder, name);
  writeFileSync(file, source);
  execFileSync(compilers[language] ?? 'cc', [file, '-o', path, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return path;
}

/** What a program printed, and when it had ended. */
export interface Ran {
  pid: number;
  /** CLOCK_MONOTONIC ns at which its first output came. */
  time: bigint;
  addresses: Record<string, bigint>;
}

/** Runs a program to its end. */
export async function run(argv: string[]): Promise<Ran> {
  const { child, output } = start(argv);
  const text = await output;
  return { pid: child.pid ?? 0, ...parsed(text) };
}

/** Starts a program that prints and then reads its stdin; it is ended with `stop`. */
export async function runUntilStopped(argv: string[]): Promise<Ran & { stop: () => Promise<void> }> {
  const { child, output } = start(argv);
  const text = await new Promise<string>((resolve) => {
    let seen = '';
    child.stdout.on('data', (data) => {
      seen += String(data);
      if (seen.includes('ready\n')) resolve(seen);
    });
    child.on('close', () => resolve(seen));
  });
  const stop = async () => {
    child.stdin.end();
    await output;
  };
  return { pid: child.pid ?? 0, ...parsed(text), stop };
}

function start(argv: string[]) {
  const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  running.add(child);
  child.on('close', () => running.delete(child));
  const output = new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (data) => {
      text += String(data);
    });
    child.on('error', reject);
    child.on('close', () => resolve(text));
  });
  return { child, output };
}

function parsed(text: string): { time: bigint; addresses: Record<string, bigint> } {
  const lines = text.split('\n').map((line) => line.split(' '));
  const addresses = Object.fromEntries(
    lines.filter((words) => words.length === 2).map(([name, value]) => [name ?? '', BigInt(value ?? 0)]),
  );
  return { time: addresses.time ?? native.clocks().monotonic, addresses };
}

/** The frames of one address of a program, looked up as the innermost frame of a stack. */
export async function framesOf(symbolizer: Symbolizer, ran: Ran, name: string): Promise<Frame[]> {
  const address = ran.addresses[name];
  if (address === undefined) throw new Error(`the program printed no ${name}: ${Object.keys(ran.addresses)}`);
  const [frames] = await symbolizer.user(ran.pid, ran.time, BigUint64Array.of(address));
  return frames ?? [];
}

/** C that every program begins with: `say` prints an address, `now` the time, `here` the address of the instruction at that place. */
export const prelude = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
static void say(const char *name, const void *address) { printf("%s %p\\n", name, address); fflush(stdout); }
static void now_as(const char *name) {
  struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);
  printf("%s %llu\\n", name, (unsigned long long)t.tv_sec * 1000000000ull + t.tv_nsec); fflush(stdout);
}
static void now(void) { now_as("time"); }
#if defined(__x86_64__)
#define here(into) __asm__ volatile("1: lea 1b(%%rip), %0" : "=r"(into))
#else
#define here(into) __asm__ volatile("1: adr %0, 1b" : "=r"(into))
#endif
`;
