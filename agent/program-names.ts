// What numbers in a program's records and maps mean on this node: stacks, symbols, users, cgroups, times. What takes a look-up on another thread
// is asked for by a first reading and is there at the second (named). Neighbours: programs/show/value.ts (Names), native (Symbolizer).

import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { BpfObject, Frame, Mappings, Native, Symbolizer } from '../native/api.ts';
import type { Compiled } from '../programs/compiled.ts';
import type { MapNames } from '../programs/show/map.ts';
import { strftime } from '../programs/show/strftime.ts';
import type { Type } from '../programs/types.ts';
import { cgroupPaths } from './cgroups-by-id.ts';
import { integer, member } from './decode.ts';
import { readStacks } from './stacks.ts';

type StackType = Type & { kind: 'stack' };

export interface ProgramNames extends MapNames {
  /** Reads until everything that it asked for is known; the last reading counts. */
  named<T>(read: () => T): Promise<T>;
  /** The frames of a stack, innermost first; for results. */
  frames(id: bigint, space: 'kernel' | 'user'): Frame[];
  close(): void;
}

export interface NamesOptions {
  native: Native;
  object: BpfObject;
  compiled: Compiled;
  mappings?: Mappings;
  terminal: boolean;
}

interface Stack {
  addresses: BigUint64Array;
  frames: Frame[][];
}

export function programNames({ native, object, compiled, mappings, terminal }: NamesOptions): ProgramNames {
  let symbolizer: Symbolizer | undefined;
  const symbols = (): Symbolizer => (symbolizer ??= native.openSymbolizer(mappings, { offsets: true }));
  const stacks = new Map<string, Stack | null>();
  const userSymbols = new Map<string, string | null>();
  const clocks = clockOffsets(native);
  const users = userNames();
  const groups = cgroupPaths();

  const stack = (id: bigint, space: 'kernel' | 'user'): Stack | null => {
    const key = `${space} ${id}`;
    const known = stacks.get(key);
    if (known === undefined && id !== 0n) stacks.set(key, null);
    return known ?? null;
  };

  /** Looks up what was asked for and is not known. */
  const resolve = async (): Promise<boolean> => {
    const asked = [...stacks].flatMap(([key, value]) => (value === null ? [key] : []));
    const askedSymbols = [...userSymbols].flatMap(([key, value]) => (value === null ? [key] : []));
    if (asked.length > 0) {
      const addresses = readStacks(object.map('stacks'));
      const owners = stackOwners(object);
      for (const key of asked) {
        const [space = '', text = '0'] = key.split(' ');
        const id = BigInt(text);
        stacks.set(key, await resolveStack(symbols(), space, addresses.get(id), owners.get(id)));
      }
    }
    for (const key of askedSymbols) {
      const [pid = '', address = '0'] = key.split(' ');
      const list = BigUint64Array.of(BigInt(address));
      const [frames] = await symbols().user(Number(pid), native.clocks().monotonic, list);
      userSymbols.set(key, nameText(frames?.[0], BigInt(address)));
    }
    return asked.length + askedSymbols.length > 0;
  };

  return {
    layouts: compiled.layouts,
    truncated: compiled.config.strTruncTrailer,
    terminal,
    enumerator: (enumeration, value) => compiled.enums.get(enumeration)?.get(value),
    stack(id, type) {
      const found = stack(id, type.space);
      return found === null ? '\n' : stackText(found, type);
    },
    frames: (id, space) => stack(id, space)?.frames.flat() ?? [],
    kernelSymbol(address) {
      const [frames] = symbols().kernel(BigUint64Array.of(address));
      return nameText(frames?.[0], address);
    },
    userSymbol(address, pid) {
      const key = `${pid} ${address}`;
      const known = userSymbols.get(key);
      // The idle task, which an interval may see, has no memory.
      if (known === undefined && pid > 0) userSymbols.set(key, null);
      return known ?? `0x${address.toString(16)}`;
    },
    cgroupPath: groups,
    username: users,
    time: (ns, { format, clock }) => strftime(format, ns + clocks[clock]),
    wall: (ns) => ns + clocks.boot,
    async named(read) {
      for (;;) {
        const value = read();
        if (!(await resolve())) return value;
      }
    },
    close: () => symbolizer?.close(),
  };
}

