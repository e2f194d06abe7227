// Compiles what is not TypeScript and not BPF: the static libraries (native/libs, a Rust crate) and the addon on them (native/src → dist/sonde.node).
// build/main.ts calls both as steps; build/bpf.ts and tests take libbpf's headers from nativeLibraries().

import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { command } from './step.ts';

const root = dirname(import.meta.dirname);
const crate = join(root, 'native/libs');
const sources = join(root, 'native/src');
const objects = join(root, 'dist/native');

/** The user's cache folder of Sonde: what is costly to build and the same for every checkout. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sonde');
}

/** Where the libraries and their headers lie, by the hash of what they are made from: `archive`; `include` has bpf/*.h,
 *  `uapi` has linux/bpf.h of the same age as libbpf. blazesym's side is declared in native/src/symbols_library.h. */
export async function nativeLibraries(): Promise<{
  folder: string;
  archive: string;
  include: string;
  uapi: string;
}> {
  const hash = createHash('sha256');
  const own = (await readdir(join(crate, 'src'))).sort().map((file) => `src/${file}`);
  for (const file of ['Cargo.toml', 'Cargo.lock', ...own]) hash.update(await readFile(join(crate, file)));
  const folder = join(cacheFolder(), `native-${hash.digest('hex').slice(0, 16)}-${process.arch}`);
  return {
    folder,
    archive: join(folder, 'libsonde_native_libs.a'),
    include: join(folder, 'include'),
    uapi: join(folder, 'uapi'),
  };
}

/** One line of `cargo build --message-format=json`, as far as it is read here. */
interface CargoMessage {
  reason: string;
  package_id?: string;
  manifest_path?: string;
  out_dir?: string;
  filenames?: string[];
}

/** Builds libbpf, libelf, zlib and blazesym into one archive in the user's cache folder; gives "up to date" or "built". */
export async function buildNativeLibraries(): Promise<string> {
  const made = await nativeLibraries();
  if (existsSync(made.folder)) return 'up to date';
  const target = join(cacheFolder(), 'native-libs');
  const out = await command(
    ['cargo', 'build', '--release', '--locked', '--message-format=json', '--target-dir', target],
    { cwd: crate, env: { CARGO_BUILD_JOBS: '2' } },
  );
  const messages = out
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): CargoMessage => JSON.parse(line));
  const find = (reason: string, name: string): CargoMessage => {
    const found = messages.find((m) => m.reason === reason && m.package_id?.includes(name));
    if (!found)
      throw new Error(`cargo built ${name}, but said nothing of it; try again with ${target} removed`);
    return found;
  };
  const bpfHeaders = join(find('build-script-executed', 'libbpf-sys').out_dir ?? '', 'include');
  const bpfCrate = dirname(find('compiler-artifact', 'libbpf-sys').manifest_path ?? '');
  const archive = messages
    .flatMap((m) => m.filenames ?? [])
    .find((f) => f.endsWith('libsonde_native_libs.a'));
  if (!archive) throw new Error('cargo made no libsonde_native_libs.a');

  // Complete or not there at all: several builds may run at once, and any may be interrupted.
  const fresh = `${made.folder}.${randomUUID()}`;
  await mkdir(fresh, { recursive: true });
  await cp(archive, join(fresh, basename(made.archive)));
  await cp(bpfHeaders, join(fresh, 'include'), { recursive: true });
  await cp(join(bpfCrate, 'libbpf/include/uapi'), join(fresh, 'uapi'), { recursive: true });
  await rename(fresh, made.folder).catch(() => rm(fresh, { recursive: true }));
  return 'built';
}

/** Compiles each native/src/*.cc whose text, headers or flags have changed and links dist/sonde.node; gives what it did. */
export async function buildAddon(): Promise<string> {
  const libraries = await nativeLibraries();
  const modules = join(root, 'node_modules');
  const flags = [
    ...['-std=c++20', '-O2', '-g1', '-fPIC', '-fvisibility=hidden', '-pthread', '-Wall', '-Wextra'],
    ...['-DNAPI_VERSION=9', '-DNAPI_CPP_EXCEPTIONS', '-DNODE_ADDON_API_DISABLE_DEPRECATED', '-D_GNU_SOURCE'],
    // A worker thread that is being ended can't throw any more; that is no reason to end the process.
    '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
    ...['-isystem', libraries.uapi, '-isystem', libraries.include],
    ...['-isystem', join(modules, 'node-api-headers/include'), '-isystem', join(modules, 'node-addon-api')],
  ];
  await mkdir(objects, { recursive: true });
  const flagsFile = join(objects, 'flags');
  const sameFlags = (await readFile(flagsFile, 'utf8').catch(() => '')) === flags.join('\n');

  const files = (await readdir(sources)).filter((file) => file.endsWith('.cc')).sort();
  const queue: string[] = [];
  for (const file of files) if (!sameFlags || (await isStale(file))) queue.push(file);
  const stale = queue.length;
  const work = async () => {
    for (let file = queue.shift(); file; file = queue.shift()) await compile(file, flags);
  };
  await Promise.all([work(), work()]);
  await writeFile(flagsFile, flags.join('\n'));

  const addon = join(root, 'dist/sonde.node');
  const parts = files.map((file) => join(objects, `${file}.o`));
  const linked = await modified(addon);
  const times = await Promise.all([libraries.archive, ...parts].map(modified));
  if (times.every((time) => time < linked)) return 'up to date';
  const fresh = `${addon}.${randomUUID()}`;
  // The archive's symbols stay inside: Node has a zlib and a zstd of its own.
  await command([
    ...(['g++', '-shared', '-pthread', '-o', fresh, ...parts, libraries.archive] as const),
    ...[
      '-Wl,--exclude-libs,ALL',
      '-Wl,-Bsymbolic',
      '-Wl,--gc-sections',
      '-Wl,-z,now',
      '-Wl,--as-needed',
      '-ldl',
      '-lm',
    ],
  ]);
  await rename(fresh, addon);
  return `compiled ${stale} of ${files.length} files`;
}

async function compile(file: string, flags: string[]): Promise<void> {
  const object = join(objects, `${file}.o`);
  const fresh = `${object}.${randomUUID()}`;
  const dependencies = ['-MMD', '-MT', 'object', '-MF', `${object}.d`];
  await command(['g++', ...flags, ...dependencies, '-c', join(sources, file), '-o', fresh]);
  await rename(fresh, object);
}

/** True where the object is missing or older than its source or one of the headers that the compiler listed. */
async function isStale(file: string): Promise<boolean> {
  const object = join(objects, `${file}.o`);
  const made = await modified(object);
  if (made === 0) return true;
  const list = await readFile(`${object}.d`, 'utf8').catch(() => '');
  const inputs = list
    .replace(/^object:/, '')
    .split(/[\s\\]+/)
    .filter(Boolean);
  if (inputs.length === 0) return true;
  const times = await Promise.all(
    inputs.map((input) =>
      stat(input).then(
        (s) => s.mtimeMs,
        () => Infinity,
      ),
    ),
  );
  return times.some((time) => time >= made);
}

/** Modification time in ms; 0 for what is not there. */
async function modified(path: string): Promise<number> {
  return stat(path).then(
    (s) => s.mtimeMs,
    () => 0,
  );
}
