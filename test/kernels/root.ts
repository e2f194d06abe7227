// Makes the guest's file system: Node and its libraries, busybox, and the checkout at the same path as here, so that paths mean the same.
// It is one archive in memory (test/kernels/cpio.ts): a guest needs no disk, no driver and no clean-up. test/kernels/init.sh is its first process.

import { existsSync, globSync } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { command } from '../../build/step.ts';
import { testObject } from '../../native/test-object.ts';
import { root } from '../files.ts';
import { buildWorkloads } from '../support/workload.ts';
import { type Entry, writeArchive } from './cpio.ts';
import type { GuestTask } from './inside.ts';

/** Writes the archive for one run. */
export async function writeRoot(file: string, task: GuestTask): Promise<void> {
  await buildForGuest();
  const entries = [
    ...system(task, await own('init.sh'), await own('stripped.ts')),
    ...(await programs([process.execPath, '/usr/bin/busybox', ...tools.filter(existsSync)])),
    ...(await checkout()),
    ...(await modules(task.files)),
  ];
  await writeArchive(file, entries.map(placed));
}

function own(name: string): Promise<string> {
  return readFile(join(import.meta.dirname, name), 'utf8');
}

/** A guest has no compiler: what tests build when they first need it is built here, into dist. */
async function buildForGuest(): Promise<void> {
  await buildWorkloads();
  for (const name of await readdir(join(root, 'native', 'testdata'))) {
    if (name.endsWith('.bpf.c')) await testObject(basename(name, '.bpf.c'));
  }
  await testObject('values', 'arm64');
}

/** Tools that tests call. The peers' are not among them: numbers are held against theirs on the host. */
const tools = ['/usr/bin/taskset', '/usr/sbin/bpftool'];

function system(task: GuestTask, init: string, hook: string): Entry[] {
  const folders = ['proc', 'sys', 'dev', 'tmp', 'run', 'root', 'mnt', 'var/tmp'];
  return [
    ...folders.map((path): Entry => ({ path, folder: true })),
    { path: 'init', text: init, mode: 0o755 },
    { path: 'etc/passwd', text: 'root:x:0:0:root:/root:/bin/sh\n' },
    { path: 'etc/group', text: 'root:x:0:\n' },
    { path: 'etc/hosts', text: '127.0.0.1 localhost guest\n' },
    { path: 'etc/sonde-stripped.mjs', text: stripTypeScriptTypes(hook) },
    { path: 'etc/sonde-root', text: `${root}\n` },
    { path: 'etc/sonde-tests.json', text: JSON.stringify(task) },
    { path: 'bin/node', link: '/usr/bin/node' },
    { path: 'bin/busybox', link: '/usr/bin/busybox' },
  ];
}

/** Executables with the libraries that their loader would take. */
async function programs(paths: string[]): Promise<Entry[]> {
  const files = new Map<string, string>();
  for (const path of paths) {
    files.set(path === process.execPath ? '/usr/bin/node' : path, path);
    const listed = await command(['ldd', path]).catch(() => '');
    for (const [, library] of listed.matchAll(/(\/\S+) \(0x/g)) {
      if (library !== undefined) files.set(library, library);
    }
  }
  return Promise.all([...files].map(async ([path, from]) => ({ path, from: await realpath(from) })));
}

/** What git would commit, and what is built. */
async function checkout(): Promise<Entry[]> {
  const listed = await command(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  const files = listed.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
  const built = await filesBelow(join(root, 'dist'), (path) => !/\/dist\/(native|bpf\/arm64)$/.test(path));
  // An archive's times are whole seconds: what is built must stay newer than its sources, else tests would build it again.
  const now = Math.ceil(Date.now() / 1000);
  return [
    ...(await Promise.all(files.map((path) => source(join(root, path))))),
    ...built.map((path) => ({ path, from: path, time: now })),
  ];
}

/** TypeScript goes without its types, at the same lines: the guest's Node need not compile WebAssembly to take them off (seconds, emulated,
 *  and V8 now and then fails its own checks on it there). test/kernels/stripped.ts makes Node load it so. */
async function source(path: string): Promise<Entry> {
  if (!path.endsWith('.ts') || path.endsWith('.d.ts')) return { path, from: path };
  const text = stripTypeScriptTypes(await readFile(path, 'utf8'));
  const { mode, mtimeMs } = await stat(path);
  return { path, text, mode: mode & 0o777, time: Math.floor(mtimeMs / 1000) };
}

/** The npm packages that the tests load, found by their imports: what else is installed (cloud clients, browsers) would take the guest's
 *  memory, and a minute to unpack. */
async function modules(tests: string[]): Promise<Entry[]> {
  const { metafile } = await build({
    entryPoints: [...tests, 'test/kernels/inside.ts', ...globSync('bpf/gadgets/*/gadget.ts', { cwd: root })],
    absWorkingDir: root,
    outdir: 'unused',
    write: false,
    bundle: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
  });
  const inPackage = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
  const folders = new Set(Object.keys(metafile.inputs).flatMap((path) => inPackage.exec(path) ?? []));
  const entries: Entry[] = [];
  for (const path of folders) {
    const below = await filesBelow(join(root, path), (folder) => !folder.endsWith('/node_modules'));
    const loaded = below.filter((file) => !/\.(d\.[cm]?ts|map|md)$/.test(file));
    entries.push(...loaded.map((file) => ({ path: file, from: file })));
  }
  return entries;
}

async function filesBelow(folder: string, enter: (folder: string) => boolean): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const files: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && enter(path)) files.push(...(await filesBelow(path, enter)));
    else if (entry.isFile() || entry.isSymbolicLink()) files.push(path);
  }
  return files;
}

/** Archive paths have no slash at the start, and libraries stand where the loader looks, whether or not /lib is a link on this machine. */
function placed(entry: Entry): Entry {
  return { ...entry, path: entry.path.replace(/^\/+/, '') };
}
