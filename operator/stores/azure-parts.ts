// A file in parts to Azure: blocks, each put with a signature for the one blob, then put together by the operator. Neighbours: operator/stores/azure.ts,
// operator/deliver.ts.

import type { BlockBlobClient } from '@azure/storage-blob';
import type { NamedFile, PartedUpload } from './store.ts';

/** Longer than any upload takes. */
const validSeconds = 6 * 3600;

export interface BlocksPlace {
  blob: BlockBlobClient;
  blockBytes: number;
  /** A URL of the blob that allows writing it for so long. */
  sign(expiresSeconds: number): Promise<string>;
}

/** Errors are the SDK's. `finished` says whether what is there then is the file. */
export async function blocks(
  { blob, blockBytes, sign }: BlocksPlace,
  file: NamedFile,
  finished: (error: unknown) => Promise<string>,
): Promise<PartedUpload> {
  const url = await sign(validSeconds);
  return {
    partBytes: blockBytes,
    inOrder: false,
    done: await blocksOf(blob),
    sign: async (part) => ({
      url: `${url}&comp=block&blockid=${encodeURIComponent(blockId(part))}`,
      headers: {},
    }),
    took: (status) => status === 201,
    async complete(etags, signal) {
      const ids = etags.map((_, part) => blockId(part));
      try {
        await blob.commitBlockList(ids, {
          blobHTTPHeaders: { blobContentType: file.mediaType, blobContentDisposition: 'attachment' },
          metadata: { sha256: file.sha256 },
          conditions: { ifNoneMatch: '*' },
          abortSignal: signal,
        });
      } catch (error) {
        return await finished(error);
      }
      return await finished(undefined);
    },
  };
}

/** All of a blob's have one length. */
function blockId(part: number): string {
  return Buffer.from(String(part).padStart(8, '0')).toString('base64');
}

/** What an earlier attempt put, of the same file: a key names one job's run of one node, which never changes. */
async function blocksOf(blob: BlockBlobClient): Promise<Map<number, string>> {
  const there = await blob.getBlockList('uncommitted').catch(() => undefined);
  const ids = (there?.uncommittedBlocks ?? []).map(({ name }) => Buffer.from(name, 'base64').toString());
  return new Map(ids.filter((id) => /^\d{8}$/.test(id)).map((id) => [Number(id), '']));
}
