// The key that signs paths: made once for an installation, kept in a Secret, so that a path that one replica signed is served by another.
// Neighbours: operator/artifacts.ts, operator/artifacts-path.ts.

import { randomBytes } from 'node:crypto';
import { CoreV1Api, type KubeConfig } from '@kubernetes/client-node';
import { httpStatus } from './kubernetes.ts';

export const keySecret = 'sonde-artifacts-key';
const member = 'signing-key';
const keyBytes = 32;

/** Reads it, or makes it where there is none. */
export async function artifactsKey(kubeConfig: KubeConfig, namespace: string): Promise<Buffer> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const read = async () => {
    const { data } = await core.readNamespacedSecret({ name: keySecret, namespace });
    const key = Buffer.from(data?.[member] ?? '', 'base64');
    if (key.length >= keyBytes) return key;
    throw new TypeError(
      `the Secret ${namespace}/${keySecret} has no ${member} of ${keyBytes} bytes; delete it`,
    );
  };
  try {
    return await read();
  } catch (error) {
    if (httpStatus(error) !== 404) throw error;
  }
  const body = {
    metadata: { name: keySecret, namespace, labels: { 'app.kubernetes.io/part-of': 'sonde' } },
    type: 'Opaque',
    data: { [member]: randomBytes(keyBytes).toString('base64') },
  };
  // Another replica may be faster; then its key is the one.
  await core.createNamespacedSecret({ namespace, body }).catch((error: unknown) => {
    if (httpStatus(error) !== 409) throw error;
  });
  return await read();
}
