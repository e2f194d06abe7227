// `sonde version`. The version is package.json's: bundled in by build/bundle.ts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExitCode } from './errors.ts';

declare const SONDE_VERSION: string | undefined;

/** As package.json has it. */
export function ownVersion(): string {
  if (typeof SONDE_VERSION === 'string') return SONDE_VERSION;
  const text = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

export async function version(args: readonly string[]): Promise<ExitCode> {
  const about = { version: ownVersion(), node: process.versions.node, arch: process.arch };
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify(about)}\n`);
  else process.stdout.write(`sonde ${about.version} (Node ${about.node}, ${about.arch})\n`);
  return 0;
}
