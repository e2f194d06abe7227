// Builds test/cluster/kubernetes: the control plane, kubelet, kube-proxy and kubectl in one program, once for each version, into the user's cache folder
// (about eight minutes when cold). Neighbours: build/tools.ts (the other Go programs), kubernetes/go.mod (the version).

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../build/native.ts';
import { command } from '../../build/step.ts';

const source = join(import.meta.dirname, 'kubernetes');

/** The program's path; built first where the cache has it not. */
export async function kubernetesProgram(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['main.go', 'go.mod', 'go.sum']) hash.update(await readFile(join(source, file)));
  const [, version] = /k8s\.io\/kubernetes (v\S+)/.exec(await readFile(join(source, 'go.mod'), 'utf8')) ?? [];
  if (version === undefined) throw new Error(`${source}/go.mod requires no k8s.io/kubernetes`);
  const tools = join(cacheFolder(), 'tools');
  const folder = join(tools, `kubernetes-${version}-${hash.digest('hex').slice(0, 12)}`);
  const path = join(folder, 'kubernetes');
  if (existsSync(path)) return path;
  await mkdir(tools, { recursive: true });
  const draft = await mkdtemp(join(tools, '.kubernetes-'));
  try {
    await command(['go', 'build', '-trimpath', `-ldflags=${linkerFlags(version)}`, '-o', draft, '.'], {
      cwd: source,
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

/** Helm and kubelets read the version; `go build` by itself leaves it v0.0.0. */
function linkerFlags(version: string): string {
  const [major, minor] = version.slice(1).split('.');
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const settings = Object.entries(values).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  return ['-s', '-w', ...settings].join(' ');
}