async function resolveStack(
  symbolizer: Symbolizer,
  space: string,
  addresses: BigUint64Array | undefined,
  owner: { pid: number; time: bigint } | undefined,
): Promise<Stack> {
  if (addresses === undefined || addresses.length === 0)
    return { addresses: new BigUint64Array(0), frames: [] };
  if (space === 'kernel') {
    // With the program's own frame, as bpftrace has it, but not the runtime's.
    const frames = symbolizer.kernel(addresses);
    const skipped = /^bpf_prog_[0-9a-f]+_program_stack$/.test(frames[0]?.[0]?.name ?? '') ? 1 : 0;
    return { addresses: addresses.subarray(skipped), frames: frames.slice(skipped) };
  }
  return { addresses, frames: await symbolizer.user(owner?.pid ?? 0, owner?.time ?? 0n, addresses) };
}

function stackOwners(object: BpfObject): Map<bigint, { pid: number; time: bigint }> {
  const owners = new Map<bigint, { pid: number; time: bigint }>();
  for (const { key, value } of object.map('stack_owners').entries())
    owners.set(integer(key), {
      pid: Number(integer(member(value, 'pid'))),
      time: integer(member(value, 'time')),
    });
  return owners;
}

const indent = '        ';

/** As bpftrace prints stacks: each frame on its own line, a line before them. perf: with addresses and modules. raw: addresses alone. */
function stackText({ addresses, frames }: Stack, { mode, limit }: StackType): string {
  const lines: string[] = [];
  for (const [i, address] of addresses.entries()) {
    if (i >= limit) break;
    const hex = address.toString(16);
    // What was inlined stands with its caller's address.
    for (const frame of frames[i] ?? []) {
      if (mode === 'raw') lines.push(`${indent}${hex}`);
      else if (mode === 'perf') lines.push(`\t${hex} ${symbolText(frame, address, i)}${moduleText(frame)}`);
      else lines.push(`${indent}${symbolText(frame, address, i)}`);
    }
  }
  return `\n${lines.map((line) => `${line}\n`).join('')}`;
}

function moduleText({ kind, module }: Frame): string {
  return kind === 'user' ? ` (${module ?? '[unknown]'})` : '';
}

/** place: in the stack. Of a return address the call before it was looked up. */
function symbolText(frame: Frame | undefined, address: bigint, place: number): string {
  if (frame === undefined) return `0x${address.toString(16)}`;
  if (frame.offset !== undefined) return `${frame.name}+${frame.offset + (place > 0 ? 1 : 0)}`;
  // Without a symbol bpftrace shows the address alone.
  return frame.kind === 'user' ? `0x${address.toString(16)}` : frame.name;
}

/** ksym() and usym(): the function alone. */
function nameText(frame: Frame | undefined, address: bigint): string {
  if (frame === undefined || (frame.kind === 'user' && frame.offset === undefined))
    return `0x${address.toString(16)}`;
  return frame.name;
}

/** CLOCK_BOOTTIME, to 10 ms where the machine has slept, which is what uptime is rounded to; else exact: both clocks are one. */
export function bootTime(native: Native): bigint {
  const { monotonic } = native.clocks();
  const boot = BigInt(Math.round(uptime() * 1e9));
  return boot > monotonic + 1_000_000_000n ? boot : monotonic;
}

/** What turns each clock's ns into ns since the Unix epoch. */
export type ClockOffsets = Record<(Type & { kind: 'timestamp' })['clock'], bigint>;

export function clockOffsets(native: Native): ClockOffsets {
  const { monotonic, realtime } = native.clocks();
  const slept = bootTime(native) - native.clocks().monotonic;
  const offset = realtime - monotonic;
  return { monotonic: offset, boot: offset - slept, tai: taiOffset(), swTai: offset - slept };
}

/** TAI is ahead of UTC by this, where the kernel was told; it counts from the same epoch. */
function taiOffset(): bigint {
  return 0n;
}

/** /etc/passwd's names; a uid that is not in it is shown as the number. */
function userNames(): (uid: number) => string {
  let known: Map<number, string> | undefined;
  return (uid) => {
    known ??= new Map(
      readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .map((line) => line.split(':'))
        .flatMap(([name = '', , id = '']): [number, string][] => (id === '' ? [] : [[Number(id), name]])),
    );
    return known.get(uid) ?? String(uid);
  };
}
