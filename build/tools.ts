// Programs in Go that tests need and Debian 12 has not: built once by `go install`, pinned, kept in the user's cache folder.
// Neighbours: build/packages.ts (Debian packages), test/cluster/ (who starts them).

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './native.ts';
import { command } from './step.ts';

const tools = {
  helm: 'helm.sh/helm/v3/cmd/helm@v3.22.0',
  versitygw: 'github.com/versity/versitygw/cmd/versitygw@v1.8.0',
  'fake-gcs-server': 'github.com/fsouza/fake-gcs-server@v1.56.1',
  containerd: 'github.com/containerd/containerd/v2/cmd/containerd@v2.4.2',
  'containerd-shim-runc-v2': 'github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2@v2.4.2',
  ctr: 'github.com/containerd/containerd/v2/cmd/ctr@v2.4.2',
} as const;

export type GoTool = keyof typeof tools;

/** All of them: `npm test` builds them before the tests that ask for one, whose limits are short. */
export const goTools = Object.keys(tools) as GoTool[];

/** The path of a tool; built first where the cache has it not (minutes when cold). Safe to be asked by several processes at once. */
export async function goTool(name: GoTool): Promise<string> {
  const module = tools[name];
  const version = module.slice(module.lastIndexOf('@') + 1);
  const folder = join(cacheFolder(), 'tools', `${name}-${version}`);
  const path = join(folder, name);
  if (existsSync(path)) return path;
  await mkdir(join(cacheFolder(), 'tools'), { recursive: true });
  const draft = await mkdtemp(join(cacheFolder(), 'tools', `.${name}-`));
  try {
    await command(['go', 'install', '-trimpath', '-ldflags=-s -w', module], {
      env: { GOBIN: draft, GOFLAGS: '-modcacherw', CGO_ENABLED: '0' },
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
