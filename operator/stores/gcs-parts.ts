// A file in parts to Google Cloud Storage: one resumable upload, whose address is itself the right to put the file, part after part. Neighbours:
// operator/stores/gcs.ts, operator/deliver.ts.

import type { File } from '@google-cloud/storage';
import type { NamedFile, PartedUpload } from './store.ts';

/** A multiple of 256 KiB, as the protocol wants it. */
const partBytes = 16 << 20;

/** Errors are the SDK's. `finished` says whether what is there then is the file. An upload that another operator began can't be found again. */
export async function resumable(
  target: File,
  { mediaType, bytes, sha256 }: NamedFile,
  finished: () => Promise<string>,
): Promise<PartedUpload> {
  const [url] = await target.createResumableUpload({
    metadata: { contentType: mediaType, metadata: { sha256 } },
    preconditionOpts: { ifGenerationMatch: 0 },
  });
  return {
    partBytes,
    inOrder: true,
    done: new Map(),
    async sign(part) {
      const from = part * partBytes;
      const to = Math.min(from + partBytes, bytes) - 1;
      const range = bytes === 0 ? 'bytes */0' : `bytes ${from}-${to}/${bytes}`;
      return { url, headers: { 'content-range': range } };
    },
    // 308: go on.
    took: (status) => status === 200 || status === 201 || status === 308,
    complete: finished,
  };
}
