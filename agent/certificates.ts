// The files of the agent's own certificate, read again when they change: the operator renews them while agents run. Neighbours: agent/door.ts (uses them),
// agent/main.ts (says where they are).

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** PEM. */
export interface Certificates {
  /** The authority that both ends trust. */
  ca: string;
  certificate: string;
  key: string;
}

/** A folder as a Secret is mounted. Throws what the file system says. */
export async function readCertificates(folder: string): Promise<Certificates> {
  const [ca, certificate, key] = await Promise.all(
    ['ca.crt', 'tls.crt', 'tls.key'].map((name) => readFile(join(folder, name), 'utf8')),
  );
  return { ca: ca ?? '', certificate: certificate ?? '', key: key ?? '' };
}

/** Looks at the folder at intervals and tells of other certificates; until `onChange` takes them without an error, it is told again. By reading, not by
 *  watching: a Secret is swapped by symbolic links whose events no file system promises. */
export function watchCertificates(
  folder: string,
  now: Certificates,
  everyMs: number,
  onChange: (certificates: Certificates) => void,
  onError: (error: unknown) => void,
): { close(): void } {
  let used = now;
  const look = async (): Promise<void> => {
    try {
      const found = await readCertificates(folder);
      if (found.ca === used.ca && found.certificate === used.certificate && found.key === used.key) return;
      onChange(found);
      used = found;
    } catch (error) {
      onError(error);
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  return { close: () => clearInterval(timer) };
}
