// An authority of a test's own, and certificates that it signs, good ones and ones that must be refused. Not operator/certificates.ts, which is tested
// against agents that use these. Neighbours: agent/serve.test.ts.

import '../../operator/reflect.ts';
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Certificates } from '../../agent/certificates.ts';

cryptoProvider.set(webcrypto);

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hour = 3600 * 1000;

export interface Authority {
  /** PEM. */
  certificate: string;
  /** One for these names (dns, url or ip), good for an hour unless it has ended already. */
  sign(
    names: { type: 'dns' | 'url' | 'ip'; value: string }[],
    options?: { expired?: boolean },
  ): Promise<Certificates>;
  agent(): Promise<Certificates>;
  operator(): Promise<Certificates>;
}

export async function makeAuthority(): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const now = Date.now();
  const root = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=sonde test authority',
    notBefore: new Date(now - hour),
    notAfter: new Date(now + hour),
    keys: keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
    ],
  });
  const ca = root.toString('pem');

  const sign: Authority['sign'] = async (names, { expired = false } = {}) => {
    const own = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: 'CN=sonde test',
      issuer: root.subject,
      notBefore: new Date(now - hour),
      notAfter: new Date(expired ? now - hour / 2 : now + hour),
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [new SubjectAlternativeNameExtension(names)],
    });
    const key = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
    return { ca, certificate: certificate.toString('pem'), key: PemConverter.encode(key, 'PRIVATE KEY') };
  };

  return {
    certificate: ca,
    sign,
    agent: () => sign([{ type: 'dns', value: 'agent.sonde.internal' }]),
    operator: () => sign([{ type: 'url', value: 'spiffe://sonde/operator' }]),
  };
}

function serial(): string {
  return Buffer.from(webcrypto.getRandomValues(new Uint8Array(8))).toString('hex');
}
