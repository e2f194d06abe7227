// The agent's command line and environment as data. Pure. Neighbour: agent/main.ts.

import { parseArgs } from 'node:util';
import { parseQuantity } from '../crds/quantity.ts';
import type { Ceilings } from './ceilings.ts';

export interface Flags {
  node: string;
  /** A folder with ca.crt, tls.crt and tls.key. */
  tls: string;
  spool: string;
  /** Where cgroup2 is mounted, or a folder above it. */
  cgroups: string;
  port: number;
  healthPort: number;
  ceilings: Ceilings;
  runTtlMs: number;
  logLevel: string;
}

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** What each is when neither the command line nor the environment says it. --max-jobs is SONDE_MAX_JOBS there, and so on. */
const defaults = {
  node: '',
  tls: '/etc/sonde/tls',
  spool: '/var/lib/sonde',
  cgroups: '/sys/fs/cgroup',
  port: '7443',
  'health-port': '7080',
  'max-jobs': '8',
  'max-memory': '512Mi',
  'max-cpu': '1',
  'run-ttl': '86400',
  'log-level': 'info',
} as const;
type Flag = keyof typeof defaults;

/** What is wrong with the command line, for who wrote it. */
export class FlagError extends Error {
  override name = 'FlagError';
}

/** Throws FlagError. */
export function readFlags(args: readonly string[], environment: Record<string, string | undefined>): Flags {
  const names = Object.keys(defaults) as Flag[];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  let given: Record<string, unknown>;
  try {
    given = parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new FlagError(error instanceof Error ? error.message : String(error));
  }
  const text = (name: Flag): string => {
    const variable = `SONDE_${name.replaceAll('-', '_').toUpperCase()}`;
    const value = given[name] ?? environment[variable] ?? defaults[name];
    return typeof value === 'string' ? value : '';
  };
  const whole = (name: Flag, least: number, most: number): number => {
    const value = Number(text(name));
    if (!Number.isInteger(value) || value < least || value > most)
      throw new FlagError(`--${name} ${text(name)}: give a whole number from ${least} to ${most}`);
    return value;
  };
  const amount = (name: Flag): number => {
    const quantity = parseQuantity(text(name));
    if ('wrong' in quantity) throw new FlagError(`--${name}: ${quantity.wrong}`);
    return Number(quantity.nano) / 1e9;
  };
  if (text('node') === '') throw new FlagError("--node: give the node's name, as Kubernetes has it");
  if (!levels.includes(text('log-level')))
    throw new FlagError(`--log-level ${text('log-level')}: give one of ${levels.join(', ')}`);
  return {
    node: text('node'),
    tls: text('tls'),
    spool: text('spool'),
    cgroups: text('cgroups'),
    port: whole('port', 0, 65_535),
    healthPort: whole('health-port', 0, 65_535),
    ceilings: {
      jobs: whole('max-jobs', 0, 1000),
      memoryBytes: amount('max-memory'),
      cpu: amount('max-cpu'),
    },
    runTtlMs: whole('run-ttl', 1, 30 * 86_400) * 1000,
    logLevel: text('log-level'),
  };
}
