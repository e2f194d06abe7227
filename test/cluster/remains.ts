// Takes the cluster away, whole or what a killed run left of it: processes, pods, groups, mounts, links, folders. Caches stay (programs, images).
// Neighbours: layout.ts (what there can be), up.ts (calls it first), down.ts.

import { readFile, rm } from 'node:fs/promises';
import { command } from '../../build/step.ts';
import { removeGroups } from './cgroups.ts';
import { bridge, clusterFolder, nodes } from './layout.ts';

/** Namespaces of nodes and pods, with their mounts, bridges and rules, go with the last process in them; what is left is in this machine's own. */
export async function removeRemains(): Promise<void> {
  await removeGroups();
  const links = (await command(['ip', '-brief', 'link'])).split('\n').map((line) => line.split(/[@\s]/)[0]);
  for (const link of [...nodes.map((node) => node.cable), bridge]) {
    if (links.includes(link)) await deleteLink(link);
  }
  for (const path of mountsBelow(clusterFolder, await readFile('/proc/self/mountinfo', 'utf8'))) {
    await command(['umount', '--lazy', path]);
  }
  await rm(clusterFolder, { recursive: true, force: true });
}

/** A cable may go by itself meanwhile: with its other end's namespace. */
async function deleteLink(link: string): Promise<void> {
  try {
    await command(['ip', 'link', 'delete', link]);
  } catch (error) {
    if (!String(error).includes('Cannot find device')) throw error;
  }
}

/** Paths mounted below a folder, the deepest first. */
export function mountsBelow(folder: string, mountinfo: string): string[] {
  const paths = mountinfo.split('\n').map((line) => line.split(' ')[4] ?? '');
  return paths.filter((path) => path.startsWith(`${folder}/`)).reverse();
}
