// `npm run images`: builds the Containerfile's targets with buildah, on a base of Debian's own packages, so that no registry is asked. Built again only when what
// goes in has changed. Neighbours: Containerfile, test/cluster/images.ts (tests' images, and how nodes get them).

import { createHash, type Hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cacheFolder } from './native.ts';
import { imagePackages, installPackages } from './packages.ts';
import { command, step } from './step.ts';

const root = join(import.meta.dirname, '..');
const folder = () => join(cacheFolder(), 'images');

export interface Image {
  /** sonde.local/NAME:dev */
  name: string;
  /** A docker archive: for `ctr images import`, `docker load`, `podman load`. Its name changes with what is in it. */
  archive: string;
}

interface Recipe {
  /** sonde.local/NAME:dev */
  name: string;
  containerfile: string;
  context: string;
  target?: string;
  arguments?: Record<string, string>;
  /** Files and folders that decide whether it must be built again; asked again after a build. */
  inputs: () => Promise<string[]>;
}

const shipped = ['dist/bpf', 'dist/gadgets', 'dist/sonde.node', 'dist/LICENSES.txt', 'LICENSE'];

/** The operator's and the agent's image from what `npm run build` made. */
export async function buildImages(): Promise<Image[]> {
  await installPackages(imagePackages);
  const inputs = async () => {
    const files = (await readdir(join(root, 'dist'))).filter((file) => /^(?!bench).*\.(js|css)$/.test(file));
    const all = [...shipped, ...files.map((file) => `dist/${file}`), 'node_modules/node/bin/node'];
    return all.map((path) => join(root, path));
  };
  const images: Image[] = [];
  for (const target of ['operator', 'agent']) {
    if (!existsSync(join(root, 'dist', `${target}.js`))) continue;
    images.push(
      await buildImage({
        name: `sonde.local/${target}:dev`,
        containerfile: join(root, 'Containerfile'),
        context: root,
        target,
        arguments: { BASE: await baseImage() },
        inputs,
      }),
    );
  }
  return images;
}

/** Builds an image, unless its archive is in the cache. */
export async function buildImage(recipe: Recipe): Promise<Image> {
  for (let tries = 1; ; tries++) {
    const before = await archiveOf(recipe);
    if (existsSync(before)) return { name: recipe.name, archive: before };
    const draft = join(folder(), `.${basename(before)}.${process.pid}`);
    try {
      await buildOnce(recipe, draft);
      // Another `npm run build` may have written while this read: its name would be a lie.
      if ((await archiveOf(recipe)) === before) {
        await rename(draft, before);
        await removeOld(recipe.name);
        return { name: recipe.name, archive: before };
      }
      if (tries === 3) throw new Error(`what ${recipe.name} is made of changes while it is built`);
    } catch (error) {
      if (tries === 3 || (await archiveOf(recipe).catch(() => '')) === before) throw error;
    } finally {
      await rm(draft, { force: true });
    }
  }
}

/** Where an image of what there is now has its place. */
async function archiveOf({ name, target, arguments: args, containerfile, inputs }: Recipe): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([name, target, args]));
  for (const path of [containerfile, ...(await inputs())]) await digest(hash, path);
  return join(folder(), `${fileName(name)}-${hash.digest('hex').slice(0, 16)}.tar`);
}

function fileName(name: string): string {
  return name.replaceAll(/[/:]/g, '_');
}

async function buildOnce(recipe: Recipe, archive: string): Promise<void> {
  const args = Object.entries(recipe.arguments ?? {}).map(([name, value]) => `--build-arg=${name}=${value}`);
  const target = recipe.target === undefined ? [] : [`--target=${recipe.target}`];
  const options = ['--isolation=chroot', '--layers', '--pull-never', ...target, ...args];
  await buildah('bud', ...options, '--tag', recipe.name, '--file', recipe.containerfile, recipe.context);
  await buildah('push', recipe.name, `docker-archive:${archive}:${recipe.name}`);
  // What the tag stood for before, and layers that only it had.
  await buildah('rmi', '--prune').catch(() => '');
}

/** Earlier archives, but for recent ones, which a node may be about to get. */
async function removeOld(name: string): Promise<void> {
  for (const old of await readdir(folder())) {
    if (!old.startsWith(`${fileName(name)}-`)) continue;
    const path = join(folder(), old);
    if (Date.now() - (await lstat(path)).mtimeMs > 600_000) await rm(path);
  }
}

/** libc and libstdc++ from Debian, unpacked and no more. */
export async function baseImage(): Promise<string> {
  const name = 'sonde.local/base:bookworm';
  if ((await buildah('images', '--quiet', name).catch(() => '')) !== '') return name;
  const context = await mkdtemp(join(folder(), '.base-'));
  try {
    const packages = '--include=base-files,libc6,libgcc-s1,libstdc++6';
    await command(['mmdebstrap', '--variant=extract', packages, 'bookworm', join(context, 'base.tar')]);
    const containerfile = join(context, 'Containerfile');
    await writeFile(containerfile, 'FROM scratch\nADD base.tar /\n');
    await buildah('bud', '--isolation=chroot', '--tag', name, '--file', containerfile, context);
    return name;
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** A storage of its own: nothing of the user's is touched. */
async function buildah(...args: string[]): Promise<string> {
  const storage = join(folder(), 'storage');
  await mkdir(storage, { recursive: true });
  const places = ['--root', storage, '--runroot', join(storage, 'run'), '--storage-driver', 'overlay'];
  return command(['buildah', ...places, ...args]);
}

/** Content of small files; of large ones size and time, which say as much in less time. */
async function digest(hash: Hash, path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) {
    hash.update(`${path} → ${await readlink(path)}\n`);
    return;
  }
  if (found.isDirectory()) {
    for (const name of (await readdir(path)).sort()) await digest(hash, join(path, name));
    return;
  }
  hash.update(`${path} ${found.mode} ${found.size}\n`);
  hash.update(found.size > 32_000_000 ? String(found.mtimeMs) : await readFile(path));
}

if (import.meta.main) {
  for (const { name, archive } of await step('images', buildImages)) console.log(`${name} ${archive}`);
}
