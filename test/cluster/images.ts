// The images on the test cluster's nodes: Sonde's own, and those that scenario tests run. Neighbours: build/images.ts (builds), up.ts (when).

import { copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { baseImage, buildImage, buildImages, type Image } from '../../build/images.ts';
import { cacheFolder } from '../../build/native.ts';
import { command } from '../../build/step.ts';
import { goTool } from '../../build/tools.ts';
import { workload } from '../support/workload.ts';
import { nodes } from './layout.ts';

/** What holds a pod's namespaces. */
export const pause = 'sonde.local/pause:dev';
export const images = {
  operator: 'sonde.local/operator:dev',
  agent: 'sonde.local/agent:dev',
  /** busybox, and test/workloads/NAME.c as /workloads/NAME. */
  workload: 'sonde.local/workload:dev',
} as const;

/** Those of busybox's programs that pods in tests call by name. */
const applets = [
  ...['cat', 'cp', 'date', 'dd', 'echo', 'false', 'head', 'hostname', 'httpd', 'id', 'ls', 'mkdir', 'nc'],
  ...[
    'nslookup',
    'ping',
    'ps',
    'rm',
    'sh',
    'sleep',
    'sync',
    'tail',
    'test',
    'timeout',
    'touch',
    'true',
    'wget',
  ],
];

/** Builds those that have changed. */
export async function buildTestImages(): Promise<Image[]> {
  const own = await buildImages();
  const context = join(cacheFolder(), 'images', 'workload');
  await rm(context, { recursive: true, force: true });
  await mkdir(join(context, 'busybox'), { recursive: true });
  await mkdir(join(context, 'workloads'));
  await copyFile('/bin/busybox', join(context, 'busybox/busybox'));
  for (const name of applets) await symlink('busybox', join(context, 'busybox', name));
  for (const file of await readdir(join(import.meta.dirname, '../workloads'))) {
    if (!file.endsWith('.c')) continue;
    const program = await workload(basename(file, '.c'));
    await copyFile(program, join(context, 'workloads', basename(file, '.c')));
  }
  const recipe = {
    containerfile: join(import.meta.dirname, 'workload.Containerfile'),
    context,
    arguments: { BASE: await baseImage() },
    inputs: async () => [context],
  };
  return [
    ...own,
    await buildImage({ ...recipe, name: pause, target: 'pause' }),
    await buildImage({ ...recipe, name: images.workload, target: 'workload' }),
  ];
}

/** Gives every node the images that it has not yet. */
export async function importImages(list: Image[]): Promise<void> {
  const ctr = await goTool('ctr');
  for (const node of nodes) {
    const record = join(node.folder, 'images.json');
    const before: string[] = JSON.parse(await readFile(record, 'utf8').catch(() => '[]'));
    for (const { archive } of list) {
      if (before.includes(archive)) continue;
      await command([ctr, '--address', node.socket, '--namespace', 'k8s.io', 'images', 'import', archive]);
    }
    await writeFile(record, JSON.stringify(list.map(({ archive }) => archive)));
  }
}
