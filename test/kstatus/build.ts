// Builds the Go program beside this file, once for each version of it, into the user's cache folder.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../build/native.ts';
import { command } from '../../build/step.ts';

/** The program's path; built first where the cache has it not (a minute when cold). */
export async function kstatusProgram(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['main.go', 'go.mod', 'go.sum'])
    hash.update(await readFile(join(import.meta.dirname, file)));
  const tools = join(cacheFolder(), 'tools');
  const folder = join(tools, `kstatus-${hash.digest('hex').slice(0, 12)}`);
  const path = join(folder, 'kstatus');
  if (existsSync(path)) return path;
  await mkdir(tools, { recursive: true });
  const draft = await mkdtemp(join(tools, '.kstatus-'));
  try {
    await command(['go', 'build', '-trimpath', '-ldflags=-s -w', '-o', draft, '.'], {
      cwd: import.meta.dirname,
      env: { GOFLAGS: '-modcacherw -buildvcs=false', CGO_ENABLED: '0' },
    });
    // Another process may have been faster; what it made is as good.
    await rename(draft, folder).catch((error: unknown) => {
      if (!existsSync(path)) throw error;
    });
    return path;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
