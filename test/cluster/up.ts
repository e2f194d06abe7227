// `npm run cluster:up`: builds what is missing, then starts etcd, the control plane, two nodes and an S3 server, over whatever a killed run has left. They stay
// when it ends; its last line is the kubeconfig's path. A cluster that runs well is left alone, but gets new images. Neighbours: control-plane.ts, node.ts (what is started).

import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { Image } from '../../build/images.ts';
import { clusterPackages, installPackages } from '../../build/packages.ts';
import { command, step } from '../../build/step.ts';
import { type GoTool, goTool } from '../../build/tools.ts';
import { makeCertificates } from './certificates.ts';
import { makeGroup } from './cgroups.ts';
import * as plane from './control-plane.ts';
import { buildTestImages, importImages, pause } from './images.ts';
import { kubernetesProgram } from './kubernetes.ts';
import { address, bridge, kubeconfig, lockName, nodes, s3 } from './layout.ts';
import { alone } from './lock.ts';
import * as node from './node.ts';
import { lastWords, pidOf, programs, start } from './processes.ts';
import { removeRemains } from './remains.ts';
import { until } from './support/until.ts';

/** Programs that are built from their sources, minutes when cold. */
export async function prepare(): Promise<void> {
  await step('Debian packages for the test cluster', () => installPackages(clusterPackages));
  const tools: GoTool[] = ['containerd', 'containerd-shim-runc-v2', 'ctr', 'versitygw', 'helm'];
  await step(`${tools.join(', ')} (minutes when cold)`, async () => {
    for (const tool of tools) await goTool(tool);
  });
  await step('Kubernetes (8 minutes when cold)', async () => {
    await kubernetesProgram();
  });
}

/** What must run for the cluster to be whole. */
const names = [
  ...['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 's3'],
  ...nodes.flatMap(({ name }) => [name, `${name}-containerd`, `${name}-kubelet`, `${name}-kube-proxy`]),
];

async function kubectl(...args: string[]): Promise<string> {
  return command([
    await kubernetesProgram(),
    'kubectl',
    `--kubeconfig=${kubeconfig}`,
    '--request-timeout=5s',
    ...args,
  ]);
}

async function nodesReady(): Promise<boolean> {
  const path = '{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status} {end}';
  const states = await kubectl('get', 'nodes', '-o', `jsonpath=${path}`).catch(() => '');
  return nodes.every(({ name }) => states.split(' ').includes(`${name}=True`));
}

/** All of it runs, and nodes are ready within a moment: a busy machine's report late. */
async function isHealthy(): Promise<boolean> {
  const running = await programs();
  const all = names.every((name) => running.some((one) => one.name === name && one.pid !== undefined));
  return all && (await until(30_000, async () => (await nodesReady()) || undefined)) === true;
}

/** Waits until a program answers; if it ends instead, its last words are the error. */
async function answering(name: string, probe: () => Promise<boolean>): Promise<void> {
  const done = await until(60_000, async () => {
    if (await probe().catch(() => false)) return true;
    if ((await pidOf(name)) === undefined) throw new Error(`${name} has ended:\n${await lastWords(name)}`);
    return undefined;
  });
  if (!done) throw new Error(`${name} does not answer after a minute:\n${await lastWords(name)}`);
}

async function answersHttp(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(1000) })).ok;
}

async function startControlPlane(): Promise<void> {
  await makeCertificates();
  await command(['ip', 'link', 'add', bridge, 'type', 'bridge']);
  await command(['ip', 'address', 'add', `${address}/24`, 'dev', bridge]);
  await command(['ip', 'link', 'set', bridge, 'up']);
  await start(plane.etcd());
  await start(await plane.s3Server());
  await start(await plane.apiServer());
  await answering('kube-apiserver', async () => (await kubectl('get', '--raw', '/readyz')) === 'ok');
  await start(await plane.controllerManager());
  await start(await plane.scheduler());
}

async function startNodes(images: Image[]): Promise<void> {
  for (const one of nodes) {
    await makeGroup(one.cgroup);
    await node.makeNode(one);
  }
  for (const one of nodes) {
    for (const other of nodes) if (other !== one) await node.connect(one, other);
    await start(await node.containerd(one, pause));
    await start(await node.kubeProxy(one));
  }
  const ctr = await goTool('ctr');
  for (const one of nodes) {
    const version = [ctr, '--address', one.socket, 'version'] as const;
    await answering(`${one.name}-containerd`, () => command([...version]).then(() => true));
  }
  await importImages(images);
  for (const one of nodes) await start(await node.kubelet(one));
  const ready = await until(120_000, async () => (await nodesReady()) || undefined);
  if (!ready) throw new Error(`nodes are not ready after two minutes:\n${await lastWords('node-1-kubelet')}`);
}

async function makeBucket(): Promise<void> {
  await answering('s3', () => answersHttp(`${s3.endpoint}/healthz`));
  const { endpoint, region, ...credentials } = s3;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: 'sonde' }));
  client.destroy();
}

/** The whole of it. Gives the kubeconfig's path. */
export async function up(): Promise<string> {
  return alone(lockName, async () => {
    await prepare();
    const images = await step('images', () => alone('\0sonde-test-images', buildTestImages));
    if (await isHealthy()) {
      await step('images into the running cluster', () => importImages(images));
      return kubeconfig;
    }
    await step('remains of an earlier cluster', removeRemains);
    await step('control plane', startControlPlane);
    await step('two nodes', () => startNodes(images));
    await step('S3 bucket', makeBucket);
    return kubeconfig;
  });
}

if (import.meta.main) console.log(await up());
