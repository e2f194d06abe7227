// The browser code that build/report.ts bundled: read from dist/, which lies beside the shipped bundle and two folders above this file in a checkout.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Asset = 'report.js' | 'report.css' | 'flamegraph.js';

const folders = [import.meta.dirname, join(import.meta.dirname, '../../dist')];
const known = new Map<Asset, string>();

/** The asset's text. Throws Error where the build has not made it. */
export function asset(name: Asset): string {
  const before = known.get(name);
  if (before !== undefined) return before;
  for (const folder of folders) {
    try {
      const text = readFileSync(join(folder, name), 'utf8');
      known.set(name, text);
      return text;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`can't write the report: dist/${name} is not there; run \`npm run build\` first`);
}

/** As a Content-Security-Policy names an inline script or style. */
export function policyHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
