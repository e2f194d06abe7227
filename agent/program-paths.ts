// Which file on this node a script's path means: inside the root of a process in scope, else this process's own.
// Neighbours: agent/program-kernel.ts (what is in the file), agent/program-attach.ts (probes in it).

import { existsSync, readdirSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';

export interface PathContext {
  /** Processes whose root the path is looked up in, in order; empty: the node's own. */
  pids: readonly number[];
  /** For paths that begin at no root, on the command line. Absent: none are taken. */
  cwd?: string;
  /** $PATH's folders, for programs by name alone. */
  searchPath: readonly string[];
}

const libraryFolders = [
  ...[
    '/lib/x86_64-linux-gnu',
    '/usr/lib/x86_64-linux-gnu',
    '/lib/aarch64-linux-gnu',
    '/usr/lib/aarch64-linux-gnu',
  ],
  ...['/lib64', '/usr/lib64', '/lib', '/usr/lib', '/usr/local/lib'],
];

/** The paths to open, one for each root that has the file; each file once. */
export function filesOf(path: string, context: PathContext): string[] {
  const roots = context.pids.length === 0 ? ['/'] : context.pids.map((pid) => `/proc/${pid}/root`);
  const files = new Map<string, string>();
  for (const root of roots) {
    const found = candidates(path, root, context).find(isFile);
    if (found === undefined) continue;
    const { dev, ino } = statSync(found, { bigint: true });
    if (!files.has(`${dev} ${ino}`)) files.set(`${dev} ${ino}`, found);
  }
  return [...files.values()];
}

function candidates(path: string, root: string, { cwd, searchPath }: PathContext): string[] {
  if (isAbsolute(path)) return [join(root, path), ...(root === '/' ? [] : [path])];
  if (path.includes('/')) return cwd === undefined ? [] : [resolve(cwd, path)];
  return [
    ...searchPath.map((folder) => join(root, folder, path)),
    ...libraryFolders.flatMap((folder) => libraries(join(root, folder), path)),
    ...(cwd === undefined ? [] : [resolve(cwd, path)]),
  ];
}

/** `libc` means libc.so.6; the shortest name is the library's own. But one that ends with .so is the linker's, and libc's is a text. */
function libraries(folder: string, name: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((file) => file === name || file.startsWith(`${name}.so`));
  const forLinker = (file: string) => (file !== name && file.endsWith('.so') ? 1 : 0);
  return names
    .sort((a, b) => forLinker(a) - forLinker(b) || a.length - b.length)
    .map((file) => join(folder, file));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
