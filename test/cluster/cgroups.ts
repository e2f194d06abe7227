// The cluster's groups: one in every cgroup hierarchy of this machine, below which each process and pod of the cluster runs. Ending the group of
// cgroup2 ends them all, whoever started them. Neighbours: processes.ts puts processes in, remains.ts takes the groups away.

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { cgroup } from './layout.ts';

export interface Hierarchy {
  path: string;
  version: 1 | 2;
}

/** Where cgroup hierarchies are mounted, by the text of mountinfo. */
export function hierarchies(mountinfo: string): Hierarchy[] {
  const found = new Map<string, Hierarchy>();
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const path = before.split(' ')[4];
    const type = after.split(' ')[0];
    if (path === undefined || (type !== 'cgroup' && type !== 'cgroup2')) continue;
    found.set(path, { path, version: type === 'cgroup' ? 1 : 2 });
  }
  return [...found.values()];
}

async function mounted(): Promise<Hierarchy[]> {
  return hierarchies(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** Makes a group in every hierarchy; gives its folders. In v1's cpuset a new group has neither CPUs nor memory nodes until it is told. */
export async function makeGroup(group: string): Promise<string[]> {
  const folders: string[] = [];
  for (const { path } of await mounted()) {
    let folder = path;
    for (const part of group.split('/')) {
      folder = join(folder, part);
      await mkdir(folder, { recursive: true });
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        if (!existsSync(join(folder, file))) continue;
        const own = await readFile(join(folder, file), 'utf8');
        if (own.trim() === '')
          await writeFile(join(folder, file), await readFile(join(dirname(folder), file)));
      }
    }
    folders.push(folder);
  }
  return folders;
}

/** Ends every process of the cluster, and removes its groups. */
export async function removeGroups(limit = 20_000): Promise<void> {
  const all = await mounted();
  for (const { path, version } of all) {
    const kill = join(path, cgroup, 'cgroup.kill');
    if (version === 2 && existsSync(kill)) await writeFile(kill, '1');
  }
  const deadline = performance.now() + limit;
  for (const { path } of all) {
    // What was killed needs a moment to go, and its group cannot go before it.
    while (!(await removeTree(join(path, cgroup)))) {
      if (performance.now() > deadline) throw new Error(`processes in ${join(path, cgroup)} do not end`);
      await setTimeout(50);
    }
  }
}

/** False where something still runs in it. */
async function removeTree(folder: string): Promise<boolean> {
  if (!existsSync(folder)) return true;
  let gone = true;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) gone = (await removeTree(join(folder, entry.name))) && gone;
  }
  if (!gone) return false;
  return rmdir(folder).then(
    () => true,
    () => false,
  );
}
