// dist/LICENSES.txt: what the shipped files are made of, each with its licence's text: the npm packages that are in the bundles, the crates and C libraries that
// are in the addon. Neighbours: build/bundle.ts (knows the packages), native/libs (the crates), Containerfile (ships it).

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Metafile } from 'esbuild';
import { command } from './step.ts';

const root = join(import.meta.dirname, '..');

interface Made {
  name: string;
  version: string;
  licence: string;
  folder: string;
}

/** The whole text. Inputs are esbuild's, relative to the checkout. */
export async function licences(inputs: Metafile['inputs']): Promise<string> {
  const parts: string[] = [];
  for (const made of [...(await npmPackages(inputs)), ...(await crates())]) {
    const texts = await licenceTexts(made.folder);
    parts.push([`${made.name} ${made.version} (${made.licence})`, ...texts].join('\n\n'));
  }
  const head = `Sonde's shipped files hold parts of the following. Node.js itself comes with the licence at https://github.com/nodejs/node/blob/v${process.versions.node}/LICENSE.`;
  return `${[head, ...parts].join(`\n\n${'─'.repeat(80)}\n\n`)}\n`;
}

/** The folder of the package that a file belongs to: below the last node_modules in its path. */
export function packageFolder(path: string): string | undefined {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}

async function npmPackages(inputs: Metafile['inputs']): Promise<Made[]> {
  const folders = new Set(Object.keys(inputs).flatMap((path) => packageFolder(path) ?? []));
  const list: Made[] = [];
  for (const folder of [...folders].sort()) {
    const path = join(root, folder);
    const { name, version, license } = JSON.parse(await readFile(join(path, 'package.json'), 'utf8'));
    list.push({ name, version, licence: typeof license === 'string' ? license : 'see below', folder: path });
  }
  return list;
}

async function crates(): Promise<Made[]> {
  const target = process.arch === 'arm64' ? 'aarch64-unknown-linux-gnu' : 'x86_64-unknown-linux-gnu';
  const options = ['--locked', '--format-version=1', `--filter-platform=${target}`];
  const manifest = join(root, 'native/libs/Cargo.toml');
  const { packages } = JSON.parse(
    await command(['cargo', 'metadata', ...options, '--manifest-path', manifest]),
  );
  const list: Made[] = packages
    .filter((one: { source: string | null }) => one.source !== null)
    .map((one: { name: string; version: string; license: string | null; manifest_path: string }) => ({
      name: one.name,
      version: one.version,
      licence: one.license ?? 'see below',
      folder: dirname(one.manifest_path),
    }));
  return list.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The files of a package that are licences, and those of the C libraries one folder below it. */
async function licenceTexts(folder: string): Promise<string[]> {
  const texts: string[] = [];
  const inner = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  for (const place of [folder, ...inner.map((entry) => join(folder, entry.name))]) {
    if (place.endsWith('/node_modules') || !existsSync(place)) continue;
    for (const file of (await readdir(place, { withFileTypes: true })).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      if (!file.isFile() || !/^(licen[cs]e|copying|notice)([-.].*)?$/i.test(file.name)) continue;
      const text = await readFile(join(place, file.name), 'utf8');
      texts.push(`${relative(folder, join(place, file.name))}:\n${text.trim()}`);
    }
  }
  return texts;
}
