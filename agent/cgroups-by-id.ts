// The path of a cgroup2 group by its id, as cgroup_path() shows it. Neighbour: agent/program-names.ts.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The look over all groups is made at the first question, and again for an id that it did not find. */
export function cgroupPaths(): (id: bigint) => string {
  let known = new Map<bigint, string>();
  const mount = mountPoint();
  return (id) => {
    const path = known.get(id);
    if (path !== undefined || mount === undefined) return path ?? '';
    known = new Map();
    walk(mount, '/', known);
    return known.get(id) ?? '';
  };
}

/** `unified:` before the path: cgroup2 is one hierarchy of several names. */
function walk(folder: string, path: string, into: Map<bigint, string>): void {
  const group = statSync(folder, { bigint: true, throwIfNoEntry: false });
  if (group === undefined) return;
  into.set(group.ino, `unified:${path}`);
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) walk(join(folder, entry.name), join(path, entry.name), into);
}

function mountPoint(): string | undefined {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const mount = lines.find((line) => / - cgroup2 /.test(line));
  return mount?.split(' ')[4];
}
