// An installation's authority, and the certificates that it signs: ECDSA P-256. Neighbours: operator/renewal.ts (says when), operator/certificates.ts
// (keeps them in Secrets).

import './reflect.ts';
import { randomBytes, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

cryptoProvider.set(webcrypto);

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hour = 3_600_000;
const day = 24 * hour;

export const lifetimes = {
  authority: 730 * day,
  certificate: 30 * day,
  /** Certificates begin so long before they are made: nodes' clocks differ. */
  skew: hour,
} as const;

/** PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

export interface Subject {
  commonName: string;
  names: readonly { type: 'dns' | 'url'; value: string }[];
  for: 'Server' | 'Client';
}

/** A new one; no two have the same name, so that a bundle may hold several. */
export async function makeAuthority(now: number): Promise<KeyPair> {
  const keys = await newKeys();
  const serialNumber = serial();
  const made = await X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: [{ CN: [`sonde authority ${serialNumber}`] }],
    notBefore: new Date(now - lifetimes.skew),
    notAfter: new Date(now + lifetimes.authority),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
    ],
  });
  return pairOf(made, keys);
}

/** A certificate that ends with its authority at the latest. */
export async function signCertificate(authority: KeyPair, subject: Subject, now: number): Promise<KeyPair> {
  const keys = await newKeys();
  const issuer = new X509Certificate(authority.certificate);
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    PemConverter.decodeFirst(authority.key),
    algorithm,
    false,
    ['sign'],
  );
  const usage = subject.for === 'Server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth;
  const made = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [subject.commonName] }],
    issuer: issuer.subject,
    notBefore: new Date(now - lifetimes.skew),
    notAfter: new Date(Math.min(now + lifetimes.certificate, issuer.notAfter.getTime())),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([usage]),
      new SubjectAlternativeNameExtension([...subject.names]),
    ],
  });
  return pairOf(made, keys);
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function pairOf(made: X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<KeyPair> {
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: `${made.toString('pem')}\n`,
    key: `${PemConverter.encode(key, 'PRIVATE KEY')}\n`,
  };
}

/** Positive, as X.509 wants it: the first bit is 0, the first byte is not. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}
