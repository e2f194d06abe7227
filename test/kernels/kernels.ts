// The guest kernels: which there are and where their images come from (Debian's cloud kernels, kept under ~/.cache/sonde/kernels).
// test/kernels/root.ts makes the file system that they boot, test/kernels/guest.ts starts them.

import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { command } from '../../build/step.ts';

/** A series of kernels that tests run on; each is the standard kernel of one Debian release. */
export type KernelSeries = '5.10' | '6.1' | '6.12';

const suites: Record<KernelSeries, string> = { '5.10': 'bullseye', '6.1': 'bookworm', '6.12': 'trixie' };

/** All series, oldest first. */
export const kernelSeries = Object.keys(suites) as KernelSeries[];

/** Where what is downloaded once per machine lies. */
const cache = join(homedir(), '.cache', 'sonde');

export interface KernelImage {
  series: KernelSeries;
  /** As `uname -r` says it in the guest. */
  release: string;
  vmlinuz: string;
}

/** The newest kernel of the series that the machine's Debian mirror gives; one that is in the cache is used as it is. Throws with what to do when there is none. */
export async function kernelImage(series: KernelSeries): Promise<KernelImage> {
  const folder = join(cache, 'kernels', series);
  const cached = await findImage(series, folder);
  if (cached !== undefined) return cached;
  const work = await mkdtemp(`${await made(join(cache, 'kernels'))}/fetch-`);
  try {
    const options = await privateApt(suites[series], work);
    await download(series, options, work);
    await rm(folder, { recursive: true, force: true });
    await rename(await made(join(work, 'image')), folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const image = await findImage(series, folder);
  if (image === undefined) throw new Error(`the package of kernel ${series} has no boot/vmlinuz`);
  return image;
}

async function findImage(series: KernelSeries, folder: string): Promise<KernelImage | undefined> {
  const files = await readdir(folder).catch(() => []);
  const name = files.find((file) => file.startsWith('vmlinuz-'));
  if (name === undefined) return undefined;
  return { series, release: name.slice('vmlinuz-'.length), vmlinuz: join(folder, name) };
}

/** apt's options for package lists of another release, kept apart from the machine's own; the mirror is the machine's. */
async function privateApt(suite: string, folder: string): Promise<string[]> {
  const targets = await command([
    'apt-get',
    'indextargets',
    '--format',
    '$(REPO_URI) $(RELEASE) $(COMPONENT)',
  ]);
  const own = /^VERSION_CODENAME=(\S+)/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? 'bookworm';
  const lines = new Set<string>();
  for (const line of targets.split('\n')) {
    const [uri, release, component] = line.split(' ');
    if (uri === undefined || component !== 'main') continue;
    if (release !== own && release !== `${own}-security`) continue;
    const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
    lines.add(`deb [signed-by=${keyring}] ${uri} ${release.replace(own, suite)} main`);
  }
  if (lines.size === 0) {
    throw new Error(
      `no Debian mirror for ${own} in apt's sources: add one, or put a vmlinuz-* into ${cache}/kernels/<series>`,
    );
  }
  const sources = join(folder, 'sources.list');
  await writeFile(sources, `${[...lines].join('\n')}\n`);
  await made(join(folder, 'state', 'lists', 'partial'));
  await made(join(folder, 'cache', 'archives', 'partial'));
  const settings = {
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).map(([key, value]) => `-o${key}=${value}`);
  await command(['apt-get', ...options, 'update', '-q']);
  return options;
}

/** Newest first until one can be fetched: a mirror's list names packages that it has already dropped. */
async function download(series: KernelSeries, options: string[], work: string): Promise<void> {
  const pattern = `^linux-image-${series.replace('.', '\\.')}[.][-.+~0-9a-z]*-cloud-amd64$`;
  const found = await command(['apt-cache', ...options, 'search', '--names-only', pattern]);
  const names = found.split('\n').flatMap((line) => line.split(' ')[0] || []);
  // A backport of a newer kernel ("deb11", "bpo") is not this release's kernel.
  const candidates = names.filter((name) => !/[.+~](deb|bpo)\d+\.\d+-cloud/.test(name));
  candidates.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  const failures: string[] = [];
  for (const name of candidates) {
    try {
      await command(['apt-get', ...options, 'download', '-q', name], { cwd: work });
    } catch (error) {
      failures.push(String(error));
      continue;
    }
    const deb = (await readdir(work)).find((file) => file.endsWith('.deb'));
    if (deb === undefined) continue;
    await command(['dpkg-deb', '-x', join(work, deb), join(work, 'package')]);
    const boot = join(work, 'package', 'boot');
    const vmlinuz = (await readdir(boot)).find((file) => file.startsWith('vmlinuz-'));
    if (vmlinuz === undefined) continue;
    await rename(join(boot, vmlinuz), join(await made(join(work, 'image')), vmlinuz));
    return;
  }
  throw new Error(
    `no kernel ${series} could be fetched from ${suites[series]} (${candidates.length} tried). ` +
      `Put its vmlinuz-<release> into ${join(cache, 'kernels', series)}.\n${failures.at(-1) ?? ''}`,
  );
}

async function made(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  return folder;
}
