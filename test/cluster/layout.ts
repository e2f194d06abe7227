// Where everything of the test cluster lies: folders, addresses, ports, names. Neighbours: up.ts starts it, remains.ts takes it away.
// Each node has a network and a mount namespace of its own on this one kernel, so that both use the usual paths and ports.

import { join } from 'node:path';
import { cacheFolder } from '../../build/native.ts';

export const clusterFolder = join(cacheFolder(), 'cluster');
export const kubeconfig = join(clusterFolder, 'kubeconfig');
export const logFolder = join(clusterFolder, 'logs');

/** The group above everything that the cluster runs, in each cgroup hierarchy. */
export const cgroup = 'sonde-test';

/** The bridge between the nodes and this machine, which has the control plane's address on it. */
export const bridge = 'sonde-test';
export const address = '10.199.0.1';
export const podNetworks = '10.199.0.0/16';
export const serviceNetwork = '10.199.240.0/24';
/** The first of the service network is the API server's own Service. */
export const apiService = '10.199.240.1';

export const apiPort = 6443;
/** etcd listens on loopback only: it asks nobody who they are. */
export const etcdPorts = { client: 23790, peer: 23800 };

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

export const nodes: NodePlace[] = [1, 2].map((number) => {
  const name = `node-${number}`;
  const folder = join(clusterFolder, name);
  const own = ['/run', '/var/lib', '/var/log'].map((path) => ({
    path,
    folder: join(folder, path.slice(1).replace('/', '-')),
  }));
  return {
    name,
    folder,
    address: `10.199.0.${10 + number}`,
    network: `10.199.${number}.0/24`,
    gateway: `10.199.${number}.1`,
    cable: `sonde-${name}`,
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
