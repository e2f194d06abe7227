// The tracers that are compared, ours among them, as processes that are started on a target and stopped, each in a cgroup that counts its CPU time.
// test/bench/rows say what is measured.

import { spawn } from 'node:child_process';
import { open, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../files.ts';
import { sleep, started } from './workload.ts';

/** What a tracer is pointed at: a process, in a cgroup of its own. */
export interface Aim {
  pid: number;
  cgroup: string;
}

/** How a tracer is started: its command, and the file that it writes what it saw to. */
export interface Tracer {
  name: string;
  argv: (aim: Aim, output: string) => string[];
  /** stdout is the result. */
  result: 'stdout' | { file: string } | { folder: string };
}

/** A tracer at work. */
export interface Running {
  pid: number;
  /** CPU seconds since it was attached. */
  cpuSeconds(): Promise<number>;
  /** KiB resident now, and at most. */
  resident(): Promise<{ now: number; peak: number }>;
  /** BPF run-time statistics of its programs, while they are switched on. */
  programs(): Promise<{ ns: number; runs: number }>;
  /** Ends it and waits until all is written; gives the CPU seconds it took from attached to the end. */
  stop(): Promise<{ cpuSeconds: number }>;
  /** Path of what it wrote. */
  output: string;
}

const opens = `
tracepoint:syscalls:sys_enter_openat /FILTER/ { @path[tid] = args->filename; }
tracepoint:syscalls:sys_exit_openat /@path[tid]/ {
  printf("%-6d %-16s %4d %s\\n", pid, comm, args->ret, str(@path[tid])); delete(@path[tid]);
}`;

/** Ours, as it ships. */
export const sonde = join(root, 'dist', 'sonde.js');

/** A gadget of ours on a cgroup. */
export function ours(gadget: string, options: string[] = []): Tracer {
  return {
    name: 'sonde',
    argv: ({ cgroup }, output) => [
      process.execPath,
      sonde,
      ...['run', gadget, ...options, '--cgroup', cgroup, '--duration', '10m', '--output', output, '--json'],
    ],
    result: { folder: 'events.jsonl' },
  };
}

export const opensnoop: Tracer = {
  name: 'opensnoop',
  argv: ({ pid }) => ['/usr/sbin/opensnoop', '-p', String(pid)],
  result: 'stdout',
};

export const bpftrace: Tracer = {
  name: 'bpftrace',
  argv: ({ pid }, output) => ['bpftrace', '-o', output, '-e', opens.replace('FILTER', `pid == ${pid}`)],
  result: { file: '' },
};

export const execsnoop: Tracer = { name: 'execsnoop', argv: () => ['/usr/sbin/execsnoop'], result: 'stdout' };

/** Where a tracer's events are in what it wrote. */
export function resultFile(tracer: Tracer, output: string): string {
  return typeof tracer.result === 'object' && 'folder' in tracer.result
    ? join(output, tracer.result.folder)
    : output;
}

/** Starts a tracer and waits until it is attached. */
export async function startTracer(tracer: Tracer, aim: Aim, own: string, output: string): Promise<Running> {
  await rm(output, { recursive: true, force: true });
  const [file = '', ...args] = tracer.argv(aim, output);
  const sink = tracer.result === 'stdout' ? await open(output, 'w') : undefined;
  const log = await open(`${output}.log`, 'w');
  const child = spawn(file, args, { stdio: ['ignore', sink?.fd ?? log.fd, log.fd] });
  const pid = await started(child, file);
  await writeFile(join(own, 'cgroup.procs'), String(pid));
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  let ended = false;
  closed.then(() => {
    ended = true;
  });
  await sink?.close();
  await log.close();
  try {
    await attached(pid, () => ended, `${output}.log`);
  } catch (error) {
    child.kill('SIGKILL');
    await closed;
    throw error;
  }
  const atStart = await cpuTime(own);
  const spent = async () => (await cpuTime(own)) - atStart;
  return {
    pid,
    output,
    cpuSeconds: spent,
    resident: () => resident(pid),
    programs: () => programTimes(pid),
    async stop() {
      child.kill('SIGINT');
      const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
      await closed.finally(() => clearTimeout(timer));
      return { cpuSeconds: await spent() };
    },
  };
}

/** Attached is who holds a link or a perf event and has opened no more for a while. */
async function attached(pid: number, ended: () => boolean, log: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  let before = 0;
  let same = 0;
  while (Date.now() < deadline) {
    if (ended()) throw new Error(`the tracer ended at once: ${(await readFile(log, 'utf8')).trim()}`);
    const count = (await descriptors(pid)).filter((name) => /bpf[-_]link|perf_event/.test(name)).length;
    same = count > 0 && count === before ? same + 1 : 0;
    if (same >= 6) return;
    before = count;
    await sleep(50);
  }
  throw new Error(`the tracer attached nothing in 30 s: ${(await readFile(log, 'utf8')).trim()}`);
}

async function descriptors(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  return Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => '')));
}

/** Seconds of CPU that a cgroup's processes have taken, those that have ended too. */
async function cpuTime(cgroup: string): Promise<number> {
  const text = await readFile(join(cgroup, 'cpu.stat'), 'utf8');
  return Number(/^usage_usec (\d+)/m.exec(text)?.[1] ?? 0) / 1e6;
}

/** KiB that a process holds in memory now, and held at most. */
export async function resident(pid: number): Promise<{ now: number; peak: number }> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { now: field('VmRSS'), peak: field('VmHWM') };
}

/** Sums what the kernel says about each program the process holds, each once. */
async function programTimes(pid: number): Promise<{ ns: number; runs: number }> {
  const programs = new Map<string, { ns: number; runs: number }>();
  for (const name of await readdir(`/proc/${pid}/fdinfo`)) {
    const text = await readFile(`/proc/${pid}/fdinfo/${name}`, 'utf8').catch(() => '');
    const field = (key: string) => new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(text)?.[1];
    const id = field('prog_id');
    const ns = field('run_time_ns');
    if (id !== undefined && ns !== undefined)
      programs.set(id, { ns: Number(ns), runs: Number(field('run_cnt') ?? 0) });
  }
  const all = [...programs.values()];
  return { ns: all.reduce((sum, one) => sum + one.ns, 0), runs: all.reduce((sum, one) => sum + one.runs, 0) };
}
