// What this process may do and what this machine has, as far as files tell: checked before a run (for errors that teach) and by `sonde doctor`.

import { existsSync, readFileSync } from 'node:fs';
import { CliError } from './errors.ts';

/** Bits of /proc/self/status' CapEff. */
const capabilityBits = {
  NET_ADMIN: 12,
  NET_RAW: 13,
  SYS_PTRACE: 19,
  SYS_ADMIN: 21,
  SYSLOG: 34,
  PERFMON: 38,
  BPF: 39,
  CHECKPOINT_RESTORE: 40,
} as const;
export type CapabilityName = keyof typeof capabilityBits;

/** The capabilities in a /proc/PID/status text. */
export function capabilitiesIn(status: string): Set<CapabilityName> {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const names = Object.keys(capabilityBits) as CapabilityName[];
  return new Set(names.filter((name) => ((mask >> BigInt(capabilityBits[name])) & 1n) === 1n));
}

/** A capability, or SYS_ADMIN, which once was all of them. */
export function may(capabilities: ReadonlySet<CapabilityName>, name: CapabilityName): boolean {
  if (capabilities.has(name)) return true;
  return (name === 'BPF' || name === 'PERFMON') && capabilities.has('SYS_ADMIN');
}

export const btfPath = '/sys/kernel/btf/vmlinux';
const tracefsPaths = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

/** Where tracefs is mounted; undefined where it is not. */
export function findTracefs(): string | undefined {
  return tracefsPaths.find((path) => existsSync(`${path}/events`));
}

/** A file's text, trimmed; undefined where it can't be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Throws CliError NotLinux, NotPermitted or NoBtf where no trace can work at all. Reads two small files. */
export function requireMachine(): void {
  if (process.platform !== 'linux') {
    throw new CliError('NotLinux', `this is ${process.platform}: eBPF is a part of Linux`);
  }
  const capabilities = capabilitiesIn(readText('/proc/self/status') ?? '');
  const missing = (['BPF', 'PERFMON'] as const).filter((name) => !may(capabilities, name));
  if (missing.length > 0) {
    const names = missing.map((name) => `CAP_${name}`).join(' and ');
    throw new CliError(
      'NotPermitted',
      `loading BPF programs needs ${names}, which this process does not have`,
      {
        advice: 'Run as root (sudo), or give the capabilities: CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE.',
      },
    );
  }
  if (!existsSync(btfPath)) throw new CliError('NoBtf', `this kernel has no BTF: ${btfPath} does not exist`);
}
