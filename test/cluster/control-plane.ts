// What the control plane runs: etcd, the API server, the controllers, the scheduler, and an S3 server beside it. Neighbours: processes.ts starts them,
// node.ts has what runs on a node, up.ts the order.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { goTool } from '../../build/tools.ts';
import { authority, certificate, kubeconfigOf, serviceAccounts } from './certificates.ts';
import { kubernetesProgram } from './kubernetes.ts';
import { address, apiPort, clusterFolder, etcdPorts, podNetworks, s3, serviceNetwork } from './layout.ts';
import type { Program } from './processes.ts';

/** A command line from flags by name. */
export function flags(values: Record<string, string | number | boolean>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}

export function etcd(): Program {
  const client = `http://127.0.0.1:${etcdPorts.client}`;
  const peer = `http://127.0.0.1:${etcdPorts.peer}`;
  const values = {
    name: 'sonde-test',
    'data-dir': join(clusterFolder, 'etcd'),
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `sonde-test=${peer}`,
    'log-level': 'warn',
    // Nobody needs this data after a power cut.
    'unsafe-no-fsync': true,
  };
  return { name: 'etcd', argv: ['etcd', ...flags(values)] };
}

export async function apiServer(): Promise<Program> {
  const own = certificate('apiserver');
  const toKubelets = certificate('apiserver-kubelet');
  const toExtensions = certificate('front-proxy');
  const values = {
    'bind-address': address,
    'advertise-address': address,
    'secure-port': apiPort,
    'etcd-servers': `http://127.0.0.1:${etcdPorts.client}`,
    'service-cluster-ip-range': serviceNetwork,
    'tls-cert-file': own.certificate,
    'tls-private-key-file': own.key,
    'client-ca-file': authority,
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'anonymous-auth': false,
    'allow-privileged': true,
    profiling: false,
    'kubelet-certificate-authority': authority,
    'kubelet-client-certificate': toKubelets.certificate,
    'kubelet-client-key': toKubelets.key,
    'kubelet-preferred-address-types': 'InternalIP',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': serviceAccounts.certificate,
    'service-account-signing-key-file': serviceAccounts.key,
    'requestheader-client-ca-file': authority,
    'requestheader-allowed-names': 'front-proxy',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-username-headers': 'X-Remote-User',
    'proxy-client-cert-file': toExtensions.certificate,
    'proxy-client-key-file': toExtensions.key,
  };
  return { name: 'kube-apiserver', argv: [await kubernetesProgram(), 'kube-apiserver', ...flags(values)] };
}

export async function controllerManager(): Promise<Program> {
  const values = {
    kubeconfig: kubeconfigOf('controller-manager'),
    // Nobody asks it anything.
    'secure-port': 0,
    'leader-elect': false,
    profiling: false,
    'use-service-account-credentials': true,
    'root-ca-file': authority,
    'service-account-private-key-file': serviceAccounts.key,
    'cluster-cidr': podNetworks,
    'allocate-node-cidrs': false,
    // A node that has gone is noticed within this; the usual 50 s make a test long.
    'node-monitor-grace-period': '20s',
  };
  const argv: Program['argv'] = [await kubernetesProgram(), 'kube-controller-manager', ...flags(values)];
  return { name: 'kube-controller-manager', argv };
}

export async function scheduler(): Promise<Program> {
  const values = {
    kubeconfig: kubeconfigOf('scheduler'),
    // Nobody asks it anything.
    'secure-port': 0,
    'leader-elect': false,
    profiling: false,
  };
  return { name: 'kube-scheduler', argv: [await kubernetesProgram(), 'kube-scheduler', ...flags(values)] };
}

/** Each bucket is a folder below it. */
export async function s3Server(): Promise<Program> {
  const folder = join(clusterFolder, 's3');
  await mkdir(folder, { recursive: true });
  const values = {
    access: s3.accessKeyId,
    secret: s3.secretAccessKey,
    region: s3.region,
    port: s3.listen,
    health: '/healthz',
  };
  return { name: 's3', argv: [await goTool('versitygw'), ...flags(values), 'posix', folder] };
}
