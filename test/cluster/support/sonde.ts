// Sonde on the test cluster, by its chart, as a user would install it; once for all scenario tests. Neighbours: charts/sonde, jobs.ts.

import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodes } from '../layout.ts';
import { alone } from '../lock.ts';
import type { TestCluster } from './cluster.ts';

export const sondeNamespace = 'sonde-system';
const chart = join(import.meta.dirname, '../../../charts/sonde');

/** Installs the chart, or brings what is installed up to it; waits until operator and agents are ready. What is there already, of these templates and
 *  images, stays. `values`: other than the chart's own, by path. */
export async function sonde(cluster: TestCluster, values: Record<string, unknown> = {}): Promise<void> {
  await alone('\0sonde-test-install', () => install(cluster, values));
}

async function install(cluster: TestCluster, values: Record<string, unknown>): Promise<void> {
  const image = (part: 'operator' | 'agent') => {
    const [repository = '', tag = ''] = cluster.images[part].split(':');
    return [`${part}.image.repository=${repository}`, `${part}.image.tag=${tag}`];
  };
  const wanted = await fingerprint(cluster, values);
  const release = ['sonde', '-n', sondeNamespace];
  const before = await cluster.helm(['status', ...release, '-o', 'json']).catch(() => '{}');
  if (JSON.parse(before).info?.description === wanted) return;
  await cluster.helm([
    ...['upgrade', '--install', ...release, '--create-namespace', '--wait', '--timeout=3m'],
    ...['--description', wanted, '--reset-values', chart],
    ...[...image('operator'), ...image('agent')].flatMap((value) => ['--set', value]),
    // Tags stay the same when images change: by this the pods are made anew.
    ...['operator', 'agent'].flatMap((part) => ['--set', `${part}.podAnnotations.test=${wanted.slice(-16)}`]),
    ...Object.entries(values).flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`]),
  ]);
}

/** Of the chart's files, the values and the images that the nodes were given. */
async function fingerprint(cluster: TestCluster, values: Record<string, unknown>): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(values));
  for (const file of (await readdir(chart, { recursive: true, withFileTypes: true })).sort(byPath))
    if (file.isFile()) hash.update(await readFile(join(file.parentPath, file.name)));
  if (cluster.own) for (const node of nodes) hash.update(await readFile(join(node.folder, 'images.json')));
  return `for tests: ${hash.digest('hex')}`;
}

function byPath(a: Dirent, b: Dirent): number {
  return join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1;
}

/** The name of a ready pod of Sonde's; an agent's by its node. */
export async function podOf(
  cluster: TestCluster,
  part: 'operator' | 'agent',
  node?: string,
): Promise<string> {
  const where = node === undefined ? [] : [`--field-selector=spec.nodeName=${node}`];
  const text = await cluster.kubectl([
    ...[
      'get',
      'pods',
      '-n',
      sondeNamespace,
      '-l',
      `app.kubernetes.io/component=${part}`,
      ...where,
      '-o',
      'json',
    ],
  ]);
  const { items }: { items: { metadata: { name: string; deletionTimestamp?: string } }[] } = JSON.parse(text);
  const [found] = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (found === undefined)
    throw new Error(`there is no ${part} pod${node === undefined ? '' : ` on ${node}`}`);
  return found.metadata.name;
}

/** The node that a pod runs on. */
export async function nodeOf(cluster: TestCluster, pod: string): Promise<string> {
  const found = await cluster.get<{ spec: { nodeName: string } }>('pod', pod, sondeNamespace);
  return found?.spec.nodeName ?? '';
}
