// A file in parts to S3, each put by whoever has its signed URL: multipart upload. Neighbours: operator/stores/s3.ts, operator/deliver.ts.

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { NamedFile, PartedUpload } from './store.ts';

/** Longer than any part takes. */
const validSeconds = 3600;

export interface PartsPlace {
  client: S3Client;
  bucket: string;
  partBytes: number;
}

/** Errors are the SDK's. `finished` says whether what is there then is the file. */
export async function multipart(
  { client, bucket, partBytes }: PartsPlace,
  file: NamedFile,
  finished: (error: unknown) => Promise<string>,
  signal: AbortSignal,
): Promise<PartedUpload> {
  const place = { Bucket: bucket, Key: file.key };
  const before = await pending(client, place, signal);
  const UploadId = before ?? (await create(client, place, file, signal));
  const done =
    before === undefined ? new Map<number, string>() : await partsOf(client, place, before, signal);
  const upload = { ...place, UploadId };
  return {
    partBytes,
    inOrder: false,
    done,
    async sign(part) {
      const command = new UploadPartCommand({ ...upload, PartNumber: part + 1 });
      return { url: await getSignedUrl(client, command, { expiresIn: validSeconds }), headers: {} };
    },
    took: (status) => status === 200,
    async complete(etags, until) {
      const Parts = etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
      const command = new CompleteMultipartUploadCommand({
        ...upload,
        MultipartUpload: { Parts },
        IfNoneMatch: '*',
      });
      try {
        await client.send(command, { abortSignal: until });
      } catch (error) {
        const uri = await finished(error);
        // Another was faster: of what was put here nothing is needed.
        await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
        return uri;
      }
      return await finished(undefined);
    },
  };
}

async function create(
  client: S3Client,
  place: { Bucket: string; Key: string },
  { mediaType, sha256 }: NamedFile,
  signal: AbortSignal,
): Promise<string> {
  const command = new CreateMultipartUploadCommand({
    ...place,
    ContentType: mediaType,
    Metadata: { sha256 },
  });
  const { UploadId } = await client.send(command, { abortSignal: signal });
  if (UploadId === undefined) throw new TypeError('the server began an upload without an id');
  return UploadId;
}

/** What another operator began, of the same file: a key names one job's run of one node, which never changes. Who may not list begins anew. */
async function pending(
  client: S3Client,
  { Bucket, Key }: { Bucket: string; Key: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    // The oldest come first; what is beyond the first page is none of one key's.
    const command = new ListMultipartUploadsCommand({ Bucket, Prefix: Key });
    const { Uploads = [] } = await client.send(command, { abortSignal: signal });
    return Uploads.find((upload) => upload.Key === Key)?.UploadId;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

async function partsOf(
  client: S3Client,
  place: { Bucket: string; Key: string },
  UploadId: string,
  signal: AbortSignal,
): Promise<Map<number, string>> {
  const done = new Map<number, string>();
  // Not the SDK's paginator: it goes on for as long as there is a marker, which some servers give on the last page too.
  for (let PartNumberMarker: string | undefined; ; ) {
    const command = new ListPartsCommand({ ...place, UploadId, PartNumberMarker });
    const page = await client.send(command, { abortSignal: signal });
    for (const { PartNumber = 0, ETag = '' } of page.Parts ?? [])
      if (ETag !== '') done.set(PartNumber - 1, ETag);
    if (page.IsTruncated !== true || page.NextPartNumberMarker === PartNumberMarker) return done;
    PartNumberMarker = page.NextPartNumberMarker;
  }
}
