// The test cluster's keys: one authority, and a certificate for each of its programs, as Kubernetes names them. Neighbours: control-plane.ts and node.ts use the files.

import '../../operator/reflect.ts';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { address, apiPort, apiService, clusterFolder, kubeconfig, nodes } from './layout.ts';

const folder = join(clusterFolder, 'certificates');
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Paths of a certificate and its key. */
export function certificate(name: string): { certificate: string; key: string } {
  return { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
}

export const authority = certificate('ca').certificate;
export const serviceAccounts = certificate('service-accounts');

export function kubeconfigOf(name: string): string {
  return name === 'admin' ? kubeconfig : join(folder, `${name}.kubeconfig`);
}

interface Identity {
  name: string;
  /** Kubernetes reads the user from CN, and groups from O. */
  user: string;
  group?: string;
  serves?: string[];
}

const identities: Identity[] = [
  {
    name: 'apiserver',
    user: 'kube-apiserver',
    serves: [address, apiService, '127.0.0.1', 'localhost', 'kubernetes.default.svc'],
  },
  { name: 'apiserver-kubelet', user: 'kube-apiserver-kubelet', group: 'system:masters' },
  { name: 'front-proxy', user: 'front-proxy' },
  { name: 'admin', user: 'admin', group: 'system:masters' },
  { name: 'controller-manager', user: 'system:kube-controller-manager' },
  { name: 'scheduler', user: 'system:kube-scheduler' },
  { name: 'proxy', user: 'system:kube-proxy' },
  ...nodes.map((node) => ({
    name: node.name,
    user: `system:node:${node.name}`,
    group: 'system:nodes',
    serves: [node.address, node.name],
  })),
];

/** Makes all of them, and a kubeconfig for each that asks the API server. */
export async function makeCertificates(): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const root = await makeAuthority();
  for (const identity of identities) await makeOne(identity, root);
  const signing = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(serviceAccounts.key, signing.privateKey.export({ type: 'sec1', format: 'pem' }), {
    mode: 0o600,
  });
  await writeFile(serviceAccounts.certificate, signing.publicKey.export({ type: 'spki', format: 'pem' }));
}

interface Authority {
  certificate: X509Certificate;
  keys: CryptoKeyPair;
}

type CryptoKeyPair = webcrypto.CryptoKeyPair;

const validity = () => ({
  notBefore: new Date(Date.now() - 3_600_000),
  notAfter: new Date(Date.now() + 365 * 86_400_000),
});

async function newKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function makeAuthority(): Promise<Authority> {
  const keys = await newKeys();
  const made = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=sonde-test',
    keys,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature, true),
    ],
  });
  await writeFile(authority, made.toString('pem'));
  return { certificate: made, keys };
}

async function makeOne({ name, user, group, serves = [] }: Identity, root: Authority): Promise<void> {
  const keys = await newKeys();
  const names = serves.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value }));
  const made = await X509CertificateGenerator.create({
    subject: [...(group === undefined ? [] : [{ O: [group] }]), { CN: [user] }],
    issuer: root.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: root.keys.privateKey,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth]),
      ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  const files = certificate(name);
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const lines = pkcs8.toString('base64').match(/.{1,64}/g) ?? [];
  const key = ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
  await writeFile(files.certificate, made.toString('pem'));
  await writeFile(files.key, key, { mode: 0o600 });
  await writeKubeconfig(name, {
    authority: root.certificate.toString('pem'),
    own: made.toString('pem'),
    key,
  });
}

async function writeKubeconfig(
  name: string,
  pem: { authority: string; own: string; key: string },
): Promise<void> {
  const encoded = (text: string) => Buffer.from(text).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'sonde-test',
        cluster: {
          server: `https://${address}:${apiPort}`,
          'certificate-authority-data': encoded(pem.authority),
        },
      },
    ],
    users: [
      { name, user: { 'client-certificate-data': encoded(pem.own), 'client-key-data': encoded(pem.key) } },
    ],
    contexts: [{ name: 'sonde-test', context: { cluster: 'sonde-test', user: name } }],
    'current-context': 'sonde-test',
  };
  await writeFile(kubeconfigOf(name), JSON.stringify(config, null, 2), { mode: 0o600 });
}
