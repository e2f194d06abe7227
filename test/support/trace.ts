// A gadget's kernel test in one call: a cgroup of the test's own, a session on it, commands inside and a neighbour outside, and the rows.
// The path is the real one: bpf/registry → bpf/plan → agent/session.

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Target } from '../../agent/plan.ts';
import { startSession } from '../../agent/session.ts';
import { planTrace } from '../../bpf/plan.ts';
import { loadGadget } from '../../bpf/registry.ts';
import { findCgroup2 } from '../../cli/cgroups.ts';
import { native } from '../../native/index.ts';
import { readRun } from '../../results/run.ts';
import type { ResultMeta, Row, StacksShape } from '../../results/shape.ts';
import { havePeers, startBpftrace } from './peer.ts';

export type Argv = [string, ...string[]];

export interface Traced {
  meta: ResultMeta;
  /** Rows by column name; integers of tables are bigint, of events as JSON has them. */
  rows: Record<string, unknown>[];
  /** How each command inside ended. */
  exits: { code: number | null; signal: string | null }[];
  /** CPU time of the commands inside and of what they started, as the kernel accounts it. */
  cpuNs: number;
  /** What the peer counted (see TraceOptions.peer); absent where there is none on this machine. */
  peer?: Record<string, number>;
}

export interface TraceOptions {
  parameters?: Record<string, unknown>;
  /** Run in scope, one after the other; or what to run, told the cgroup. */
  inside: Argv[] | ((group: { path: string }) => Argv[]);
  /** Runs in scope from before the session on, and ends by itself; the session starts when it waits for what comes. */
  before?: { argv: Argv; waits: () => Promise<unknown> };
  /** Names of groups that the commands make below theirs. */
  cleanUp?: string[];
  /** Run outside all the while, again and again. */
  outside?: Argv;
  /** A bpftrace script that counts the same, told the cgroup's id for its filter; it runs beside the session. */
  peer?: (cgroup: bigint) => string;
  /** Of the first choice of programs, this alternative instead of the best that the kernel has. */
  alternative?: number;
  /** The scope is the tree of the first inside command's shell instead of its cgroup. */
  scope?: 'cgroup' | 'process';
}

let made = 0;

/** A new cgroup below the cgroup2 mount. remove() waits for its last processes, which a workload may have left behind. */
export function makeGroup(): { path: string; id: bigint; remove(): Promise<void> } {
  const mount = findCgroup2(readFileSync('/proc/self/mountinfo', 'utf8'));
  if (mount === undefined) throw new Error('this test needs a cgroup2 hierarchy: mount one');
  const path = join(mount.mountPoint, `sonde-test-${process.pid}-${made++}`);
  mkdirSync(path);
  const remove = async (): Promise<void> => {
    for (let tries = 0; readFileSync(join(path, 'cgroup.procs'), 'utf8') !== '' && tries < 200; tries++)
      await setTimeout(50);
    rmdirSync(path);
  };
  return { path, id: statSync(path, { bigint: true }).ino, remove };
}

/** Traces the commands with a gadget and gives what came out. Throws what the session throws (NotSupported: skip on it). */
export async function trace(gadgetName: string, options: TraceOptions): Promise<Traced> {
  const gadget = await loadGadget(gadgetName);
  const plan = planTrace(gadget, options.parameters ?? {});
  const [first = [], ...others] = plan.programs;
  if (options.alternative !== undefined) plan.programs = [[first[options.alternative] ?? []], ...others];
  const group = makeGroup();
  const spool = await mkdtemp(join(tmpdir(), 'sonde-test-'));
  const owner = { namespace: null, pod: null, container: 'test' };
  const target: Target =
    options.scope === 'process'
      ? { kind: 'process', pid: process.pid, owner }
      : { kind: 'cgroup', path: group.path, owner };
  let neighbour: { stop(): Promise<void> } | undefined;
  const run = (argv: Argv) => {
    const env = { PATH: process.env.PATH ?? '/usr/bin:/bin' };
    return native.spawnInCgroup(group.path, argv, env, '/').exited;
  };
  try {
    const early = options.before && run(options.before.argv);
    await options.before?.waits();
    const session = await startSession({
      job: { name: 'test', namespace: null, uid: `test-${process.pid}-${made}` },
      node: 'test-node',
      plan,
      targets: [target],
      budget: {},
      redact: 'None',
      spool,
    });
    const exits: Traced['exits'] = [];
    let counted: Record<string, number> | undefined;
    try {
      const peer = havePeers && options.peer ? await startBpftrace(options.peer(group.id)) : undefined;
      neighbour = options.outside && runAgainAndAgain(options.outside);
      const inside = typeof options.inside === 'function' ? options.inside(group) : options.inside;
      for (const argv of inside) exits.push(await run(argv));
      await early;
      counted = await peer?.stop();
    } finally {
      await neighbour?.stop();
      session.stop('CommandExited');
    }
    const { meta, rows } = await session.finished;
    const [, cpuUs] = /^usage_usec (\d+)$/m.exec(readFileSync(join(group.path, 'cpu.stat'), 'utf8')) ?? [];
    const cpuNs = Number(cpuUs) * 1000;
    return { meta, rows: await readRows(meta, rows), exits, cpuNs, ...(counted && { peer: counted }) };
  } finally {
    await rm(spool, { recursive: true, force: true });
    for (const name of options.cleanUp ?? []) rmdirSync(join(group.path, name));
    await group.remove();
  }
}

function runAgainAndAgain([file, ...args]: Argv): { stop(): Promise<void> } {
  let stopped = false;
  const loop = async (): Promise<void> => {
    do {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      spawn(file, args, { stdio: 'ignore' })
        .on('error', reject)
        .on('close', () => resolve());
      await promise;
    } while (!stopped);
  };
  const done = loop();
  return {
    stop: async () => {
      stopped = true;
      await done;
    },
  };
}

async function readRows(meta: ResultMeta, path: string): Promise<Record<string, unknown>[]> {
  const { shape } = meta;
  if (shape.kind === 'stacks') {
    const rows: Record<string, unknown>[] = [];
    for await (const row of readRun(path, shape)) if (row.kind === 'stacks') rows.push(stackRow(shape, row));
    return rows;
  }
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  if (shape.kind !== 'table') return lines.map((line) => JSON.parse(line));
  const keys = shape.keys.map(({ name }) => name);
  const values = shape.values.map(({ name }) => name);
  return lines.map((line) => {
    const row: { key: unknown[]; value: number[] } = JSON.parse(line);
    const named = [
      ...keys.map((name, index) => [name, row.key[index]]),
      ...values.map((name, index) => [name, row.value[index]]),
    ];
    return Object.fromEntries(named);
  });
}

/** Frames as `frames`: their names, innermost first; keys and weights by name. */
function stackRow(shape: StacksShape, row: Row & { kind: 'stacks' }): Record<string, unknown> {
  const keys = shape.keys.map(({ name }, index) => [name, row.key[index]]);
  const weights = shape.weights.map(({ name }, index) => [name, row.value[index]]);
  return {
    ...Object.fromEntries([...keys, ...weights]),
    frames: row.frames.map(({ name }) => name).reverse(),
  };
}
