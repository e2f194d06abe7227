// The invalid manifests: each begins with what the API server says of it and what our own reader says, as parts that " ... " stands between.
// Neighbours: test/manifests/invalid.test.ts (our reader), test/cluster/manifests.cluster.test.ts (a real API server).

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'invalid');

export interface InvalidManifest {
  name: string;
  text: string;
  apiServer: string;
  sonde: string;
}

export function invalidManifests(): InvalidManifest[] {
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      const [, apiServer, sonde] = /^# api server: (.+)\n# sonde: (.+)\n/.exec(text) ?? [];
      if (apiServer === undefined || sonde === undefined)
        throw new Error(`${name} does not begin with "# api server: …" and "# sonde: …"`);
      return { name, text, apiServer, sonde };
    });
}

/** Whether all parts are there, one after the other. */
export function says(text: string, expected: string): boolean {
  let from = 0;
  for (const part of expected.split(' ... ')) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}
