// The files of a result into its store. Where another operator put files of the same job there and was gone before its status said so, and a node has gone with
// it, this result is another one: nothing is written over, so it gets a folder of its own beside them. Neighbours: operator/publish.ts, operator/stores/store.ts.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { JobObject } from './cluster.ts';
import type { Composed } from './compose.ts';
import type { StoredArtifact } from './observed.ts';
import { artifactKey, FileTaken, type Store } from './stores/store.ts';

/** Throws StoreError, or the signal's reason. */
export async function putResult(
  job: JobObject,
  result: Pick<Composed, 'folder' | 'artifacts'>,
  { store, prefix }: { store: Store; prefix: string },
  signal: AbortSignal,
): Promise<StoredArtifact[]> {
  try {
    return await putAll(undefined);
  } catch (error) {
    if (!(error instanceof FileTaken)) throw error;
    return await putAll(editionOf(result));
  }

  async function putAll(edition: string | undefined): Promise<StoredArtifact[]> {
    const { namespace = null, name, uid } = job.metadata;
    const stored: StoredArtifact[] = [];
    for (const artifact of result.artifacts) {
      signal.throwIfAborted();
      const { name: file, ...plain } = artifact;
      const key = artifactKey(prefix, { namespace, name, uid, edition }, file);
      const uri = await store.put({ key, path: join(result.folder, file), ...plain }, signal);
      stored.push({ ...artifact, uri });
    }
    return stored;
  }
}

/** The same for the same files: what is put again lies where it was. */
function editionOf({ artifacts }: Pick<Composed, 'artifacts'>): string {
  const digests = artifacts.map(({ name, sha256 }) => `${name} ${sha256}`).join('\n');
  return createHash('sha256').update(digests).digest('hex').slice(0, 8);
}
