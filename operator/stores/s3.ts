// Amazon S3 and what speaks its protocol, by Amazon's own SDK. Neighbours: operator/stores/open.ts opens it, operator/stores/failure.ts says what went wrong.

import { createReadStream } from 'node:fs';
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { StoreSpec } from '../../crds/trace-store.ts';
import { type Attempt, isNotFound, isPreconditionFailed, storeFailure } from './failure.ts';
import { multipart } from './s3-parts.ts';
import {
  type ByteRange,
  checkSame,
  type NamedFile,
  type PartedUpload,
  type Store,
  type StoredFile,
} from './store.ts';

/** Amazon allows 10,000 parts; parts of 8 MiB do for 80 GB, above which they grow. */
const partBytes = (bytes: number) => Math.max(8 << 20, Math.ceil(bytes / 9_000));

export interface S3Keys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export class S3Store implements Store {
  readonly #client: S3Client;
  /** What others put to a signed URL has no checksum in it: none may be signed. */
  readonly #signer: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #server: string;

  /** Without keys, the SDK's default chain: IRSA, pod identity, instance profile. */
  constructor(spec: NonNullable<StoreSpec['s3']>, prefix: string, keys: S3Keys | undefined) {
    const { bucket, region = process.env.AWS_REGION ?? 'us-east-1', endpoint, forcePathStyle } = spec;
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#server = endpoint ?? 'Amazon S3';
    const config: S3ClientConfig = {
      region,
      forcePathStyle,
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 5_000, socketTimeout: 30_000 },
    };
    if (endpoint !== undefined) {
      config.endpoint = endpoint;
      // Checksums as trailers are Amazon's own; other servers refuse them or store them as data.
      config.requestChecksumCalculation = 'WHEN_REQUIRED';
      config.responseChecksumValidation = 'WHEN_REQUIRED';
    }
    if (keys !== undefined) config.credentials = keys;
    this.#client = new S3Client(config);
    this.#signer = new S3Client({
      ...config,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  async put(file: StoredFile, signal: AbortSignal): Promise<string> {
    const { key } = file;
    const uri = `s3://${this.#bucket}/${key}`;
    if (await this.#isThere(file, signal)) return uri;
    try {
      await this.#upload(file, signal);
    } catch (error) {
      signal.throwIfAborted();
      // Somebody wrote it in the meantime.
      if (isPreconditionFailed(error) && (await this.#isThere(file, signal))) return uri;
      throw storeFailure(error, this.#attempt('write', key));
    }
    return uri;
  }

  async #upload(file: StoredFile, signal: AbortSignal): Promise<void> {
    const body = createReadStream(file.path);
    const upload = new Upload({
      client: this.#client,
      partSize: partBytes(file.bytes),
      queueSize: 2,
      params: {
        Bucket: this.#bucket,
        Key: file.key,
        Body: body,
        ContentLength: file.bytes,
        ContentType: file.mediaType,
        Metadata: { sha256: file.sha256 },
        IfNoneMatch: '*',
      },
    });
    const abort = () => void upload.abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      signal.throwIfAborted();
      await upload.done();
    } finally {
      signal.removeEventListener('abort', abort);
      body.destroy();
    }
  }

  async openParts(file: NamedFile, signal: AbortSignal): Promise<PartedUpload | string> {
    const uri = `s3://${this.#bucket}/${file.key}`;
    if (await this.#isThere(file, signal)) return uri;
    const place = { client: this.#signer, bucket: this.#bucket, partBytes: partBytes(file.bytes) };
    const finished = async (error: unknown): Promise<string> => {
      if (await this.#isThere(file, signal)) return uri;
      throw storeFailure(error, this.#attempt('write', file.key));
    };
    try {
      return await multipart(place, file, finished, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw storeFailure(error, this.#attempt('write', file.key));
    }
  }

  /** Throws where another file has its name. */
  async #isThere(file: NamedFile, signal: AbortSignal): Promise<boolean> {
    try {
      const command = new HeadObjectCommand({ Bucket: this.#bucket, Key: file.key });
      const { ContentLength = 0, Metadata } = await this.#client.send(command, { abortSignal: signal });
      checkSame(file, `s3://${this.#bucket}/${file.key}`, { bytes: ContentLength, sha256: Metadata?.sha256 });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      // A HEAD's 404 does not say whether file or bucket is missing; writing will.
      if (isNotFound(error)) return false;
      throw storeFailure(error, this.#attempt('look for', file.key));
    }
  }

  async signedUrl(key: string, expiresSeconds: number): Promise<string> {
    try {
      const command = new GetObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        ResponseContentDisposition: 'attachment',
      });
      return await getSignedUrl(this.#client, command, { expiresIn: expiresSeconds });
    } catch (error) {
      throw storeFailure(error, this.#attempt('sign a URL for', key));
    }
  }

  async read(key: string, signal: AbortSignal, range?: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    try {
      const command = new GetObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        ...(range && { Range: `bytes=${range.from}-${range.to}` }),
      });
      const { Body } = await this.#client.send(command, { abortSignal: signal });
      return Body as AsyncIterable<Uint8Array>;
    } catch (error) {
      signal.throwIfAborted();
      throw storeFailure(error, this.#attempt('read', key));
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    const key = `${this.#prefix}_check`;
    try {
      // Always the same bytes under the same key: nothing piles up, and no right to delete is needed.
      const command = new PutObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        Body: 'Sonde can write here.\n',
      });
      await this.#client.send(command, { abortSignal: signal });
    } catch (error) {
      signal.throwIfAborted();
      throw storeFailure(error, this.#attempt('write', key));
    }
  }

  close(): void {
    this.#client.destroy();
    this.#signer.destroy();
  }

  #attempt(verb: Attempt['verb'], key: string): Attempt {
    const place = `s3://${this.#bucket}`;
    return { verb, uri: `${place}/${key}`, place, server: this.#server };
  }
}
