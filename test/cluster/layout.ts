// Where everything of the test cluster lies: folders, addresses, ports, names. Neighbours: up.ts starts it, remains.ts takes it away.
// Each node has a network and a mount namespace of its own on this one kernel, so that both use the usual paths and ports.

import { join } from 'node:path';
import { cacheFolder } from '../../build/native.ts';

/** SONDE_CLUSTER=1 … 9: another cluster beside the usual one, which has nothing in common with it but caches. */
const number = Number(process.env.SONDE_CLUSTER ?? '0');
if (!Number.isInteger(number) || number < 0 || number > 9)
  throw new Error('SONDE_CLUSTER is a number from 0 to 9');
const name = number === 0 ? 'sonde-test' : `sonde-test-${number}`;
const prefix = `10.${199 + number}`;

export const clusterFolder = join(cacheFolder(), number === 0 ? 'cluster' : `cluster-${number}`);
export const kubeconfig = join(clusterFolder, 'kubeconfig');
export const logFolder = join(clusterFolder, 'logs');

/** The group above everything that the cluster runs, in each cgroup hierarchy. */
export const cgroup = name;
/** Held by the process that starts or ends the cluster (lock.ts). */
export const lockName = `\0${name}-cluster`;

/** The bridge between the nodes and this machine, which has the control plane's address on it. */
export const bridge = name;
export const address = `${prefix}.0.1`;
export const podNetworks = `${prefix}.0.0/16`;
export const serviceNetwork = `${prefix}.240.0/24`;
/** The first of the service network is the API server's own Service. */
export const apiService = `${prefix}.240.1`;

export const apiPort = 6443;
/** etcd listens on loopback only: it asks nobody who they are. */
export const etcdPorts = { client: 23790 + number, peer: 23800 + number };

/** versitygw; its keys protect nothing but the tests' own files. */
export const s3 = {
  endpoint: `http://${address}:7070`,
  listen: `${address}:7070`,
  region: 'us-east-1',
  accessKeyId: 'sonde-test',
  secretAccessKey: 'sonde-test-secret',
} as const;

export interface NodePlace {
  name: string;
  folder: string;
  address: string;
  /** Its pods' addresses. */
  network: string;
  gateway: string;
  /** This machine's end of the node's cable. */
  cable: string;
  cgroup: string;
  /** Its containerd, as seen from this machine. */
  socket: string;
  /** Replaced inside the node's mount namespace by folders of its own, so that two nodes keep the usual paths and nothing is left in this machine's. */
  own: { path: string; folder: string }[];
}

export const nodes: NodePlace[] = [1, 2].map((index) => {
  const name = `node-${index}`;
  const folder = join(clusterFolder, name);
  const own = ['/run', '/var/lib', '/var/log'].map((path) => ({
    path,
    folder: join(folder, path.slice(1).replace('/', '-')),
  }));
  return {
    name,
    folder,
    address: `${prefix}.0.${10 + index}`,
    network: `${prefix}.${index}.0/24`,
    gateway: `${prefix}.${index}.1`,
    cable: number === 0 ? `sonde-${name}` : `sonde${number}-${name}`,
    cgroup: `${cgroup}/${name}`,
    socket: join(folder, 'run/containerd/containerd.sock'),
    own,
  };
});

export function nodeNamed(name: string): NodePlace {
  const node = nodes.find((one) => one.name === name);
  if (!node) throw new Error(`no node ${name}; there are ${nodes.map((one) => one.name).join(', ')}`);
  return node;
}
