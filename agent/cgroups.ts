// Where cgroup2 is mounted, by /proc/self/mountinfo: at /sys/fs/cgroup, beside v1's hierarchies, or where a container got the host's.
// Neighbours: agent/pod-scope.ts (walks it), cli/cgroups.ts.

/** A mounted hierarchy. `root`: the group that the mount point shows, as seen from the cgroup namespace. */
export interface CgroupMount {
  mountPoint: string;
  root: string;
}

/** The cgroup2 mounts of a mountinfo text, in its order. */
export function cgroup2Mounts(mountinfo: string): CgroupMount[] {
  return mountinfo.split('\n').flatMap((line) => {
    // 41 31 0:38 / /sys/fs/cgroup/unified rw,relatime [optional fields] - cgroup2 cgroup2 rw
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root, mountPoint] = before.split(' ');
    if (!after.startsWith('cgroup2 ') || root === undefined || mountPoint === undefined) return [];
    return [{ mountPoint: unescapeMount(mountPoint), root: unescapeMount(root) }];
  });
}

/** The mount point of cgroup2 at a folder or below it: a node's, where a container has it at a place of its own. Of several, the last: it hides the others. */
export function cgroup2Below(mountinfo: string, folder: string): string | undefined {
  const below = folder.endsWith('/') ? folder : `${folder}/`;
  return cgroup2Mounts(mountinfo)
    .map(({ mountPoint }) => mountPoint)
    .findLast((mountPoint) => mountPoint === folder || mountPoint.startsWith(below));
}

/** mountinfo writes space, tab, newline and backslash as \040 and so on. */
export function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
